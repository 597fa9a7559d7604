"""A small corpus of words as inline ink, and the data module that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import Parts
from seqrec.data.datamodule import SequenceDataModule
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.ink.deltas import StrokeDeltas
from seqrec.ink.reader import InkReader
from seqrec.manifest import Row, write_manifest
from seqrec.recognizer import Recognizer
from seqrec.text.tokens import CharacterTokenizer

WRITERS = ("ann", "bob", "cid")


def word(id: str, text: str, seed: int, num_points: int = 12, **fields: Any) -> Row:
    """Return a zigzag of `num_points`, which has some frames between each two of them."""
    heights = np.random.default_rng(seed).uniform(40, 100, num_points)
    stroke = [[10.0 * i, float(y) * (i % 2), 0.01 * i] for i, y in enumerate(heights)]
    return Row(id, text, {"ink": {"strokes": [stroke[:4], stroke[4:]]}, "num_points": num_points, **fields})


def words(count: int, prefix: str = "w") -> list[Row]:
    return [
        word(f"{prefix}{i}", "ab"[: 1 + i % 2], i, 8 + i % 9, writer=WRITERS[i % len(WRITERS)]) for i in range(count)
    ]


class InkData(SequenceDataModule):
    """A data module of one of several ranks, at an epoch of the test's choice."""

    rank, ranks, epoch = 0, 1, 0

    @property
    def _rank(self) -> int:
        return self.rank

    @property
    def _num_ranks(self) -> int:
        return self.ranks

    def batches(self) -> list[Any]:
        return list(self.train_dataloader())


class Clock:
    """What the data module asks a trainer for."""

    def __init__(self, epoch: int) -> None:
        self.current_epoch = epoch
        self.num_devices = 1
        self.accelerator = None


def data_of(
    folder: Path,
    train: list[Row],
    augmentation: dict[str, Any],
    epoch: int = 0,
    rank: int = 0,
    ranks: int = 1,
    seed: int = 0,
    symbols: str = " ab",
    **options: Any,
) -> InkData:
    """Write the corpus, and return its data module, set up, at `epoch`."""
    folder.mkdir(exist_ok=True)
    write_manifest(folder / "manifest-train.jsonl", train)
    write_manifest(folder / "manifest-dev.jsonl", words(7, "d"))
    recognizer = Recognizer(StrokeDeltas(), LSTMEncoder(5, hidden_size=4, num_layers=1), num_tokens=len(symbols) + 1)
    parts = Parts({}, InkReader(), recognizer, CharacterTokenizer(symbols))
    data = InkData(folder, parts, "error", seed=seed, augmentation=AugmentationChain(augmentation), **options)
    data.rank, data.ranks = rank, ranks
    data.setup()
    data.trainer = Clock(epoch)  # type: ignore[assignment]
    return data


def signals_of(batches: list[Any]) -> dict[str, np.ndarray]:
    return {
        id: signal[:length].numpy()
        for batch in batches
        for id, signal, length in zip(batch.ids, batch.signals, batch.signal_lengths, strict=True)
    }
