"""What every corpus is: a class that knows its licence and yields the rows of its splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from seqrec.manifest import Row


class Corpus(Protocol):
    """A source of examples. Its constructor's arguments are its settings: the same settings give the same rows."""

    name: str  # the folder's name under `data_dir`
    licence: str  # the publisher's licence, in a few words
    shared_people: str  # why splits share speakers or writers; empty when they share none

    def splits(self, folder: Path, downloads: Path) -> Mapping[str, Iterable[Row]]:
        """Return the rows of `train`, `dev` and `test`, made as they are read.

        Args:
            folder: where media files made for this corpus go; the paths in rows are relative to it.
            downloads: where archives are kept and unpacked, shared by all settings of the corpus.

        Raises:
            UserError: the archive is missing, damaged, or not the expected one.
        """
        ...
