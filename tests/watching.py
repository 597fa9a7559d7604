"""A callback for tests of several ranks: it writes down which examples each rank has trained on and scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from seqrec.sequence import Batch


class WatchExamples(Callback):
    """Appends a line a batch to rank-R.jsonl in the folder `path`."""

    def __init__(self, path: str) -> None:
        self.folder = Path(path)

    def _write(self, trainer: Trainer, split: str, batch: Batch) -> None:
        self.folder.mkdir(exist_ok=True)
        line = {"split": split, "epoch": trainer.current_epoch, "ids": batch.ids, "points": batch.signals.sum().item()}
        with (self.folder / f"rank-{trainer.global_rank}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Batch, batch_idx: int) -> None:
        self._write(trainer, "train", batch)

    def on_validation_batch_start(self, trainer: Trainer, module: LightningModule, batch: Batch, *_: Any) -> None:
        self._write(trainer, "dev", batch)
