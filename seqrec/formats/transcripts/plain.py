"""Plain text: a line a transcript, its name and its text with a tab between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqrec.formats.transcripts.transcribed import Transcribed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seqrec.formats.transcripts.transcribed import Item


def write_plain(items: Iterable[Item]) -> Iterator[str]:
    """Yield a line for each transcript; a name's tabs and line breaks become `_`, since they end a field."""
    for item in (Transcribed(*item) for item in items):
        name = "_".join(item.name.replace("\t", "_").splitlines())
        yield f"{name}\t{item.transcript.text}\n"
