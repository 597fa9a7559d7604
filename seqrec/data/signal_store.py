"""The signals of a manifest's rows, parsed once and kept beside it as one flat array, memory-mapped.

`manifest-train.signals` belongs to the indexed manifest `manifest-train.jsonl`: a header of one JSON line, padded to
4,096 bytes; the points of all rows behind one another, (points, C) float32; where each row's points end, and each
row's text, int64; then the rows without their sources. Only sources that lie in the rows themselves are kept, since a
file may change by itself. A store that does not fit its manifest, its reader or its own checksum counts as absent.
"""

from __future__ import annotations

import json
import logging
import mmap
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from seqrec.corpora.archives.locks import one_at_a_time
from seqrec.errors import UserError
from seqrec.manifest import Manifest, Row
from seqrec.manifest_index import open_index
from seqrec.parts import Reader
from seqrec.version import __version__

logger = logging.getLogger(__name__)
Track = Callable[[Iterable[int]], Iterable[int]]  # shows progress over chunks
_HEADER_BYTES = 4096
_BLOCK_BYTES = 1 << 24
_CHUNK = 64  # rows
_FORMAT = 1
_FLOAT = np.dtype(np.float32)


class SignalStore:
    """The kept rows and signals of a manifest; `open_store` gives one that fits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            about = json.loads(file.read(_HEADER_BYTES))
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        num_rows, shape = about["rows"], (about["points"], about["channels"])
        behind_points = _HEADER_BYTES + shape[0] * shape[1] * _FLOAT.itemsize
        self._points = np.frombuffer(self._map, _FLOAT, shape[0] * shape[1], _HEADER_BYTES).reshape(shape)
        self._ends = np.frombuffer(self._map, np.int64, 2 * num_rows, behind_points).reshape(2, num_rows)
        self._texts = behind_points + self._ends.nbytes

    def __contains__(self, index: int) -> bool:
        first, end = self._span(0, index)
        return end > first  # a signal has points

    def row(self, index: int) -> Row:
        """Return a kept row, without its source."""
        first, end = self._span(1, index)
        keys = json.loads(self._map[self._texts + first : self._texts + end])
        return Row(keys.pop("id"), keys.pop("text"), keys)

    def signal(self, index: int) -> Tensor:
        """Return the signal (N, C) of a kept row."""
        first, end = self._span(0, index)
        return torch.from_numpy(self._points[first:end].copy())  # the map itself is for reading only

    def __reduce__(self) -> tuple[type[SignalStore], tuple[Path]]:
        return SignalStore, (self.path,)  # a worker process maps the same pages

    def _span(self, part: int, index: int) -> tuple[int, int]:
        ends = self._ends[part]
        return (int(ends[index - 1]) if index else 0), int(ends[index])


def store_path(manifest: Path) -> Path:
    """Return where the signals of a manifest lie."""
    return manifest.with_suffix(".signals")


def open_store(manifest: Path, reader: Reader) -> SignalStore | None:
    """Return the store of `manifest`; None where there is none, or one that does not fit byte for byte."""
    about = _about(manifest, reader) if reader.caches_signals and store_path(manifest).is_file() else None
    return _open(store_path(manifest), about) if about else None


def keep_signals(manifest: Manifest, reader: Reader, track: Track = iter) -> SignalStore | None:
    """Return the store of a manifest that has an index, written now if need be; None where there can be none.

    Rows that cannot be read are left out of it: whoever asks for them is told.

    Args:
        manifest: whose sources lie in its rows.
        reader: of the modality; one whose `caches_signals` is false has no store.
        track: shows progress over chunks of rows.
    """
    if not reader.caches_signals or not _is_inline(manifest[0], reader):
        return None
    path, about = store_path(manifest.path), _about(manifest.path, reader)
    store = _open(path, about) if about else None
    if store or not about:
        return store
    partial = path.with_name(f".{path.name}.partial")
    try:
        with one_at_a_time(partial.with_suffix(".lock"), is_told=False):  # ranks always meet here
            store = _open(path, about)  # by now
            if not store:
                _write(partial, about, manifest, reader, track)
                partial.replace(path)
        return store or _open(path, about)
    except OSError as error:
        logger.warning(f"{path}: signals cannot be kept ({error.strerror}), so rows are parsed whenever they are read")
        return None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _open(path: Path, about: Mapping[str, Any]) -> SignalStore | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_HEADER_BYTES))
            fits = {key: found.get(key) for key in about} == about and found["crc32"] == _checksum(file, found)
        return SignalStore(path) if fits else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _write(path: Path, about: Mapping[str, Any], manifest: Manifest, reader: Reader, track: Track) -> None:
    ends = np.zeros((2, len(manifest)), np.int64)
    texts: list[bytes] = []
    num_points = num_bytes = 0
    with path.open("w+b") as file:
        file.seek(_HEADER_BYTES)
        for start in track(range(0, len(manifest), _CHUNK)):
            for index in range(start, min(start + _CHUNK, len(manifest))):
                kept = _read(manifest, index, reader)
                if kept:
                    file.write(kept.signal.numpy().tobytes())
                    texts.append(kept.text)
                    num_points, num_bytes = num_points + len(kept.signal), num_bytes + len(kept.text)
                ends[:, index] = num_points, num_bytes
        file.write(ends.tobytes())
        file.writelines(texts)
        file.seek(_HEADER_BYTES)
        header = {**about, "points": num_points, "channels": reader.num_channels}
        header["crc32"] = _checksum(file, header)
        file.seek(0)
        file.write(json.dumps(header).encode().ljust(_HEADER_BYTES - 1) + b"\n")


@dataclass(frozen=True)
class _Kept:
    text: bytes  # a row as JSON, without its source
    signal: Tensor  # (N, C)


def _read(manifest: Manifest, index: int, reader: Reader) -> _Kept | None:
    """Return what is kept of a row; None where its source is a file, or something is wrong with it."""
    try:
        row = manifest[index]
        signal = reader.read(row, manifest.path.parent) if _is_inline(row, reader) else None
        if signal is None or len(signal) != reader.signal_length(row):
            return None
    except UserError:
        return None
    fields = {key: value for key, value in row.fields.items() if key != reader.source_key}
    return _Kept(json.dumps({"id": row.id, "text": row.text, **fields}).encode(), signal)


def _is_inline(row: Row, reader: Reader) -> bool:
    return not isinstance(row.fields.get(reader.source_key), str | None)


def _about(manifest: Path, reader: Reader) -> dict[str, Any] | None:
    """Return what a store of the manifest says of it and of the reader; None where the manifest has no index."""
    index = open_index(manifest)
    settings = {name: value for name, value in vars(reader).items() if name[0] != "_"}
    about = {"format": _FORMAT, "version": __version__, "reader": [type(reader).__qualname__, settings]}
    return {**about, "rows": index.num_rows, "manifest": dict(index.fingerprint)} if index else None


def _checksum(file: BinaryIO, header: Mapping[str, Any]) -> int:
    """Return the checksum of a header and of what is left to read of its file.

    It is read, not taken from a map, whose pages would count as memory of this process.
    """
    checksum = zlib.crc32(json.dumps({key: value for key, value in header.items() if key != "crc32"}).encode())
    while block := file.read(_BLOCK_BYTES):
        checksum = zlib.crc32(block, checksum)
    return checksum
