"""Which words or characters are taken for which, left out and put in, counted over a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, starmap
from typing import cast

from rapidfuzz.distance import Levenshtein

from seqrec.metrics.scored import ScoredExample, Unit


@dataclass(frozen=True)
class Confusion:
    """How often one word or character stands where another should."""

    reference: str  # empty: an insertion
    hypothesis: str  # empty: a deletion
    count: int


def confusions(examples: Iterable[ScoredExample], unit: Unit = "words") -> list[Confusion]:
    """Return substituted pairs, deletions and insertions, the most frequent first; their counts add up to the edits.

    Where several alignments have as few errors, the pairs are those of the one that is counted: it hides no error, but
    may match words that have little to do with each other.
    """
    wrong = (one for one in examples if one.reference != one.hypothesis)
    texts = ((one.reference, one.hypothesis) for one in wrong)
    split = ((r.split(), h.split()) for r, h in texts) if unit == "words" else texts
    counts = Counter(chain.from_iterable(starmap(_errors, split)))
    pairs = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(reference, hypothesis, count) for (reference, hypothesis), count in pairs]


def _errors(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[tuple[str, str]]:
    edits = cast("list[tuple[str, int, int]]", Levenshtein.editops(reference, hypothesis).as_list())
    for kind, i, j in edits:
        yield "" if kind == "insert" else reference[i], "" if kind == "delete" else hypothesis[j]
