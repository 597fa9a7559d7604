"""What decoding and timing give: candidates of a decoder, and a text with the place of its words and characters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """One of the n-best readings of an example."""

    tokens: tuple[int, ...]  # without blanks
    score: float  # natural logarithm, by which candidates of one decoder are sorted


@dataclass(frozen=True)
class Span:
    """Where a piece of text lies in a signal, and how sure the recogniser is of it."""

    text: str
    start: int  # sample or point of the signal (N, C) that it begins at
    end: int  # the one behind its last; `start < end` unless the signal is too short for its text
    confidence: float  # probability that the piece is right


@dataclass(frozen=True)
class Reading:
    """A text that was recognised or aligned, with its score and, where asked for, the spans of its pieces."""

    text: str
    score: float
    words: tuple[Span, ...] = ()
    characters: tuple[Span, ...] = ()  # of the tokenizer's symbols, white space left out


@dataclass(frozen=True)
class Transcript:
    """What was recognised in one source: its readings, the best first."""

    readings: tuple[Reading, ...]  # at least one
    sample_rate: float | None = None  # samples of the signal a second; None: points of an ink

    @property
    def best(self) -> Reading:
        """The reading with the highest score."""
        return self.readings[0]

    @property
    def text(self) -> str:
        """The text of the best reading."""
        return self.best.text

    def __str__(self) -> str:
        return self.text
