"""The recordings or inks that a command line names: files, folders and standard input."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqrec.errors import UserError

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """A file to read, and what it is called."""

    name: str  # as the user knows it
    path: Path
    inside: Path  # where it lies in the folder that was named; of a file, its name

    def describe(self, error: Exception) -> str:
        """Return an error about it in the user's terms."""
        return str(error).replace(str(self.path), "standard input") if self.name == STDIN else str(error)


def find_sources(names: Sequence[str], extensions: Sequence[str], spool: Path) -> list[Source]:
    """Return what `names` stand for, in their order.

    Args:
        names: files; folders, of which all files with one of the `extensions` are taken, sorted, those of folders in
            them too, and the others counted and said; or `-` for standard input.
        extensions: lower case, with the dot.
        spool: an empty folder, which standard input is copied into.

    Raises:
        UserError: standard input is named twice.
    """
    if names.count(STDIN) > 1:
        raise UserError(f"`{STDIN}` is given twice, but standard input can be read only once")
    return [source for name in names for source in _sources(name, extensions, spool)]


def _sources(name: str, extensions: Sequence[str], spool: Path) -> Iterator[Source]:
    path = Path(name)
    if name == STDIN:
        copy = spool / "stdin"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield Source(name, copy, Path("stdin"))
    elif os.path.isdir(name):  # a Path refuses some names that are no paths at all
        files = sorted(Path(folder, file) for folder, _, files in os.walk(path) for file in files)
        taken = [file for file in files if file.suffix.lower() in extensions]
        _say_left_out(name, files, len(taken), extensions)
        if not taken:
            yield Source(name, path, Path(path.name))  # whoever reads it says that it is a folder
        yield from (Source(_printable(file), file, file.relative_to(path)) for file in taken)
    else:
        yield Source(_printable(name), path, Path(path.name))


def _printable(path: str | Path) -> str:
    """Return a name with `?` for bytes that are no text in the file system's encoding."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _say_left_out(name: str, files: Sequence[Path], num_taken: int, extensions: Sequence[str]) -> None:
    kinds = Counter(file.suffix.lower() or "no extension" for file in files if file.suffix.lower() not in extensions)
    if kinds:
        from seqrec.progress import console  # takes a tenth of a second to import, and is seldom needed

        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        console.print(
            f"{name}: {num_taken} files to read, {sum(kinds.values())} left out ({listed}); "
            f"this run reads {', '.join(extensions)}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
