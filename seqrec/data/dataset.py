"""A split of a corpus as examples, read when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from torch.utils.data import Dataset

from seqrec.corpora.shards.index import SHARDS, read_split_shards
from seqrec.data.shards import ShardReader
from seqrec.data.signal_store import SignalStore, Track, keep_signals, open_store
from seqrec.errors import UserError
from seqrec.manifest import Manifest, Row
from seqrec.parts import Reader, Tokenizer
from seqrec.sequence import Example


class ManifestDataset(Dataset[Example]):
    """Reads the rows of a manifest with a reader, and their texts with a tokenizer.

    Args:
        path: of the manifest; where `shards.json` lies beside it, its sources lie in shards.
        reader: reads signals.
        tokenizer: makes targets of texts.
        cache_shards: shards of a distant address kept on this machine, at most.
    """

    def __init__(self, path: Path, reader: Reader, tokenizer: Tokenizer, cache_shards: int = 8) -> None:
        self.manifest = Manifest(path)
        self.folder = path.parent
        split = read_split_shards(path)
        if split and split.num_examples.sum() != len(self.manifest):
            raise UserError(
                f"{path} has {len(self.manifest)} rows, {path.with_name(SHARDS)} promises {split.num_examples.sum()}; "
                "write the shards again"
            )
        self.shards = None if split is None else ShardReader(reader, split, self.folder, cache_shards)
        self.reader = cast(Reader, self.shards or reader)  # what it does not do itself, it leaves to `reader`
        self.tokenizer = tokenizer
        self._store: SignalStore | None = None
        self._is_open = False  # whether a store has been looked for

    def __len__(self) -> int:
        return len(self.manifest)

    def __getitem__(self, index: int) -> Example:
        store = self._open_store()
        if store and index in store:
            row, signal = store.row(index), store.signal(index)
        else:
            row, signal = self._read_source(index)
        return Example(
            id=row.id,
            signal=signal,
            text=self.tokenizer.normalise(row.text),
            targets=torch.tensor(self.encode(row), dtype=torch.int64),
        )

    def keep_signals(self, track: Track = iter) -> None:
        """Keep the signals beside the manifest, where that spares parsing rows; what is read stays the same."""
        if not self.shards:
            self._store, self._is_open = keep_signals(self.manifest, self.reader, track), True

    def read_batch(self, indices: Sequence[int]) -> tuple[list[Row], list[Tensor]]:
        """Return some rows and their signals (N, C), as they lie in their sources; targets are not looked at.

        A row whose signal is kept beside the manifest comes without its source.
        """
        store = self._open_store()
        if store and all(index in store for index in indices):
            return [store.row(index) for index in indices], [store.signal(index) for index in indices]
        rows = [self.manifest[index] for index in indices]
        return rows, [self.reader.read(row, self.folder) for row in rows]

    def encode(self, row: Row) -> list[int]:
        """Return the target of `row`."""
        return self.tokenizer.encode(row.text, row.id)

    def _open_store(self) -> SignalStore | None:
        """Return the kept signals, if there are any."""
        if not self._is_open:
            self._store = None if self.shards else open_store(self.manifest.path, self.reader)
            self._is_open = True
        return self._store

    def _read_source(self, index: int) -> tuple[Row, Tensor]:
        row = self.manifest[index]
        signal = self.reader.read(row, self.folder)
        if len(signal) != self.reader.signal_length(row):
            raise UserError(
                f"example `{row.id}`: its source holds {len(signal)} samples or points, its row promises "
                f"{self.reader.signal_length(row)}; it has changed since, so prepare the corpus again"
            )
        return row, signal
