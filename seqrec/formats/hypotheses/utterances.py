"""What a file of references or hypotheses holds, and its lines, read with care: the file may be anybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqrec.errors import UserError

_MOST_LINE_BYTES = 1 << 20


@dataclass(frozen=True)
class Utterances:
    """The texts of a file, in its order."""

    path: Path
    texts: Sequence[str]
    ids: Sequence[str] | None = None  # None: the file knows none, its lines are counted
    keys: Sequence[Mapping[str, str]] | None = None  # of each text, such as its speaker


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file with their numbers from 1, without line ends; a byte order mark is left out.

    Raises:
        UserError: the file cannot be read, or a line is too long or no text.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_MOST_LINE_BYTES + 1):
                number += 1
                yield number, _decode(line, path, number)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a file of texts") from None


def unique_ids(ids: Sequence[tuple[int, str]], path: Path) -> list[str]:
    """Return the ids of numbered lines.

    Raises:
        UserError: an id occurs twice.
    """
    first: dict[str, int] = {}
    for number, id in ids:
        if id in first:
            raise UserError(f"{path}:{number}: id `{id}` stands in line {first[id]}, too; drop one of them")
        first[id] = number
    return list(first)


def _decode(line: bytes, path: Path, number: int) -> str:
    if len(line) > _MOST_LINE_BYTES:
        raise UserError(
            f"{path}:{number}: the line is longer than {_MOST_LINE_BYTES:,} bytes; put one text into a line"
        )
    if b"\0" in line:
        raise UserError(f"{path}:{number}: a NUL byte; this is no file of UTF-8 texts")
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {line[error.start]:#04x} at column {error.start + 1}"
        raise UserError(f"{path}:{number}: not UTF-8 ({reason}); convert the file") from None
    return text.removesuffix("\n").removesuffix("\r")
