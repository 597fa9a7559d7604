"""The formats that transcripts are written in, by the names that the command line has for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqrec.errors import UserError, did_you_mean
from seqrec.formats.transcripts.ctm import write_ctm
from seqrec.formats.transcripts.json_lines import write_json_lines
from seqrec.formats.transcripts.plain import write_plain
from seqrec.formats.transcripts.subtitles import stream_srt, stream_vtt, write_srt, write_vtt
from seqrec.formats.transcripts.textgrid import write_textgrid

if TYPE_CHECKING:
    from seqrec.formats.transcripts.transcribed import Item, Timed


@dataclass(frozen=True)
class TranscriptFormat:
    """One way to write transcripts."""

    write: Callable[[Iterable[Item]], Iterator[str]]  # one piece of text after the other, as items come
    suffix: str  # of files
    is_file_each: bool = False  # a transcript is a file of its own; else they follow one another in one
    needs_seconds: bool = False  # so that ink cannot be written
    stream: Callable[[Iterable[Timed]], Iterator[str]] | None = None  # a file from the words of one recording, as read


FORMATS = {
    "txt": TranscriptFormat(write_plain, ".txt"),
    "json": TranscriptFormat(write_json_lines, ".jsonl"),
    "ctm": TranscriptFormat(write_ctm, ".ctm", needs_seconds=True),
    "textgrid": TranscriptFormat(write_textgrid, ".TextGrid", is_file_each=True, needs_seconds=True),
    "srt": TranscriptFormat(write_srt, ".srt", is_file_each=True, needs_seconds=True, stream=stream_srt),
    "vtt": TranscriptFormat(write_vtt, ".vtt", is_file_each=True, needs_seconds=True, stream=stream_vtt),
}

WRITERS = {name: format.write for name, format in FORMATS.items()}


def transcript_format(name: str, sample_rate: float | None) -> TranscriptFormat:
    """Return the format called `name`, for transcripts of recordings at a rate, or of inks (None).

    Raises:
        UserError: there is no such format, or it holds times and the run reads ink, which is measured in points.
    """
    if name not in FORMATS:
        raise UserError(f"format {name} is none{did_you_mean(name, FORMATS)}")
    if FORMATS[name].needs_seconds and sample_rate is None:
        raise UserError(f"format {name} holds times in seconds, and this run reads ink, measured in points; take json")
    return FORMATS[name]
