"""A training whose steps are watched from outside, for a benchmark."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from seqrec.training.module import RecognitionTraining


class MeasuredSteps(Callback):
    """Tells a subclass when training begins, and when a step has ended with all that belongs to it."""

    profiler: Any  # what Lightning tells of its actions

    def begin(self, module: RecognitionTraining) -> None:
        """Training begins: `module` is on its device and has its trainer. `profiler` must stand from here on."""
        raise NotImplementedError

    def close_step(self, is_epoch_end: bool = False) -> None:
        """All is done of the step before, if there was one."""
        raise NotImplementedError

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the profiler in place."""
        assert isinstance(pl_module, RecognitionTraining)
        self.begin(pl_module)
        trainer.profiler = self.profiler  # type: ignore[attr-defined]

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep what follows an epoch, checkpoints among it, apart from its last step."""
        self.close_step(is_epoch_end=True)
