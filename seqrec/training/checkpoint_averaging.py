"""Checkpoint averaging: the mean of several epochs' weights, often better than any of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from seqrec.checkpoint import KEY, read_checkpoint
from seqrec.data.datamodule import SequenceDataModule
from seqrec.evaluation import evaluate
from seqrec.run_folder import RunFolder
from seqrec.training.model_checkpoint import ModelCheckpoint
from seqrec.transcriber import load

logger = logging.getLogger(__name__)
_RATES = {"dev_cer": "dev CER", "dev_wer": "dev WER"}


class CheckpointAveraging(ModelCheckpoint):
    """Keeps some epochs' checkpoints in training, and at its end writes their mean to checkpoints/averaged.ckpt.

    So did Vaswani et al. 2017. Where the mean has a lower dev CER than best.ckpt, or WER with `best_by=dev_wer`, it
    takes that one's place; with another `best_by` it never does.

    Args:
        count: checkpoints to average.
        of: `best`: those with the least dev CER; `last`: those of the last epochs.
    """

    def __init__(self, count: int = 5, of: Literal["best", "last"] = "best") -> None:
        if count < 2:
            raise ValueError(f"count={count}: at least 2 checkpoints make an average")
        monitor, mode = ("dev_cer", "min") if of == "best" else ("epoch", "max")
        super().__init__(
            monitor=monitor,
            mode=mode,
            save_top_k=count,
            filename="average-{epoch:04d}",
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Keep them beside the run's other checkpoints."""
        self.dirpath = str(RunFolder(Path(trainer.default_root_dir)).checkpoints.absolute())
        super().setup(trainer, pl_module, stage)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Average, compare, and take away what was averaged."""
        members = sorted(path for path in map(Path, self.best_k_models) if path.is_file())
        if not trainer.is_global_zero or len(members) < 2:
            return
        run = RunFolder(Path(trainer.default_root_dir))
        averaged = run.checkpoints / "averaged.ckpt"
        _write(averaged, average(members))
        data: SequenceDataModule = trainer.datamodule  # type: ignore[attr-defined]
        _choose(averaged, run.best, _best_by(trainer, run), data, str(trainer.strategy.root_device), len(members))
        for path in members:
            path.unlink()


def average(paths: Sequence[Path]) -> dict[str, Any]:
    """Return a checkpoint with the mean of the weights of those at `paths`, for recognition; counts are the last's."""
    weights = [read_checkpoint(path)["state_dict"] for path in paths]
    mean = {name: _mean([each[name] for each in weights]) for name in weights[-1]}
    return {"state_dict": mean, KEY: read_checkpoint(paths[-1])[KEY]}


def _mean(weights: list[Tensor]) -> Tensor:
    if not weights[-1].is_floating_point():
        return weights[-1]
    return torch.stack([weight.double() for weight in weights]).mean(dim=0).to(weights[-1].dtype)


def _best_by(trainer: Trainer, run: RunFolder) -> str | None:
    """Return what best.ckpt is chosen by."""
    kept = (each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint))
    return next(each.monitor for each in kept if each.filename == run.best.stem)


def _choose(averaged: Path, best: Path, best_by: str | None, data: SequenceDataModule, device: str, count: int) -> None:
    """Put the average in the place of the best checkpoint, if it is better; say so, or that it is not."""
    if best_by not in _RATES:
        logger.warning(
            f"checkpoint averaging: the mean of {count} checkpoints is in averaged.ckpt; best.ckpt stays, since "
            f"best_by={best_by} is no error rate"
        )
        return
    manifest = data.dev_set.folder / "manifest-dev.jsonl"
    limits = (data.max_frames, data.max_examples)
    rates = [evaluate(load(path, device), manifest, *limits).rates for path in (averaged, best)]
    mean, single = (each.cer if best_by == "dev_cer" else each.wer for each in rates)
    is_better = mean < single
    if is_better:
        _write(best, read_checkpoint(averaged))
    logger.warning(
        f"checkpoint averaging: the mean of {count} checkpoints has a {_RATES[best_by]} of {100 * mean:.2f} %, the "
        f"best one {100 * single:.2f} %; "
        + ("best.ckpt now holds the mean" if is_better else "best.ckpt stays, the mean is in averaged.ckpt")
    )


def _write(path: Path, checkpoint: dict[str, Any]) -> None:
    """Write a checkpoint, wholly or not at all."""
    draft = path.with_suffix(".draft")
    torch.save(checkpoint, draft)
    draft.replace(path)
