"""The index beside a manifest: where rows end, and the numbers that batching needs, memory-mapped.

`manifest-train.index` belongs to `manifest-train.jsonl`. It holds a header of one JSON line, padded to 4,096 bytes,
and then column after column, so that what nobody asks for is never read. An index that does not fit its manifest, byte
for byte, counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.ctc.feasibility import required_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from seqrec.manifest import Row
    from seqrec.parts import Tokenizer

NUMBERS = ("num_samples", "sample_rate", "num_points")  # -1: the row has no such count
_COLUMNS: dict[str, np.dtype[Any]] = {
    "end": np.dtype(np.int64),  # offset behind the row's line
    "num_samples": np.dtype(np.int64),
    "sample_rate": np.dtype(np.int32),
    "num_points": np.dtype(np.int32),
    "required_frames": np.dtype(np.int32),  # of the target without its strangers
    "strangers": np.dtype(np.uint8),  # symbols outside the alphabet, 255 for more
}
_ROW_BYTES = sum(dtype.itemsize for dtype in _COLUMNS.values())
_HEADER_BYTES = 4096
_BLOCK_BYTES = 1 << 24
_FORMAT = 1


@dataclass(frozen=True)
class TargetNumbers:
    """What is known of the targets of a manifest; one entry a row."""

    required_frames: np.ndarray  # (rows,) fewest frames that carry the target without its strangers
    strangers: np.ndarray  # (rows,) how many symbols the alphabet lacks, 255 for more


@dataclass(frozen=True)
class ManifestIndex:
    """An index that fits its manifest."""

    path: Path
    num_rows: int
    tokenizer_key: str
    fingerprint: Mapping[str, int]  # of the manifest's content

    def ends(self) -> np.ndarray:
        """Return (rows,) the offset behind each row's line, memory-mapped."""
        return np.memmap(self.path, _COLUMNS["end"], "r", self._offset("end"), (self.num_rows,))

    def read(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """Return some rows of a column; read, since the pages of a map would count as memory of this process."""
        start, stop, _ = rows.indices(self.num_rows)
        dtype = _COLUMNS[name]
        return np.fromfile(self.path, dtype, max(0, stop - start), offset=self._offset(name) + start * dtype.itemsize)

    def targets(self, tokenizer: Tokenizer) -> TargetNumbers | None:
        """Return the numbers of targets, if they were made by a tokenizer of the same settings and symbols."""
        if self.tokenizer_key != _key(tokenizer):
            return None
        return TargetNumbers(self.read("required_frames"), self.read("strangers"))

    def _offset(self, name: str) -> int:
        before = list(_COLUMNS)[: list(_COLUMNS).index(name)]
        return _HEADER_BYTES + self.num_rows * sum(_COLUMNS[other].itemsize for other in before)


def index_path(manifest: Path) -> Path:
    """Return where the index of a manifest lies."""
    return manifest.with_suffix(".index")


def write_index(manifest: Path, ends: np.ndarray, rows: Iterable[Row], tokenizer: Tokenizer) -> None:
    """Write the index of `manifest`, whose `rows` end at the offsets `ends`.

    Args:
        manifest: the JSONL file.
        ends: (rows,) the offset behind each row's line.
        rows: the same rows, in order.
        tokenizer: makes the targets; it drops strangers, which are counted apart.
    """
    assert tokenizer.unknown == "drop", "strangers are counted, not refused"
    columns = {name: np.empty(len(ends), dtype) for name, dtype in _COLUMNS.items()}
    columns["end"][:] = ends
    for number, row in enumerate(rows):
        for name in NUMBERS:
            columns[name][number] = number_of(row.fields, name)
        columns["required_frames"][number] = required_frames(tokenizer.encode(row.text, row.id))
        columns["strangers"][number] = min(255, len(tokenizer.strangers(row.text)))
    about = {"format": _FORMAT, "rows": len(ends), "tokenizer": _key(tokenizer), **_fingerprint(manifest)}
    with index_path(manifest).open("wb") as file:
        file.write(json.dumps(about).encode().ljust(_HEADER_BYTES - 1) + b"\n")
        for column in columns.values():
            column.tofile(file)


def open_index(manifest: Path) -> ManifestIndex | None:
    """Return the index of `manifest`; None where there is none, or one of another content."""
    path = index_path(manifest)
    try:
        with path.open("rb") as file:
            about = json.loads(file.read(_HEADER_BYTES))
        if not isinstance(about, dict) or about.get("format") != _FORMAT or type(about["rows"]) is not int:
            return None
        if path.stat().st_size != _HEADER_BYTES + about["rows"] * _ROW_BYTES or about["rows"] < 1:
            return None
        fingerprint = _fingerprint(manifest)
        if any(about.get(key) != value for key, value in fingerprint.items()):
            return None
        return ManifestIndex(path, about["rows"], str(about.get("tokenizer")), fingerprint)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def number_of(fields: Mapping[str, Any], name: str) -> int:
    """Return a count of a row's, -1 where it has none that a column can hold."""
    value = fields.get(name)
    most = np.iinfo(_COLUMNS[name]).max
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else -1


def _key(tokenizer: Tokenizer) -> str:
    """Return what stands for a tokenizer's settings.

    `unknown` decides what becomes of a stranger, not who is one. An option that is off counts as absent, so that an
    index from before there was such an option still fits.
    """
    options = {name: value for name, value in vars(tokenizer).items() if name[0] != "_" and name != "unknown"}
    settings = {name: value for name, value in options.items() if value}
    text = json.dumps([type(tokenizer).__qualname__, settings], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(manifest: Path) -> dict[str, int]:
    crc, size = 0, 0
    with manifest.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            crc, size = zlib.crc32(block, crc), size + len(block)
    return {"bytes": size, "crc32": crc}
