"""The figures of a scored corpus: error rates of words, characters and sentences, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqrec.metrics.intervals import Interval, bootstrap_interval
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.scored import ScoredExample, rates_of

PEOPLE = ("speaker", "writer")  # keys that say who it was


@dataclass(frozen=True)
class Summary:
    """Rates of a corpus, and where those of a corpus drawn anew lie 95 times in 100."""

    rates: ErrorRates
    wer: Interval
    cer: Interval
    sentences: Interval  # of the share of wrong examples
    drawn_by: str  # what was drawn: "example", "speaker" or "writer"

    @property
    def sentence_error_rate(self) -> float:
        """Examples that differ from their reference anywhere, a fraction."""
        return self.rates.wrong_examples / self.rates.examples

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain data, fractions."""
        intervals = {"wer": self.wer, "cer": self.cer, "sentence_error_rate": self.sentences}
        return {
            **self.rates.to_json(),
            "sentence_error_rate": self.sentence_error_rate,
            "intervals": {
                "level": 0.95,
                "drawn_by": self.drawn_by,
                **{name: [finite(one.low), finite(one.high)] for name, one in intervals.items()},
            },
        }


def summarise(examples: Sequence[ScoredExample]) -> Summary:
    """Return the figures of scored examples, resampled by speaker or writer where one is known.

    Raises:
        ValueError: there are no examples.
    """
    drawn_by, people = people_of(examples)
    words = np.array([(one.words.errors, one.words.reference_length) for one in examples]).reshape(-1, 2)
    characters = np.array([(one.characters.errors, one.characters.reference_length) for one in examples]).reshape(-1, 2)
    wrong = np.array([one.reference != one.hypothesis for one in examples], dtype=np.int64)
    return Summary(
        rates_of(examples),
        bootstrap_interval(words[:, 0], words[:, 1], people),
        bootstrap_interval(characters[:, 0], characters[:, 1], people),
        bootstrap_interval(wrong, np.ones_like(wrong), people),
        drawn_by,
    )


def people_of(examples: Sequence[ScoredExample]) -> tuple[str, list[str] | None]:
    """Return by what to resample examples, and the speaker or writer of each; None where it is by example.

    An example whose speaker or writer is not known stands for itself. With a single person, examples are drawn.
    """
    for name in PEOPLE:
        people = [one.keys.get(name) or f"\0{one.id}" for one in examples]
        if any(name in one.keys for one in examples) and len(set(people)) > 1:
            return name, people
    return "example", None


def finite(rate: float) -> float | None:
    """Return a rate as JSON has it: None where it is infinite."""
    return rate if np.isfinite(rate) else None
