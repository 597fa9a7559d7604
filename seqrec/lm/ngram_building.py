"""Probing tables built from the n-grams of a model: the missing ends of pruned models are filled in, as KenLM does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from seqrec.lm.ngram_tables import (
    LONGEST_CELLS,
    MIDDLE_CELLS,
    UNIGRAM_CELLS,
    NgramTables,
    Whole,
    extend_key,
    find_entry,
)

BUCKETS_PER_ENTRY = 1.5  # KenLM's default

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_SIGN = np.uint32(1 << 31)


class NgramArrays(NamedTuple):
    """All n-grams of one order."""

    words: np.ndarray  # (N, n) int32, word ids in the order of reading
    log10: np.ndarray  # (N,) float32 probabilities, at most 0; NaN where backing off gives it
    backoffs: np.ndarray  # (N,) float32, 0 where the model has none


class RepeatedNgram(ValueError):
    """An n-gram stands twice in a model; `words` holds its ids."""

    def __init__(self, words: np.ndarray) -> None:
        super().__init__(f"the n-gram of the word ids {words.tolist()} stands twice")
        self.words = words


def build_tables(ngrams: Sequence[NgramArrays]) -> NgramTables:
    """Build the tables of a model from its n-grams of order 1, 2, ...; the unigrams stand in the order of their ids.

    Raises:
        RepeatedNgram: an n-gram stands twice.
    """
    tables = _filled_tables(ngrams)
    blanks = _missing_ends(tables, ngrams)
    if any(len(words) for words in blanks):
        ngrams = [_with_blanks(known, words) for known, words in zip(ngrams, blanks, strict=True)]
        tables = _filled_tables(ngrams)
    for words, _, _ in ngrams[1:]:
        _mark_extended(tables, words)
    tables.keys.flags.writeable = tables.numbers.flags.writeable = False  # one Numba type with a mapped file's
    return tables


def bucket_count(entries: int, multiplier: float) -> int:
    """Return the size of KenLM's hash table for `entries`, reckoned in float32 as it does."""
    return max(entries + 1, int(np.float32(multiplier) * np.float32(entries)))


def table_layout(order: int, num_unigrams: int, buckets: Sequence[int]) -> list[int]:
    """Return the first cell of each order, and the number of all cells; `buckets` are those of orders 2 and up."""
    sizes = [UNIGRAM_CELLS * (num_unigrams + 1), *(MIDDLE_CELLS * count for count in buckets)]
    if order > 1:
        sizes[-1] = LONGEST_CELLS * buckets[-1]
    return [sum(sizes[:n]) for n in range(order + 1)]


def _filled_tables(ngrams: Sequence[NgramArrays]) -> NgramTables:
    order, num_words = len(ngrams), len(ngrams[0].log10)
    buckets = [bucket_count(len(arrays.log10), BUCKETS_PER_ENTRY) for arrays in ngrams[1:]]
    *starts, size = table_layout(order, num_words, buckets)
    keys = np.zeros(size, np.uint32)
    tables = NgramTables(
        order, num_words, keys, keys.view(np.float32), np.array(starts), np.array([num_words, *buckets], np.uint64)
    )
    unigrams = np.stack([-np.abs(ngrams[0].log10), ngrams[0].backoffs], axis=1)
    tables.numbers[: unigrams.size] = unigrams.ravel()
    for n, (words, log10, backoffs) in enumerate(ngrams[1:], 2):
        repeated = _insert_ngrams(tables, n, words, log10, backoffs)
        if repeated >= 0:
            raise RepeatedNgram(words[repeated])
    return tables


@njit(cache=True)
def insert_key(keys: np.ndarray, start: Whole, buckets: Whole, cells: Whole, key: Whole) -> Whole:
    """Put a new key into a hash table that has room, and return the cell of its entry; -1 where it is there already."""
    bucket = np.int64(np.uint64(key) % np.uint64(buckets))
    while True:
        cell = start + bucket * cells
        found = np.uint64(keys[cell]) | (np.uint64(keys[cell + 1]) << _HALF)
        if found == 0:
            keys[cell] = np.uint32(np.uint64(key) & _LOW)
            keys[cell + 1] = np.uint32(np.uint64(key) >> _HALF)
            return cell
        if found == key:
            return -1
        bucket += 1
        if bucket == np.int64(buckets):
            bucket = np.int64(0)


@njit(cache=True)
def _key_of(words: np.ndarray, first: int, end: int) -> np.uint64:
    """Key of the n-gram `words[first:end]`."""
    key = np.uint64(words[end - 1])
    for position in range(end - 2, first - 1, -1):
        key = extend_key(key, words[position])
    return key


@njit(cache=True)
def _find(tables: NgramTables, words: np.ndarray, first: int, end: int) -> Whole:
    """Cell of the probability of the n-gram `words[first:end]`, which is none of the longest; -1 if it is not there."""
    n = end - first
    if n == 1:
        return tables.starts[0] + UNIGRAM_CELLS * words[first]
    key = _key_of(words, first, end)
    cell = find_entry(tables.keys, tables.starts[n - 1], tables.buckets[n - 1], MIDDLE_CELLS, key)
    return cell + 2 if cell >= 0 else -1


@njit(cache=True)
def _insert_ngrams(tables: NgramTables, n: int, words: np.ndarray, log10: np.ndarray, backoffs: np.ndarray) -> int:
    """Insert all n-grams of order n, whose lower orders are there; returns the row of a repeated one, or -1."""
    cells = LONGEST_CELLS if n == tables.order else MIDDLE_CELLS
    for row in range(len(words)):
        key = _key_of(words[row], 0, n)
        cell = insert_key(tables.keys, tables.starts[n - 1], tables.buckets[n - 1], cells, key)
        if cell < 0:
            return row
        value = log10[row]
        if np.isnan(value):
            value = tables.numbers[_find(tables, words[row], 1, n)]
            context = _find(tables, words[row], 0, n - 1)
            value = -abs(value) + (tables.numbers[context + 1] if context >= 0 else np.float32(0.0))
            value = min(value, np.float32(0.0))  # backing off in an improper model may exceed a probability of 1
        tables.numbers[cell + 2] = -abs(value)
        if n < tables.order:
            tables.numbers[cell + 3] = backoffs[row]
    return -1


@njit(cache=True)
def _lacks_end(tables: NgramTables, words: np.ndarray) -> np.ndarray:
    """Tell of each n-gram whether the model lacks its last n - 1 words."""
    lacking = np.zeros(len(words), np.bool_)
    for row in range(len(words)):
        lacking[row] = _find(tables, words[row], 1, words.shape[1]) < 0
    return lacking


def _missing_ends(tables: NgramTables, ngrams: Sequence[NgramArrays]) -> list[np.ndarray]:
    """Return, for each order, the n-grams that are not in the model although longer ones end in them."""
    blanks = [np.empty((0, n), np.int32) for n in range(1, len(ngrams) + 1)]
    for n in range(len(ngrams), 2, -1):
        ends = [words[_lacks_end(tables, words)][:, 1:] for words in (ngrams[n - 1].words, blanks[n - 1])]
        blanks[n - 2] = np.unique(np.concatenate(ends), axis=0)
    return blanks


def _with_blanks(known: NgramArrays, words: np.ndarray) -> NgramArrays:
    return NgramArrays(
        np.concatenate([known.words, words]),
        np.concatenate([known.log10, np.full(len(words), np.nan, np.float32)]),
        np.concatenate([known.backoffs, np.zeros(len(words), np.float32)]),
    )


@njit(cache=True)
def _mark_extended(tables: NgramTables, words: np.ndarray) -> None:
    """Clear the sign bit of the last n - 1 words of every n-gram: a longer one ends in them."""
    for row in range(len(words)):
        tables.keys[_find(tables, words[row], 1, words.shape[1])] &= ~_SIGN
