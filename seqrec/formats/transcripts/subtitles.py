"""Subtitles: SubRip (.srt) and WebVTT (.vtt), cut where the speaker pauses.

Sources: W3C, WebVTT: The Web Video Text Tracks Format; the lengths of lines and cues are those of the BBC's and
Netflix's guidelines.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from seqrec.formats.transcripts.transcribed import Timed, Transcribed, timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seqrec.formats.transcripts.transcribed import Item

_LINE = 42  # characters
_LINES = 2  # of a cue
_SECONDS = 7.0  # of a cue
_PAUSE = 1.0  # seconds between words that begin another cue anyway


def write_srt(items: Iterable[Item]) -> Iterator[str]:
    """Yield a whole file for each transcript.

    Raises:
        UserError: a transcript is of an ink.
    """
    for item in (Transcribed(*item) for item in items):
        yield "".join(stream_srt(timed(item, item.transcript.best.words)))


def write_vtt(items: Iterable[Item]) -> Iterator[str]:
    """Yield a whole file for each transcript.

    Raises:
        UserError: a transcript is of an ink.
    """
    for item in (Transcribed(*item) for item in items):
        yield "".join(stream_vtt(timed(item, item.transcript.best.words)))


def stream_srt(words: Iterable[Timed]) -> Iterator[str]:
    """Yield the cues of a file, each as soon as its words are there."""
    for number, cue in enumerate(_cues(words), 1):
        yield f"{number}\n{_times(cue, ',')}\n{cue.text}\n\n"


def stream_vtt(words: Iterable[Timed]) -> Iterator[str]:
    """Yield the header and the cues of a file, each as soon as its words are there."""
    yield "WEBVTT\n\n"
    for cue in _cues(words):
        yield f"{_times(cue, '.')}\n{_escape(cue.text)}\n\n"


def _cues(words: Iterable[Timed]) -> Iterator[Timed]:
    """Yield words in cues of at most two lines and seven seconds; a longer word has its own."""
    rest: list[Timed] = []
    for word in words:
        rest.append(word)
        while (count := _fitting(rest)) < len(rest):  # what comes behind would not change it
            yield _cue(rest[:count])
            rest = rest[count:]
    if rest:
        yield _cue(rest)


def _cue(words: Sequence[Timed]) -> Timed:
    text = "\n".join(_lines([word.text for word in words]))
    return Timed(text, words[0].start, words[-1].end, 1.0)


def _fitting(words: Sequence[Timed]) -> int:
    """Return how many words the next cue gets: up to a long pause, else to the longest pause in its second half."""
    most = 1
    for before, word in pairwise(words):
        fits = len(_lines([one.text for one in words[: most + 1]])) <= _LINES and word.end - words[0].start <= _SECONDS
        if not fits or word.start - before.end >= _PAUSE:
            break
        most += 1
    else:
        return most
    if words[most].start - words[most - 1].end >= _PAUSE:
        return most
    return max(range((most + 1) // 2, most + 1), key=lambda count: (words[count].start - words[count - 1].end, count))


def _lines(words: Sequence[str]) -> list[str]:
    """Break a text between words into lines of at most 42 characters; a longer word has its own."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= _LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _times(cue: Timed, point: str) -> str:
    start = round(1000 * cue.start)
    end = max(round(1000 * cue.end), start + 1)  # milliseconds; a cue must last
    return f"{_clock(start, point)} --> {_clock(end, point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"
