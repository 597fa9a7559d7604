"""TextGrid, Praat's annotations: an interval tier of words, one of characters, in the long form.

Source: Boersma and Weenink, Praat manual, "TextGrid file formats"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqrec.formats.transcripts.transcribed import Timed, Transcribed, timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seqrec.formats.transcripts.transcribed import Item

_LEAST_SECONDS = 1e-6  # of an interval: Praat refuses empty ones
_HEADER = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = {end}
tiers? <exists>
size = {size}
item []:
"""
_TIER = """    item [{number}]:
        class = "IntervalTier"
        name = "{name}"
        xmin = 0
        xmax = {end}
        intervals: size = {size}
"""
_INTERVAL = """        intervals [{number}]:
            xmin = {start}
            xmax = {end}
            text = "{text}"
"""


def write_textgrid(items: Iterable[Item]) -> Iterator[str]:
    """Yield a whole file for each transcript.

    Raises:
        UserError: a transcript is of an ink.
    """
    for item in (Transcribed(*item) for item in items):
        best = item.transcript.best
        tiers = {"words": timed(item, best.words), "characters": timed(item, best.characters)}
        last = max((span.end for spans in tiers.values() for span in spans), default=0.0)
        end = max(item.seconds or 0.0, last, _LEAST_SECONDS)
        text = _HEADER.format(end=_number(end), size=len(tiers))
        for number, (name, spans) in enumerate(tiers.items(), 1):
            intervals = _fill(spans, end)
            text += _TIER.format(number=number, name=name, end=_number(end), size=len(intervals))
            text += "".join(
                _INTERVAL.format(
                    number=index,
                    start=_number(interval.start),
                    end=_number(interval.end),
                    text=interval.text.replace('"', '""'),
                )
                for index, interval in enumerate(intervals, 1)
            )
        yield text


def _fill(spans: Sequence[Timed], end: float) -> list[Timed]:
    """Return intervals without gaps from 0 to `end`: the spans, and empty ones about them; those of no time go."""
    filled: list[Timed] = []
    reached = 0.0
    for span in [*spans, Timed("", end, end, 1.0)]:
        if span.start - reached >= _LEAST_SECONDS:
            filled.append(Timed("", reached, span.start, 1.0))
            reached = span.start
        if span.end - reached >= _LEAST_SECONDS:
            filled.append(Timed(span.text, reached, span.end, span.confidence))
            reached = span.end
    return filled


def _number(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
