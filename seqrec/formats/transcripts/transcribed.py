"""What the writers of transcripts write: a transcript with the name of its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from seqrec.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from seqrec.transcript import Span, Transcript


class Transcribed(NamedTuple):
    """A transcript and what it is of; the writers also take the first two alone."""

    name: str
    transcript: Transcript
    seconds: float | None = None  # how long the recording is, when known
    signal: np.ndarray | None = None  # (N, 6) of an ink, for the boxes of its characters
    named_by: Literal["path", "id"] = "path"


Item = tuple[str, "Transcript"] | Transcribed


@dataclass(frozen=True)
class Timed:
    """A word or a character, in seconds."""

    text: str
    start: float
    end: float
    confidence: float


def timed(item: Transcribed, spans: Sequence[Span]) -> list[Timed]:
    """Return spans of a recording in seconds.

    Raises:
        UserError: the transcript is of an ink, whose places are points.
    """
    rate = item.transcript.sample_rate
    if rate is None:
        raise UserError(f"{item.name} is an ink, and has points instead of times; write it as json")
    return list(in_seconds(spans, rate))


def in_seconds(spans: Iterable[Span], sample_rate: float) -> Iterator[Timed]:
    """Yield spans of a recording in seconds."""
    for span in spans:
        yield Timed(span.text, span.start / sample_rate, span.end / sample_rate, span.confidence)
