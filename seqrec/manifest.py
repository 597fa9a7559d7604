"""Manifests: one JSON object a line, opened through a memory map, so that a million rows cost no memory.

Keys of a row: `id` and `text`, always; the source, under the key its reader asks for (`audio`: a path relative to the
manifest; `ink`: a path, or the strokes inline); what makes lengths known without opening the source (`num_samples` and
`sample_rate`, or `num_points`); `speaker` or `writer`; and any key of the user's own.
"""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True)
class Row:
    """One example of a corpus, as a line of a manifest holds it."""

    id: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)  # every other key of the line

    @property
    def person(self) -> str | None:
        """Who spoke or wrote it, when known."""
        return self.fields.get("speaker") or self.fields.get("writer")

    def to_json(self) -> str:
        """Return the row as one line of a manifest, without its end."""
        return json.dumps({"id": self.id, "text": self.text, **self.fields}, ensure_ascii=False)


class Manifest:
    """Random access to the rows of a JSONL file.

    Raises:
        UserError: the file is missing or empty, or a line is no row (named by its number, when it is read).
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UserError(f"manifest {path} does not exist; write it with `seqrec prepare RECIPE`")
        self.path = path
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
        self._ends = _line_ends(self._map)
        if not len(self):
            raise UserError(f"manifest {path} is empty; write it again with `seqrec prepare RECIPE`")

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(index)
        start = int(self._ends[index - 1]) if index else 0
        return self._parse(self._map[start : int(self._ends[index])], index + 1)

    def __iter__(self) -> Iterator[Row]:
        return (self[index] for index in range(len(self)))

    def __reduce__(self) -> tuple[type[Manifest], tuple[Path]]:
        return Manifest, (self.path,)  # a memory map does not pickle: a worker process opens its own

    def _parse(self, line: bytes, number: int) -> Row:
        where = f"{self.path}:{number}"
        try:
            keys = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: not a JSON object ({error}); mend or drop the line") from None
        if not isinstance(keys, dict):
            raise UserError(f"{where}: a {type(keys).__name__} where a JSON object is expected; mend or drop the line")
        for name in ("id", "text"):
            if not isinstance(keys.get(name), str):
                raise UserError(f"{where}: `{name}` is {keys.get(name)!r}, not a string; mend or drop the line")
            if any("\ud800" <= character <= "\udfff" for character in keys[name]):
                raise UserError(
                    f"{where}: `{name}` holds half a UTF-16 pair, which is no character; mend or drop the line"
                )
        return Row(keys.pop("id"), keys.pop("text"), keys)


def _line_ends(data: mmap.mmap | bytes) -> np.ndarray:
    """Return the offset behind each line, also where no newline ends the last; trailing blank lines do not count."""
    size = len(data)
    while size and data[size - 1] in b"\r\n \t":
        size -= 1
    parts = []
    for start in range(0, size, _CHUNK_BYTES):
        chunk = np.frombuffer(data[start : min(start + _CHUNK_BYTES, size)], dtype=np.uint8)
        parts.append(np.flatnonzero(chunk == ord("\n")).astype(np.int64) + start + 1)
    return np.append(np.concatenate(parts), size) if parts else np.empty(0, np.int64)


def write_manifest(path: Path, rows: Iterable[Row]) -> None:
    """Write `rows` to the JSONL file `path`."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(row.to_json() + "\n")
