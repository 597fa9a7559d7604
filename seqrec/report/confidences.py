"""Confidences of recognised words and characters beside whether they were right, gathered batch by batch."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from seqrec.metrics.text_alignment import align_texts
from seqrec.transcript import Reading, Span


@dataclass
class Judged:
    """Confidences, and whether each was right; five bytes a piece of text."""

    confidences: array[float] = field(default_factory=lambda: array("f"))
    right: bytearray = field(default_factory=bytearray)

    def add(self, spans: Sequence[Span], right: Sequence[bool]) -> None:
        """Add the pieces of a text, and whether each is right."""
        for span, is_right in zip(spans, right, strict=True):
            self.confidences.append(span.confidence)
            self.right.append(is_right)

    @property
    def values(self) -> np.ndarray:
        """The confidences (pieces,) as float64."""
        return np.asarray(self.confidences, np.float64)

    @property
    def correct(self) -> np.ndarray:
        """Whether each is right (pieces,), boolean."""
        return np.frombuffer(bytes(self.right), np.uint8).astype(bool)


@dataclass
class Confidences:
    """What is known of a corpus's words and characters."""

    words: Judged = field(default_factory=Judged)
    characters: Judged = field(default_factory=Judged)

    def add(self, reference: str, reading: Reading) -> None:
        """Compare a reading that has spans with its reference, aligned with the fewest edits."""
        self.words.add(reading.words, matches(reference.split(), [span.text for span in reading.words]))
        symbols = ["".join(span.text.split()) for span in reading.characters]
        self.characters.add(reading.characters, characters_right(reference, symbols))


def matches(reference: Sequence[str], hypothesis: Sequence[str]) -> list[bool]:
    """Return whether each piece of `hypothesis` stands in `reference`, by an alignment with the fewest edits."""
    found = [False] * len(hypothesis)
    for edit in align_texts(reference, hypothesis):
        if edit.kind == "hit":
            found[edit.hypothesis_start : edit.hypothesis_end] = [True] * (edit.hypothesis_end - edit.hypothesis_start)
    return found


def characters_right(reference: str, symbols: Sequence[str]) -> list[bool]:
    """Return whether each symbol of a hypothesis is right: every code point of it, spaces aside."""
    flags = iter(matches("".join(reference.split()), "".join(symbols)))
    return [all([next(flags) for _ in symbol]) for symbol in symbols]
