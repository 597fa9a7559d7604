"""What a training shows: a bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys
from math import inf
from time import perf_counter

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn

_READING_SECONDS = 1.0  # from one reading of the metrics to the next


class TrainingBar(RichProgressBar):
    """A bar for each epoch, with the loss, the dev rates and the speed, in the 80 columns of a plain terminal.

    Reading metrics waits for a GPU, so within an epoch they are read once a second, not at each step.
    """

    def __init__(self) -> None:
        super().__init__(leave=True)
        self._shown: dict[str, int | str | float | dict[str, float]] = {}
        self._next_reading = -inf

    def configure_columns(self, trainer: Trainer) -> list[ProgressColumn]:
        """Return what stands before the metrics."""
        description = TextColumn("[progress.description]{task.description}")
        return [description, BarColumn(bar_width=8), MofNCompleteColumn(), TimeRemainingColumn(compact=True)]

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Return the metrics in few letters, as they were last read."""
        within_epoch = trainer.training and not trainer.is_last_batch
        if not within_epoch or perf_counter() >= self._next_reading:
            self._shown = self._read_metrics(trainer)
            self._next_reading = perf_counter() + _READING_SECONDS
        return self._shown

    def _read_metrics(self, trainer: Trainer) -> dict[str, int | str | float | dict[str, float]]:
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        shown: dict[str, int | str | float | dict[str, float]] = {}
        if "train_loss" in values:
            shown["loss"] = f"{values['train_loss']:.3g}"
        for name, key in (("WER", "dev_wer"), ("CER", "dev_cer")):
            if key in values:
                shown[name] = f"{100 * values[key]:.3g}%"
        if "examples_per_second" in values:
            shown["ex/s"] = f"{values['examples_per_second']:.0f}"
        return shown


class EpochLines(Callback):
    """Prints one line an epoch, for logs and pipes."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's numbers, where they are all known."""
        if trainer.sanity_checking or not trainer.is_global_zero:
            return
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        print(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            f"  loss {values.get('train_loss', float('nan')):.3f}  dev loss {values['dev_loss']:.3f}"
            f"  WER {100 * values['dev_wer']:.2f} %  CER {100 * values['dev_cer']:.2f} %"
            f"  {values.get('examples_per_second', float('nan')):.0f} examples/s",
            file=sys.stderr,
            flush=True,
        )


def progress_callback() -> Callback:
    """Return the bar where there is a terminal to draw it on, else the lines."""
    return TrainingBar() if sys.stderr.isatty() and sys.stdout.isatty() else EpochLines()
