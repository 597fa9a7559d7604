"""Manifests: one JSON object a line, opened through a memory map, so that a million rows cost little memory.

Keys of a row: `id` and `text`, always; the source, under the key its reader asks for (`audio`: a path relative to the
manifest; `ink`: a path, or the strokes inline); what makes lengths known without opening the source (`num_samples` and
`sample_rate`, or `num_points`); `speaker` or `writer`; and any key of the user's own. Beside a prepared manifest lies
its index (see `seqrec.manifest_index`), which spares reading every row for its numbers.
"""

from __future__ import annotations

import json
import mmap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.errors import UserError
from seqrec.manifest_index import NUMBERS, number_of, open_index, write_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from seqrec.manifest_index import TargetNumbers
    from seqrec.parts import Tokenizer

_CHUNK_BYTES = 1 << 24
_BLANKS = b"\r\n \t"


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
            raise _missing(path)
        self.path = path
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
        self._index = open_index(path)
        self._ends = self._index.ends() if self._index else _line_ends(path)
        self._numbers: dict[str, np.ndarray] | None = None
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

    def numbers(self, name: str, rows: slice = slice(None)) -> np.ndarray:
        """Return `num_samples`, `sample_rate` or `num_points` of rows (step 1); -1 where one has no such count."""
        if self._index:
            return self._index.read(name, rows)
        if self._numbers is None:
            table = [[number_of(row.fields, name) for name in NUMBERS] for row in self]
            self._numbers = dict(zip(NUMBERS, np.array(table, np.int64).T, strict=True))
        return self._numbers[name][rows]

    def target_numbers(self, tokenizer: Tokenizer) -> TargetNumbers | None:
        """Return what the index knows of the targets that `tokenizer` makes; None where it knows nothing."""
        return self._index.targets(tokenizer) if self._index else None

    def write_index(self, tokenizer: Tokenizer) -> None:
        """Write the index beside the manifest, with the numbers of the targets that `tokenizer` makes."""
        write_index(self.path, self._ends, self, tokenizer)

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


def _missing(path: Path) -> UserError:
    splits = sorted(other.stem.removeprefix("manifest-") for other in path.parent.glob("manifest-*.jsonl"))
    if splits and path.stem.startswith("manifest-"):
        found = ", ".join(splits)
        return UserError(f"manifest {path} does not exist; the corpus there has no such split, it has {found}")
    return UserError(
        f"manifest {path} does not exist; write it with `seqrec prepare RECIPE`, or say where it lies by data_dir="
    )


def _line_ends(path: Path) -> np.ndarray:
    """Return the offset behind each line, also where no newline ends the last; trailing blank lines do not count."""
    parts, start, end = [np.empty(0, np.int64)], 0, 0
    with path.open("rb") as file:  # not through the map, whose pages would count as memory of this process
        while chunk := file.read(_CHUNK_BYTES):
            parts.append(np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")).astype(np.int64) + start + 1)
            kept = len(chunk.rstrip(_BLANKS))
            end = start + kept if kept else end  # behind the last byte that is no blank
            start += len(chunk)
    ends = np.concatenate(parts)
    ends = ends[ends <= end]
    return ends if end == 0 or (len(ends) and ends[-1] == end) else np.append(ends, end)


def write_manifest(path: Path, rows: Iterable[Row]) -> None:
    """Write `rows` to the JSONL file `path`."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(row.to_json() + "\n")
