"""Evaluations of texts, some of them hostile, without a recogniser; for the tests of reports."""

from __future__ import annotations

import numpy as np

from seqrec.evaluation import Evaluation, Guess, Hypothesis, Speed
from seqrec.metrics.rates import ErrorRates
from seqrec.report.confidences import Confidences
from seqrec.transcript import Reading, Span

HOSTILE = "<script>alert(1)</script> & \"'$x$ \x1b[31m"
PAIRS = [
    ("one two three", "one too three", "ann"),
    ("four", "four", "ann"),
    ("five <b>six</b>", "five six", "<i>bob</i>"),
    (HOSTILE, "<img src=x>", None),
    ("seven | eight", "", "ann"),
]


def reading(text: str, confidence: float = 0.75) -> Reading:
    """A reading whose characters take ten samples each, spaces too."""
    characters = [Span(c, 10 * i, 10 * i + 10, confidence) for i, c in enumerate(text) if c != " "]
    starts = np.cumsum([0, *(len(word) + 1 for word in text.split(" "))])
    words = [
        Span(word, 10 * int(start), 10 * int(start) + 10 * len(word), confidence)
        for word, start in zip(text.split(" "), starts, strict=False)
        if word
    ]
    return Reading(text, -1.0, tuple(words), tuple(characters))


def make_evaluation(
    pairs: list[tuple[str, str, str | None]], guesses: dict[int, list[str]] | None = None
) -> Evaluation:
    hypotheses, confidences = [], Confidences()
    for number, (reference, text, person) in enumerate(pairs):
        found = reading(text)
        n_best = tuple(Guess(guess, -1.0 - place) for place, guess in enumerate((guesses or {}).get(number, [])))
        keys = {} if person is None else {"speaker": person}
        spans = np.array([(word.start, word.end, word.confidence) for word in found.words]) if found.words else None
        hypotheses.append(Hypothesis(f"id {number}", reference, text, -1.23456, n_best, keys, spans))
        confidences.add(reference, found)
    rates = ErrorRates.of([one.reference for one in hypotheses], [one.hypothesis for one in hypotheses])
    return Evaluation(rates, hypotheses, 1.5, Speed(1.0, 0.5, 20.0), confidences)
