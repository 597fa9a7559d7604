"""Fitting: the Trainer of a config with its checkpoints and logs, run from the start or from a checkpoint."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.loggers.logger import Logger

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import KEY, Parts, build_parts, read_checkpoint
from seqrec.ctc.loss import CTCLoss
from seqrec.data.datamodule import SequenceDataModule, Track
from seqrec.errors import UserError
from seqrec.run_folder import RunFolder
from seqrec.share import build
from seqrec.text.tokens import read_tokens
from seqrec.training.averaged_weights import TRAINING_WEIGHTS, AveragedWeights, ScheduleFreeWeights
from seqrec.training.diagnosis import Diagnosis
from seqrec.training.initialisation import start_from
from seqrec.training.metrics_csv import MetricsCsv
from seqrec.training.model_checkpoint import ModelCheckpoint
from seqrec.training.module import RecognitionTraining
from seqrec.training.optimizer import is_schedule_free
from seqrec.training.progress import progress_callback

logger = logging.getLogger(__name__)
for _name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(_name).setLevel(logging.ERROR)  # their hints on tuning would drown what we say


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Say in one sentence what Lightning refuses."""
    try:
        yield
    except MisconfigurationException as error:
        reason = " ".join(str(error).split())
        raise UserError(f"trainer: {reason}; trainer=cpu trains on any machine") from None


@_in_a_sentence()
def fit(config: Mapping[str, Any], run: RunFolder, corpus: Path, resume: bool, track: Track) -> Trainer:
    """Train the recogniser of `config` on the prepared corpus in `corpus`.

    Args:
        config: the run's whole config, as plain data.
        run: where checkpoints and logs go.
        corpus: the folder that `prepare` wrote.
        resume: go on from the run's last checkpoint.
        track: shows the progress of the look over the data.

    Returns:
        The trainer, when training has ended; on every rank.

    Raises:
        UserError: the config, the data or the machine does not allow it, or training diverges.
    """
    seed_everything(config["seed"], verbose=False)
    last = _read_last(run, config) if resume else None
    place: dict[str, Any] = last[KEY]["place"] if last else {"epoch": 0, "batches": 0, "seconds": 0.0}
    parts = build_parts(config, read_tokens(run.tokens))
    ctc: CTCLoss = build(config["ctc"], "ctc")
    augmentation = AugmentationChain.build(config.get("augmentation") or {}, parts.reader.num_channels)
    data = build_data(config, corpus, parts, augmentation, ctc, track)
    data.resume(place["epoch"], place["batches"])
    if not resume:
        parts.recognizer.frontend.fit(example.signal for example in data.train_examples())
    module = RecognitionTraining(
        parts,
        ctc,
        build(config["decoder"], "decoder"),
        config["optimizer"],
        build(config["schedule"], "schedule"),
        config["seed"],
        augmentation,
        place["seconds"],
    )
    trainer = _build_trainer(config, run, last["global_step"] if last else None)
    try:
        if config.get("init_from") and not resume:
            start_from(Path(config["init_from"]), parts, run, trainer.is_global_zero)
        for each in trainer.loggers:
            each.log_hyperparams(dict(config))
        trainer.fit(module, datamodule=data, ckpt_path=run.last if resume else None, weights_only=True)
    finally:
        if "wandb" in sys.modules:  # the next job of a sweep in this process would go on in this one's run
            sys.modules["wandb"].finish()
    return trainer


def build_data(
    config: Mapping[str, Any], corpus: Path, parts: Parts, augmentation: AugmentationChain, ctc: CTCLoss, track: Track
) -> SequenceDataModule:
    """Build the data module of `config` over the prepared corpus in `corpus`; other arguments are its parts."""
    given = {
        "folder": corpus,
        "parts": parts,
        "infeasible": ctc.infeasible,
        "seed": config["seed"],
        "augmentation": augmentation,
        "track": track,
    }
    data: SequenceDataModule = build(config["data"], "data", **given)
    return data


def _build_trainer(config: Mapping[str, Any], run: RunFolder, resume_step: int | None) -> Trainer:
    progress = progress_callback()
    kept = checkpoints(run, config["checkpoint_steps"], config.get("best_by", "dev_cer"))  # older runs lack it
    trainer: Trainer = build(
        config["trainer"],
        "trainer",
        logger=loggers(config.get("logger") or {}, run, resume_step),
        callbacks=[*named_callbacks(config), Diagnosis(), *kept, progress],
        enable_progress_bar=isinstance(progress, ProgressBar),
        default_root_dir=run.path,
        reload_dataloaders_every_n_epochs=1,  # epochs differ in their number of batches
        use_distributed_sampler=False,  # the data module deals its own batches
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    if config["trainer"].get("sync_batchnorm") and trainer.strategy.root_device.type == "cpu":
        raise UserError(
            "trainer.sync_batchnorm=true works on GPUs only, but this trains on CPU; set trainer.sync_batchnorm=false"
        )
    return trainer


def _read_last(run: RunFolder, config: Mapping[str, Any]) -> dict[str, Any]:
    last = read_checkpoint(run.last)
    for part in ("reader", "frontend", "encoder", "text"):
        if last[KEY]["config"][part] != config[part]:
            raise UserError(
                f"{run.config}: `{part}` is not what {run.last} was trained with; undo the change to resume"
            )
    _check_averages(last, run, config)
    is_whole_epoch = last["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]
    if not is_whole_epoch and _order(last[KEY]["config"]) != _order(config):
        logger.warning(
            f"{run.config}: `data`, `seed` or `shards` is not what {run.last} was trained with, so batches are others: "
            "in the rest of this epoch some examples come twice or not at all"
        )
    return last


def _check_averages(last: Mapping[str, Any], run: RunFolder, config: Mapping[str, Any]) -> None:
    """Refuse to go on from the average of weights in training, which no callback would tell from them."""
    if TRAINING_WEIGHTS in last and not any(isinstance(each, AveragedWeights) for each in named_callbacks(config)):
        was_schedule_free = is_schedule_free(last[KEY]["config"]["optimizer"])
        raise UserError(
            f"{run.config}: {run.last} holds an average of the weights beside those in training, and nothing averages "
            f"any more; put back what {'optimizer=schedule_free' if was_schedule_free else 'callbacks=ema'} brings"
        )


def _order(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides on the batches of an epoch."""
    data = {key: value for key, value in config["data"].items() if key != "num_workers"}
    # An option that every joining of examples has; building the parts would look for folders of noise.
    lines = [part for part in (config.get("augmentation") or {}).values() if part and "max_words" in part]
    return {"data": data, "is_sharded": bool(config.get("shards")), "seed": config["seed"], "lines": lines}


def checkpoints(run: RunFolder, steps: int, best_by: str) -> list[Callback]:
    """Return what keeps the best checkpoint by `best_by`, and the last of each epoch and of `steps` steps."""
    folder = run.best.parent
    keep = partial(ModelCheckpoint, folder, enable_version_counter=False)
    return [
        keep(filename=run.best.stem, monitor=best_by, mode="max" if best_by == "epoch" else "min"),
        keep(filename=run.last.stem),
        _StepCheckpoint(folder, run.last.stem, every_n_train_steps=steps, enable_version_counter=False),
    ]


class _StepCheckpoint(ModelCheckpoint):
    """Keeps checkpoints only where nothing is lost by going on from them.

    Resuming would leave out the validation after an epoch's last step, and the gradients that are being accumulated.
    """

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Leave an epoch's last step to the checkpoint of the epoch, and batches within a step out."""
        is_whole_step = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
        if is_whole_step and not trainer.is_last_batch:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)


def named_callbacks(config: Mapping[str, Any]) -> list[Callback]:
    """Return the callbacks that the config names, and the one that its optimiser needs.

    They come before the checkpoints, which keep what they have become in a step or epoch.
    """
    given = config.get("callbacks") or {}
    named = [build(part, f"callbacks.{name}") for name, part in given.items() if part is not None]
    if is_schedule_free(config["optimizer"]):
        named.append(ScheduleFreeWeights())
    if sum(isinstance(callback, AveragedWeights) for callback in named) > 1:
        raise UserError("optimizer=schedule_free averages the weights itself; leave the callback `ema` out")
    return named


def loggers(config: Mapping[str, Any], run: RunFolder, resume_step: int | None) -> list[Logger]:
    """Return metrics.csv, and the loggers that the config names; null leaves one out."""
    named = [build(part, f"logger.{name}", save_dir=run.path) for name, part in config.items() if part is not None]
    return [MetricsCsv(run.path / "metrics.csv", resume_step), *named]
