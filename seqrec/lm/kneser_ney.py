"""Estimating n-gram language models: interpolated modified Kneser-Ney smoothing, as KenLM's `lmplz` does it.

A library was looked for first (November 2026). No wheel ships lmplz. kaldingram 0.1.2 estimates unmodified, backed-off
Kneser-Ney as SRILM does, without `<unk>`, in dictionaries of Python: a 5-gram of 240,000 words took it 8.5 s of
processor time and 556 MB, this module with its writer 1.7 s and 111 MB. NLTK's KneserNeyInterpolated has one fixed
discount, and neither ARPA files nor backoffs. So it is done here, in NumPy. It agrees with lmplz to the digits that are
printed, pruning included, but for the discounts of some small texts: lmplz counts the last n-gram of each order by how
often it occurs, not by its adjusted count.

Sources: Chen and Goodman (1998), An empirical study of smoothing techniques for language modeling; Heafield et al.
(2013), Scalable modified Kneser-Ney language model estimation
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seqrec.errors import UserError

UNKNOWN, START, END = 0, 1, 2  # numbers of the first words of every vocabulary
SPECIAL_WORDS = ("<unk>", "<s>", "</s>")
MAX_ORDER = 10
NEVER = -99.0  # the log10 of nothing, as ARPA files write it
_FALLBACK = (0.5, 1.0, 1.5)  # lmplz's
_log = logging.getLogger(__name__)
Track = Callable[[Iterable[int]], Iterable[int]]  # shows progress over the orders


@dataclass(frozen=True)
class Discounts:
    """What is taken from the counts 1, 2 and 3 or more of an order."""

    amounts: tuple[float, float, float]
    estimated: bool  # from the text; else it was too little, and they are lmplz's fallback


@dataclass(frozen=True)
class NGrams:
    """All n-grams of one order, sorted by context, then word; logarithms to the base 10."""

    contexts: np.ndarray  # (n,) int: of an n-gram without its last word, its place in the order below; 0 for unigrams
    words: np.ndarray  # (n,) int: number of its last word
    log_probs: np.ndarray  # (n,) float64: of the last word after the others
    log_backoffs: np.ndarray  # (n,) float64: weight of the order below, after this n-gram; 0 where nothing follows it


@dataclass(frozen=True)
class NGramModel:
    """A backed-off n-gram model, as an ARPA file holds it."""

    words: tuple[str, ...]  # of the vocabulary, `<unk>`, `<s>` and `</s>` first
    orders: tuple[NGrams, ...]  # unigrams first
    discounts: tuple[Discounts, ...]  # of each order


def estimate(
    sentences: Iterable[Sequence[str]], order: int, prune: Sequence[int] = (), track: Track = iter
) -> NGramModel:
    """Estimate a model of the n-grams of up to `order` words from `sentences` of words.

    Probabilities of each order are discounted and interpolated with the order below, unigrams with the uniform
    distribution over the vocabulary, `<unk>` and `</s>` included. `<unk>` among the words is counted like any of them.
    Where no sentence is long enough for an n-gram of `order` words, or all are pruned, the model is of a lower order.

    Time grows with the sorting of the text's words, once an order; memory is about 50 bytes a word and 90 an n-gram.

    Args:
        sentences: words without `<s>` and `</s>`.
        order: words of the longest n-grams, 1 to 10.
        prune: for each order from unigrams on, n-grams with so many occurrences or fewer are left out; the last value
            is that of all higher orders. Unigrams stay: the first value is 0. They never decrease. Empty: all n-grams.
        track: shows progress.

    Raises:
        UserError: there is no sentence, one holds `<s>` or `</s>`, or `order` or `prune` are none.
    """
    if not 1 <= order <= MAX_ORDER:
        raise UserError(f"order={order} is not between 1 and {MAX_ORDER}; 5 is usual for characters, 3 for words")
    thresholds = _thresholds(prune, order)
    words, tokens = _number(sentences)
    counts = _count(tokens, len(words), order, track)
    adjusted = [*(_adjust(these, above) for these, above in pairwise(counts)), _without_start(counts[-1])]
    discounts = [_discounts(adjusted_counts, n) for n, adjusted_counts in enumerate(adjusted, start=1)]
    kept = [these.raw > threshold for these, threshold in zip(counts, thresholds, strict=False)]
    kept[0][:] = True
    orders = _interpolate(counts, adjusted, discounts, kept)
    return NGramModel(words, orders, tuple(discounts[: len(orders)]))


@dataclass(frozen=True)
class _Counts:
    """The n-grams of one order that occur, sorted by context, then word; of unigrams the whole vocabulary."""

    contexts: np.ndarray  # as of NGrams
    words: np.ndarray
    suffixes: np.ndarray  # (n,) int: of an n-gram without its first word, its place in the order below
    raw: np.ndarray  # (n,) int64: how often it occurs
    starts: np.ndarray  # (n,) bool: whether its first word is `<s>`


def _thresholds(prune: Sequence[int], order: int) -> list[int]:
    values = [*prune] or [0]
    if values[0] != 0 or values != sorted(values) or len(values) > order:
        raise UserError(
            f"prune={','.join(map(str, values))} is not at most {order} counts, the first 0 and none below the one "
            "before, such as 0,0,1"
        )
    return values + [values[-1]] * (order - len(values))


def _number(sentences: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the vocabulary, and the numbers (n,) int32 of all words, each sentence with `<s>` and `</s>` around it."""
    numbers = {word: number for number, word in enumerate(SPECIAL_WORDS)}
    tokens = array("i")
    num_sentences = 0
    for sentence in sentences:
        num_sentences += 1
        tokens.append(START)
        tokens.extend([numbers.setdefault(word, len(numbers)) for word in sentence])
        tokens.append(END)
    if not num_sentences:
        raise UserError("there is no text to estimate a language model from; give a text of one sentence at least")
    found = np.frombuffer(tokens, np.int32)
    if np.count_nonzero((found == START) | (found == END)) != 2 * num_sentences:
        raise UserError("a sentence holds the word <s> or </s>, which mark where sentences begin and end; leave it out")
    return tuple(numbers), found


def _count(tokens: np.ndarray, num_words: int, order: int, track: Track) -> list[_Counts]:
    """Count the n-grams of each order that occur within sentences.

    Each n-gram has a number within its order, and one more word makes of it a pair of two numbers: one integer, however
    long the n-gram.
    """
    ends = np.flatnonzero(tokens == END)
    left = np.repeat(ends + 1, np.diff(ends, prepend=-1)) - np.arange(len(tokens))  # words to the end of the sentence
    vocabulary = np.arange(num_words)
    raw = np.bincount(tokens, minlength=num_words)
    zeros = np.zeros(num_words, np.int64)
    counts = [_Counts(zeros, vocabulary, zeros, raw, vocabulary == START)]
    numbers = tokens.astype(np.int64)  # of the n-gram that begins at each word
    for n in track(range(2, order + 1)):
        places = np.flatnonzero(left >= n)
        if not len(places):
            break
        pairs = numbers[places] * num_words + tokens[places + n - 1]
        found, first, inverse, raw = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
        contexts, words = np.divmod(found, num_words)
        suffixes = numbers[places[first] + 1]
        counts.append(_Counts(contexts, words, suffixes, raw, counts[-1].starts[contexts]))
        numbers[places] = inverse
    return counts


def _adjust(counts: _Counts, above: _Counts) -> np.ndarray:
    """Return the adjusted counts (n,): behind how many words an n-gram stands; of one with `<s>`, how often."""
    varieties = np.bincount(above.suffixes, minlength=len(counts.words))
    return np.where(counts.starts, _without_start(counts), varieties)


def _without_start(counts: _Counts) -> np.ndarray:
    """Return how often each n-gram occurs; `<s>` alone, which is never predicted, counts nothing."""
    return np.where(counts.words == START, 0, counts.raw)


def _discounts(counts: np.ndarray, order: int) -> Discounts:
    """Estimate the discounts of an order from its adjusted counts, by equation 26 of Chen and Goodman."""
    n = np.bincount(np.minimum(counts, 5), minlength=5).astype(float)  # n[i]: n-grams with the count i
    if n[1:4].all():
        y = n[1] / (n[1] + 2 * n[2])
        amounts = tuple(float(i - (i + 1) * y * n[i + 1] / n[i]) for i in (1, 2, 3))
        if min(amounts) >= 0:
            return Discounts(amounts, estimated=True)  # type: ignore[arg-type]
    _log.warning(
        "the text is too small, or too regular, to estimate discounts of %d-grams (%d, %d, %d and %d of them have the "
        "counts 1 to 4); 0.5, 1 and 1.5 are taken",
        order,
        *n[1:5],
    )
    return Discounts(_FALLBACK, estimated=False)


def _interpolate(
    counts: Sequence[_Counts],
    adjusted: Sequence[np.ndarray],
    discounts: Sequence[Discounts],
    kept: Sequence[np.ndarray],
) -> tuple[NGrams, ...]:
    """Return the model's n-grams, the orders interpolated from the unigrams upwards; those not `kept` are left out."""
    probs = np.full(1, 1 / (len(counts[0].words) - 1))  # of each word but `<s>`
    all_probs, weights = [], []  # weights: of the order below, after each of its n-grams
    for these, a, discount, keep in zip(counts, adjusted, discounts, kept, strict=True):
        amounts = np.array([0.0, *discount.amounts])[np.minimum(a, 3)]
        taken = np.where(keep, amounts, a)
        totals = np.bincount(these.contexts, a, minlength=len(probs))
        freed = np.bincount(these.contexts, taken, minlength=len(probs))
        weight = np.divide(freed, totals, out=np.ones(len(probs)), where=totals > 0)
        probs = (a - taken) / totals[these.contexts] + weight[these.contexts] * probs[these.suffixes]
        all_probs.append(probs)
        weights.append(weight)
    all_probs[0][START] = 0.0
    weights.append(np.ones(len(probs)))
    return _without_pruned(counts, all_probs, weights[1:], kept)


def _without_pruned(
    counts: Sequence[_Counts], probs: Sequence[np.ndarray], weights: Sequence[np.ndarray], kept: Sequence[np.ndarray]
) -> tuple[NGrams, ...]:
    """Return the n-grams that are `kept`, numbered anew; what one begins or ends with occurs as often, and is kept."""
    orders = []
    places = np.zeros(1, np.int64)
    for these, prob, weight, keep in zip(counts, probs, weights, kept, strict=True):
        if keep.any():
            orders.append(
                NGrams(places[these.contexts[keep]], these.words[keep], _log10(prob[keep]), _log10(weight[keep]))
            )
        places = np.cumsum(keep) - 1
    return tuple(orders)


def _log10(values: np.ndarray) -> np.ndarray:
    return np.minimum(np.log10(values, out=np.full(len(values), NEVER), where=values > 0), 0.0)
