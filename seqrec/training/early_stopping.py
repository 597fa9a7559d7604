"""Early stopping: training ends when the dev score has stopped getting better."""

from __future__ import annotations

import logging

from lightning.pytorch import LightningModule, Trainer, callbacks

logger = logging.getLogger(__name__)


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's early stopping on dev CER, which says why it stopped, and stays stopped when it is resumed.

    Args:
        patience: validated epochs in a row without a new least dev CER, until training ends.
        min_delta: what a new least CER must be below the old one by, as a fraction (0.001 is 0.1 %).
    """

    def __init__(self, patience: int = 10, min_delta: float = 0.0) -> None:
        if patience < 1 or min_delta < 0:
            raise ValueError(f"patience={patience}, min_delta={min_delta}: need at least 1, and at least 0")
        super().__init__("dev_cer", min_delta=min_delta, patience=patience, check_on_train_epoch_end=False)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop at once where the interrupted run had come to its end."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say why training ended before its last epoch."""
        if self.wait_count >= self.patience and trainer.is_global_zero:
            logger.warning(
                f"early stopping: dev CER has not fallen below {100 * float(self.best_score):.2f} % for "
                f"{self.wait_count} epochs, so training ends after epoch {trainer.current_epoch} of "
                f"{trainer.max_epochs}; callbacks.early_stopping.patience={2 * self.patience} would wait longer"
            )
