"""How fast a recipe trains here: `seqrec bench train RECIPE`.

The steps are those of `seqrec train`, with Lightning, data and all. Beside them runs a bare loop over the same LSTM and
CTC, in turns, on batches as large and as ragged, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from seqrec.benchmark.bare_loop import BareLoop, BareNetwork, chained_layers, ready_batch
from seqrec.benchmark.machine import peak_bytes
from seqrec.benchmark.results import Measurement
from seqrec.benchmark.stages import StageClock, StageProfiler
from seqrec.data.datamodule import Track
from seqrec.errors import UserError
from seqrec.run_folder import RunFolder
from seqrec.sequence import Batch, Features
from seqrec.share import build
from seqrec.training.fit import fit
from seqrec.training.measured_steps import MeasuredSteps
from seqrec.training.module import RecognitionTraining
from seqrec.training.optimizer import build_optimizer

_WARM_UP = 3  # blocks that are not counted
_CUDA_BLOCK = 8  # steps from one wait for the GPU to the next, which training itself has none of
_BETWEEN_EPOCHS = ("CheckpointAveraging", "EarlyStopping")  # callbacks that no step meets


def bench_training(config: Mapping[str, Any], corpus: Path, steps: int, track: Track) -> list[Measurement]:
    """Train some steps of a recipe in a folder that is thrown away, and measure them.

    Args:
        config: a whole composed config, as plain data.
        corpus: the folder that `prepare` wrote.
        steps: optimiser steps to measure, behind those that warm up.
        track: shows the progress of the look over the data.

    Returns:
        Of this process's share; the rates are those of all `trainer.devices` together.

    Raises:
        UserError: `steps` is below 1, or training is not possible.
    """
    if steps < 1:
        raise UserError(f"--steps {steps}: needs at least 1")
    with TemporaryDirectory(prefix="seqrec-bench-") as folder:
        run = RunFolder(Path(folder))
        shutil.copyfile(corpus / "tokens.json", run.tokens)
        with warnings.catch_warnings():  # hints on tuning, and that no epoch is validated
            warnings.filterwarnings("ignore", module="lightning")
            trainer = fit(_of_steps(config, steps), run, corpus, False, track)
        (found,) = (each for each in trainer.callbacks if isinstance(each, SideBySide))  # type: ignore[attr-defined]
        return found.measurements(trainer.world_size)


def _of_steps(config: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Return a config that trains so many steps, and does nothing between epochs."""
    warm_up = _WARM_UP * (1 if config["trainer"].get("accelerator") == "cpu" else _CUDA_BLOCK)
    total = steps + warm_up
    trainer = {**config["trainer"], "max_steps": total, "max_epochs": total, "limit_val_batches": 0}
    kept = {
        name: part
        for name, part in (config.get("callbacks") or {}).items()
        if part is not None and not str(part["_target_"]).endswith(_BETWEEN_EPOCHS)
    }
    kept["side_by_side"] = {"_target_": f"{SideBySide.__module__}.{SideBySide.__name__}"}
    quiet = {"logger": None, "init_from": None, "checkpoint_steps": 2 * total}
    return {**config, **quiet, "trainer": trainer, "callbacks": kept}


@dataclass(frozen=True)
class _Seen:
    """The sizes of a batch that a step has run over."""

    batch: Batch
    features: torch.Size  # (B, T, F)
    lengths: Tensor  # (B,) of the features


@dataclass(frozen=True)
class Block:
    """Real steps, and bare ones over batches of the same sizes."""

    examples: int
    frames: int  # valid ones, entering the encoder
    padded: int  # with padding
    seconds: float
    bare_seconds: float | None


class SideBySide(MeasuredSteps):
    """Measures real steps, and bare ones between them."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.peak_bytes: int | None = None
        self._seen: list[_Seen] = []  # in the present block
        self._recurrent: list[tuple[torch.Size, Tensor]] = []  # what their recurrent layers were given
        self._started = perf_counter()
        self._bare: BareLoop | None = None

    def begin(self, module: RecognitionTraining) -> None:
        """Time the module's stages, and make the bare loop."""
        self._device = module.device
        self.begin_clock(module.device.type == "cuda")
        chain, loss = module.augmentation, module.loss
        chain.features = self._clock.timed("front-end", self._watched(chain.features))  # type: ignore[method-assign]
        loss.of_feasible = self._clock.timed("CTC", loss.of_feasible)  # type: ignore[method-assign]
        self._bare = self._make_bare(module)
        self._clock.stop()

    def begin_clock(self, is_cuda: bool) -> None:
        """Make the clock, of a GPU or of the machine."""
        self._is_cuda = is_cuda
        self._clock = StageClock(is_cuda)
        self.profiler = StageProfiler(self._clock, self.close_step)

    def close_step(self, is_epoch_end: bool = False) -> None:
        """Close a block of steps and take as many bare ones; the next step begins when this returns."""
        if self._seen and (is_epoch_end or not self._is_cuda or len(self._seen) == _CUDA_BLOCK):
            self._close_block()
        if not self._seen:
            self._started = perf_counter()
            if self._is_cuda:
                torch.cuda.reset_peak_memory_stats()

    def measurements(self, world_size: int = 1) -> list[Measurement]:
        """Tell what was found; of rates and ratios the median over blocks."""
        blocks = self.blocks[_WARM_UP:] or self.blocks[-1:]
        rates = {
            "examples": median(world_size * each.examples / each.seconds for each in blocks),
            "valid frames": median(world_size * each.frames / each.seconds for each in blocks),
        }
        found = [Measurement(name, rate, f"{name}/s", True) for name, rate in rates.items()]
        pairs = [(each, each.bare_seconds) for each in blocks if each.bare_seconds]
        if pairs:
            ratio = median(seconds / each.seconds for each, seconds in pairs)
            speed = median(world_size * each.frames / seconds for each, seconds in pairs)
            found.append(Measurement("share of the bare loop's speed", 100 * ratio, "%", True))
            found.append(Measurement("bare loop", speed, "valid frames/s", None))
        padding = 1 - sum(each.frames for each in blocks) / sum(each.padded for each in blocks)
        found.append(Measurement("padding", 100 * padding, "% of frames", None))
        seconds = self._clock.seconds()
        total = sum(seconds.values()) or 1.0
        found += [Measurement(name, 100 * each / total, "% of time", None) for name, each in seconds.items()]
        if self.peak_bytes is not None:
            found.append(Measurement("peak memory", self.peak_bytes / 1e6, "MB", False))
        return found

    def _watched(self, features_of: Callable[..., Features]) -> Callable[..., Features]:
        """Return what computes features, and remembers the sizes of the batch."""

        def run(frontend: Any, batch: Batch) -> Features:
            features = features_of(frontend, batch)
            self._seen.append(_Seen(batch, features.values.shape, features.lengths))
            return features

        return run

    def _make_bare(self, module: RecognitionTraining) -> BareLoop | None:
        """Return the loop for the module's encoder; None for encoders that are not recurrent layers in a row."""
        encoder = module.recognizer.encoder
        layers = chained_layers(encoder) if isinstance(encoder, nn.Module) else None
        if layers is None:
            return None
        layers[0].register_forward_pre_hook(self._see_recurrent)
        network = BareNetwork(layers, module.recognizer.head.out_features, self._is_cuda).to(module.device)
        schedule = build(module.parts.config["schedule"], "schedule")
        optimizer = build_optimizer(module.optimizer_config, network.parameters(), schedule)
        trainer = module.trainer
        return BareLoop(network, optimizer, trainer.gradient_clip_val, trainer.precision_plugin.train_step_context)

    def _see_recurrent(self, layer: nn.Module, inputs: tuple[Tensor, Tensor]) -> None:
        self._recurrent.append((inputs[0].shape, inputs[1]))

    def _close_block(self) -> None:
        self._clock.stop()
        self._wait()
        seconds = perf_counter() - self._started
        self._note_memory()
        self.blocks.append(
            Block(
                sum(len(each.batch) for each in self._seen),
                sum(int(each.lengths.sum()) for each in self._seen),
                sum(each.features[0] * each.features[1] for each in self._seen),
                seconds,
                self._take_bare_steps(),
            )
        )
        self._seen.clear()
        self._recurrent.clear()
        if len(self.blocks) <= _WARM_UP:
            self._clock.clear()

    def _take_bare_steps(self) -> float | None:
        if self._bare is None or len(self._recurrent) != len(self._seen):
            return None  # a batch was halved
        batches = [
            ready_batch(shape, lengths, seen.batch.targets, seen.batch.target_lengths)
            for (shape, lengths), seen in zip(self._recurrent, self._seen, strict=True)
        ]
        self._wait()
        started = perf_counter()
        for batch in batches:
            self._bare.step(batch)
        self._wait()
        return perf_counter() - started

    def _wait(self) -> None:
        if self._is_cuda:
            torch.cuda.synchronize()

    def _note_memory(self) -> None:
        """Take the highest peak of real steps, without what the bare loop holds."""
        peak = peak_bytes(self._device)
        if peak is not None:
            own = peak - (self._bare.num_bytes() if self._bare else 0)
            self.peak_bytes = max(own, self.peak_bytes or 0)
