"""Examples with their edit counts: what breakdowns, confusions, intervals and reports are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seqrec.metrics.edits import EditCounts, character_edits, total, word_edits
from seqrec.metrics.rates import ErrorRates

Unit = Literal["words", "characters"]


@dataclass(frozen=True)
class ScoredExample:
    """What one example should read, what was recognised, and how far the two differ."""

    id: str
    reference: str
    hypothesis: str
    words: EditCounts
    characters: EditCounts
    keys: Mapping[str, str] = field(default_factory=dict)  # of its manifest row: speaker, writer, any other


def score_pairs(
    ids: Sequence[str],
    references: Sequence[str],
    hypotheses: Sequence[str],
    keys: Sequence[Mapping[str, str]] | None = None,
) -> list[ScoredExample]:
    """Score pairs of normalised texts, each with its id and keys.

    Raises:
        ValueError: the lists are of unequal lengths.
    """
    columns = zip(ids, references, hypotheses, keys if keys is not None else [{}] * len(ids), strict=True)
    return [
        ScoredExample(id, reference, hypothesis, words, characters, more)
        for (id, reference, hypothesis, more), words, characters in zip(
            columns, word_edits(references, hypotheses), character_edits(references, hypotheses), strict=True
        )
    ]


def rates_of(examples: Iterable[ScoredExample]) -> ErrorRates:
    """Sum the edits of `examples` to the rates of all of them together."""
    examples = list(examples)
    return ErrorRates(
        total(example.words for example in examples),
        total(example.characters for example in examples),
        len(examples),
        sum(example.reference != example.hypothesis for example in examples),
    )


def worst_first(examples: Iterable[ScoredExample], unit: Unit = "words") -> list[ScoredExample]:
    """Return the wrong ones of `examples`, those with the most errors first, then those of the highest rate."""
    wrong = [example for example in examples if example.reference != example.hypothesis]
    return sorted(wrong, key=lambda example: (-getattr(example, unit).errors, -getattr(example, unit).rate, example.id))
