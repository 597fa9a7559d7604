"""What goes wrong in a run, told in words from its numbers an epoch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from seqrec.training.module import RecognitionTraining

logger = logging.getLogger(__name__)

_EMPTY_EPOCHS = 10  # that CTC may give out blanks only, at most; healthy runs do so in their first epochs
_DIVERGED = 3.0  # times the least loss
_MEMORISED = 0.05  # of the first loss: what is below it goes up and down by factors without harm
_WORSE_EPOCHS = 5  # that dev may get worse in, at least


@dataclass(frozen=True)
class EpochNumbers:
    """The numbers of an epoch."""

    train_loss: float  # mean over its batches
    dev_loss: float
    dev_cer: float
    length_ratio: float  # tokens of the dev hypotheses to those of the references


def blank_only(epochs: list[EpochNumbers], max_epochs: int) -> str | None:
    """Say so when nothing but blanks has come out for longer than CTC needs to get going."""
    patience = max(5, min(_EMPTY_EPOCHS, max_epochs // 2))
    if len(epochs) < patience or any(epoch.length_ratio > 0.01 for epoch in epochs[-patience:]):
        return None
    return (
        f"dev hypotheses have been empty for {patience} epochs: the recogniser gives out nothing but blanks, as CTC "
        "does at first and should no longer; try a third of optimizer.lr or three times as much, more epochs, or more "
        "frames to a label (encoder.stack_stride, encoder.strides), and look whether texts and sources match: `seqrec "
        "check`"
    )


def diverging(epochs: list[EpochNumbers], max_epochs: int) -> str | None:
    """Say so when the training loss is several times its least and no longer small, or no number."""
    *before, last = (epoch.train_loss for epoch in epochs)
    finite = [loss for loss in before if isfinite(loss)] or [last]
    least = min(finite)
    if isfinite(last) and isfinite(epochs[-1].dev_loss) and last <= max(_DIVERGED * least, _MEMORISED * finite[0]):
        return None
    return (
        f"the run diverges: the training loss of epoch {len(epochs)} is {last:.4g}, after {least:.4g} at its least, "
        f"and the dev loss {epochs[-1].dev_loss:.4g}; what was learnt is being lost, so begin again with a third of "
        "optimizer.lr, a longer warm-up or a smaller trainer.gradient_clip_val; best.ckpt keeps "
        "the best epoch, unless best_by=epoch"
    )


def overfitting(epochs: list[EpochNumbers], max_epochs: int) -> str | None:
    """Say so when dev has got worse for a good while, and training has not."""
    patience = max(_WORSE_EPOCHS, max_epochs // 5)
    best = min(range(len(epochs)), key=lambda index: epochs[index].dev_cer)
    since = epochs[best + 1 :]
    if len(since) < patience:
        return None
    latest = min(epoch.dev_cer for epoch in since[-3:])
    is_worse = latest > 1.1 * epochs[best].dev_cer + 0.005
    if not is_worse or epochs[-1].train_loss > 0.8 * epochs[best].train_loss:
        return None
    return (
        f"dev CER has risen from {100 * epochs[best].dev_cer:.2f} % in epoch {best + 1} to {100 * latest:.2f} % or "
        "more while the training loss goes on falling: the recogniser learns the training examples by heart; best.ckpt "
        "keeps the best epoch, unless best_by=epoch; augmentation, more encoder.dropout, a smaller encoder or more "
        "data would help"
    )


RULES: tuple[Callable[[list[EpochNumbers], int], str | None], ...] = (blank_only, diverging, overfitting)


class Diagnosis(Callback):
    """Tells each thing that goes wrong once."""

    def __init__(self) -> None:
        self._epochs: list[EpochNumbers] = []
        self._said: set[str] = set()
        self._losses = torch.zeros(2, dtype=torch.float64)  # sum over this epoch's batches, batches
        self._validated = False  # this epoch

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add the batch's loss to the epoch's."""
        assert isinstance(pl_module, RecognitionTraining)
        loss = pl_module.step_loss.double()
        self._losses = self._losses.to(loss.device) + torch.stack([loss, torch.ones_like(loss)])

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Know that this epoch's dev numbers are its own."""
        self._validated = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the epoch's numbers, where it has been validated."""
        total, batches = self._losses.tolist()
        self._losses = torch.zeros(2, dtype=torch.float64)
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        validated, self._validated = self._validated, False
        if batches and validated:
            dev = (values[name] for name in ("dev_loss", "dev_cer", "length_ratio"))
            self._epochs.append(EpochNumbers(total / batches, *dev))
            for sentence in self.new_sentences(trainer.max_epochs or 1) if trainer.is_global_zero else ():
                logger.warning(f"epoch {trainer.current_epoch + 1}: {sentence}")

    def new_sentences(self, max_epochs: int) -> list[str]:
        """Return what is wrong and has not been said."""
        found = {rule.__name__: rule(self._epochs, max_epochs) for rule in RULES if rule.__name__ not in self._said}
        self._said |= {name for name, sentence in found.items() if sentence}
        return [sentence for sentence in found.values() if sentence]

    def state_dict(self) -> dict[str, Any]:
        """Return what has been seen and said."""
        return {
            "epochs": [asdict(epoch) for epoch in self._epochs],
            "said": sorted(self._said),
            "losses": self._losses.tolist(),
            "validated": self._validated,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._epochs = [EpochNumbers(**epoch) for epoch in state_dict["epochs"]]
        self._said = set(state_dict["said"])
        self._losses = torch.tensor(state_dict["losses"], dtype=torch.float64)
        self._validated = state_dict.get("validated", False)  # older checkpoints have none
