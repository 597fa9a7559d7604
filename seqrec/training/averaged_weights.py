"""Training some weights and scoring others, their average: the weights that validation and checkpoints show.

A checkpoint holds the average as its weights, so that whoever reads it gets what was scored, and the weights in
training beside it, so that resuming goes on from them bit for bit.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn

logger = logging.getLogger(__name__)
TRAINING_WEIGHTS = "training_weights"  # the key in a checkpoint

Weights = dict[str, Tensor]


class AveragedWeights(Callback):
    """Puts the average in place for validation and into checkpoints; subclasses say what it is."""

    def __init__(self) -> None:
        self._in_training: Weights | None = None  # while the average is in place

    def average(self, trainer: Trainer, pl_module: LightningModule) -> Weights:
        """Return the average by the names of the module's state; its tensors may be changed no more."""
        raise NotImplementedError

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average in place."""
        self._in_training = copied(pl_module)
        put(pl_module, self.average(trainer, pl_module))

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the weights in training back, bit for bit."""
        assert self._in_training is not None
        put(pl_module, self._in_training)
        self._in_training = None

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep both."""
        checkpoint[TRAINING_WEIGHTS] = checkpoint["state_dict"]
        checkpoint["state_dict"] = self.average(trainer, pl_module)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on from the weights in training; a checkpoint without an average has no others."""
        put(pl_module, checkpoint.get(TRAINING_WEIGHTS, checkpoint["state_dict"]))


class ExponentialAverage(AveragedWeights):
    """An exponential moving average of the weights (Polyak and Juditsky 1992), the buffers among them.

    After step t, counted from 1, average = d * average + (1 - d) * weights with d = min(decay, (1 + t) / (10 + t)), so
    that the first weights, which are noise, are soon forgotten.

    Args:
        decay: d after many steps; the average spans about 1 / (1 - decay) of them.
    """

    def __init__(self, decay: float = 0.999) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay}: must be in [0, 1)")
        self.decay = decay
        self._average: Weights | None = None
        self._step = 0  # optimiser steps in the average

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the first weights, or bring a resumed average to the weights' device."""
        weights = pl_module.state_dict()
        known = self._average or {name: weight.clone() for name, weight in weights.items()}
        self._average = {name: known[name].to(weight.device) for name, weight in weights.items()}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take the weights into the average, if the optimiser has changed them."""
        if trainer.global_step == self._step:
            return  # gradients are being accumulated
        self._step = trainer.global_step
        self._update(pl_module.state_dict(), min(self.decay, (1 + self._step) / (10 + self._step)))

    def average(self, trainer: Trainer, pl_module: LightningModule) -> Weights:
        """Return the average."""
        return self._average or pl_module.state_dict()

    def state_dict(self) -> dict[str, Any]:
        """Return the steps in the average."""
        return {"step": self._step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._step = state_dict["step"]

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Take the average from the checkpoint, and the weights in training."""
        self._average = {name: weight.clone() for name, weight in checkpoint["state_dict"].items()}
        super().on_load_checkpoint(trainer, pl_module, checkpoint)

    @torch.no_grad()
    def _update(self, weights: Weights, decay: float) -> None:
        assert self._average is not None
        floats = [name for name, weight in weights.items() if weight.is_floating_point()]
        torch._foreach_lerp_([self._average[n] for n in floats], [weights[n] for n in floats], 1 - decay)
        for name in weights.keys() - set(floats):
            self._average[name].copy_(weights[name])


class ScheduleFreeWeights(AveragedWeights):
    """The average that a schedule-free optimiser keeps itself; its `train` and `eval` change the weights in place.

    Batch norm's running statistics are those of the weights in training, which are said not to fit the average well.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the optimiser into training; one from a checkpoint is there already."""
        _schedule_free(trainer).train()
        if any(isinstance(each, (nn.BatchNorm1d, nn.SyncBatchNorm)) for each in pl_module.modules()):
            logger.warning(
                "optimizer=schedule_free scores an average of the weights, but batch norm keeps the statistics of the "
                "weights in training; if dev comes out worse than with optimizer=adamw, take encoder.norm=layer"
            )

    def average(self, trainer: Trainer, pl_module: LightningModule) -> Weights:
        """Return the weights of the optimiser's `eval`, and undo it."""
        optimizer, training = _schedule_free(trainer), copied(pl_module)
        modes = [group["train_mode"] for group in optimizer.param_groups]
        optimizer.eval()
        average = copied(pl_module)
        put(pl_module, training)  # `train` would bring them back but for rounding
        for group, mode in zip(optimizer.param_groups, modes, strict=True):
            group["train_mode"] = mode
        return average


def copied(module: LightningModule) -> Weights:
    """Return a copy of a module's weights and buffers."""
    return {name: weight.clone() for name, weight in module.state_dict().items()}


@torch.no_grad()
def put(module: LightningModule, weights: Weights) -> None:
    """Copy weights into a module."""
    for name, weight in module.state_dict().items():
        weight.copy_(weights[name])


def _schedule_free(trainer: Trainer) -> Any:
    (optimizer,) = trainer.optimizers
    return optimizer
