"""Error rates of parts of a corpus: by speaker, writer or any key, and by length; the share of unseen words."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.scored import ScoredExample, Unit, rates_of

LENGTH_EDGES = (1, 2, 6, 11, 21, 41)  # where a bin of longer references begins


@dataclass(frozen=True)
class Part:
    """Some examples of a corpus, and their rates together."""

    name: str | None  # a key's value, or a range of lengths such as 2-5; None: those without the key
    rates: ErrorRates


@dataclass(frozen=True)
class UnseenWords:
    """The words of references that training never saw."""

    words: int  # running words of all references
    unseen: Counter[str]  # those not seen, with their counts; the most frequent first

    @property
    def share(self) -> float:
        """Unseen words in all running words, a fraction."""
        return self.unseen.total() / self.words if self.words else 0.0


def by_key(examples: Iterable[ScoredExample], key: str) -> list[Part]:
    """Return the rates of each value of `key`, such as `speaker`, sorted by value; examples without it come last."""
    parts: defaultdict[str | None, list[ScoredExample]] = defaultdict(list)
    for example in examples:
        parts[example.keys.get(key)].append(example)
    names = sorted(name for name in parts if name is not None)
    return [Part(name, rates_of(parts[name])) for name in [*names, *([None] if None in parts else [])]]


def by_length(
    examples: Iterable[ScoredExample], unit: Unit = "words", edges: Sequence[int] = LENGTH_EDGES
) -> list[Part]:
    """Return the rates by the length of the reference; bins that no example falls into are left out.

    Args:
        examples: what was scored.
        unit: what lengths are counted in.
        edges: the lengths at which a new bin begins, rising; the first bin begins at 0.

    Raises:
        ValueError: the edges do not rise.
    """
    if any(low >= high for low, high in pairwise([0, *edges])):
        raise ValueError(f"edges={list(edges)} do not rise from 1 on")
    bins: defaultdict[int, list[ScoredExample]] = defaultdict(list)
    for example in examples:
        bins[bisect_right(edges, getattr(example, unit).reference_length)].append(example)
    return [Part(_range(index, edges), rates_of(bins[index])) for index in sorted(bins)]


def _range(index: int, edges: Sequence[int]) -> str:
    """Write the bounds of a bin, both of them inside."""
    first = edges[index - 1] if index else 0
    if index == len(edges):
        return f"{first}+"
    last = edges[index] - 1
    return str(first) if first == last else f"{first}-{last}"


def unseen_words(references: Iterable[str], training_words: Collection[str]) -> UnseenWords:
    """Count the words of `references` that are not among `training_words`; both normalised alike."""
    known = frozenset(training_words)
    counts = Counter(word for reference in references for word in reference.split())
    unseen = {word: counts[word] for word in sorted(counts.keys() - known, key=lambda word: (-counts[word], word))}
    return UnseenWords(sum(counts.values()), Counter(unseen))
