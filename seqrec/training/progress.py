"""What a training shows: a bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import sys

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar


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
    return RichProgressBar(leave=False) if sys.stderr.isatty() and sys.stdout.isatty() else EpochLines()
