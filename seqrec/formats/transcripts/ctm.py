"""CTM, the time-marked words of NIST's scoring tools: a word a line.

Source: NIST sctk, doc/infmts.htm: `file channel start duration word confidence`, times in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqrec.formats.transcripts.transcribed import Transcribed, timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seqrec.formats.transcripts.transcribed import Item

_CHANNEL = "1"


def write_ctm(items: Iterable[Item]) -> Iterator[str]:
    """Yield the lines of transcripts; a name's white space becomes `_`, since it ends a field.

    Raises:
        UserError: a transcript is of an ink.
    """
    for item in (Transcribed(*item) for item in items):
        name = "_".join(item.name.split()) or "_"
        if name.startswith(";;"):  # begins a comment
            name = "_" + name
        for word in timed(item, item.transcript.best.words):
            # Both ends are rounded, not the duration, so that words do not overlap.
            start, end = round(word.start, 3), round(word.end, 3)
            yield f"{name} {_CHANNEL} {start:.3f} {end - start:.3f} {word.text} {word.confidence:.4f}\n"
