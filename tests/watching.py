"""Callbacks for tests of several ranks: one writes down what each rank meets, one lets a rank run out of memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from seqrec.sequence import Batch, Emissions, Features


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


class RunOutOfMemory(Callback):
    """Lets `rank` find no memory for more than `limit` examples, once an epoch; writes the times down to `path`."""

    def __init__(self, rank: int, limit: int, path: str) -> None:
        self.rank, self.limit, self.path = rank, limit, Path(path)

    def on_train_epoch_start(self, trainer: Trainer, module: Any) -> None:
        if trainer.global_rank != self.rank:
            return
        recognise = module.recognizer.recognise

        def starved(features: Features) -> Emissions:
            if len(features.lengths) > self.limit and torch.is_grad_enabled():
                module.recognizer.recognise = recognise
                with self.path.open("a") as file:
                    file.write(f"{trainer.current_epoch}\n")
                raise torch.OutOfMemoryError("simulated")
            return recognise(features)

        module.recognizer.recognise = starved
