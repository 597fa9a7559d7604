"""Backoff n-gram tables in KenLM's probing layout, asked for scores from inside a Numba kernel.

A hash table an order, keyed by 64-bit hashes of word ids (K. Heafield, KenLM: Faster and Smaller Language Model
Queries, WMT 2011, section 3.1). The bytes are those of a KenLM probing file, so such a file is used where it lies,
and an ARPA is brought into the same form. Importing this module needs Numba (`pip install 'seqrec[beam]'`).
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

LN_10 = float(np.log(10.0))
NO_WORD = -1  # pads a history to the left

Whole: TypeAlias = "int | np.integer[Any]"  # which of Numba's whole numbers matters: int64 with uint64 makes a float

_HASH_FACTOR = np.uint64(8978948897894561157)
_WORD_FACTOR = np.uint64(17894857484156487943)
_HALF = np.uint64(32)
UNIGRAM_CELLS, MIDDLE_CELLS, LONGEST_CELLS = (
    2,
    4,
    3,
)  # 4-byte cells an entry: (key low, key high,) probability(, backoff)


class NgramTables(NamedTuple):
    """Tables of all orders in one block of memory, seen as integers (keys) and as floats (log10 numbers).

    Order n starts at cell `starts[n - 1]` and has `buckets[n - 1]` entries: unigrams are indexed by word id, middle and
    longest orders are hash tables with linear probing, where key 0 is an empty bucket. The sign bit of a probability
    (which is never above 0) is KenLM's mark: set where no longer n-gram ends in this one.
    """

    order: int
    num_words: int  # ids are 0 (<unk>) to num_words - 1
    keys: np.ndarray  # (C,) uint32
    numbers: np.ndarray  # (C,) float32, the same memory
    starts: np.ndarray  # (order,) int64
    buckets: np.ndarray  # (order,) uint64


@njit(cache=True)
def extend_key(key: Whole, word: Whole) -> np.uint64:
    """Hash of an n-gram one word longer to the left, from that of its end; a unigram's hash is its word id."""
    return (np.uint64(key) * _HASH_FACTOR) ^ (np.uint64(word + 1) * _WORD_FACTOR)


@njit(cache=True)
def find_entry(keys: np.ndarray, start: Whole, buckets: Whole, cells: Whole, key: Whole) -> Whole:
    """Return the cell where the entry of `key` starts, or -1; ends even in a table without an empty bucket."""
    bucket = np.int64(np.uint64(key) % np.uint64(buckets))
    for _ in range(np.int64(buckets)):
        cell = start + bucket * cells
        found = np.uint64(keys[cell]) | (np.uint64(keys[cell + 1]) << _HALF)
        if found == key:
            return cell
        if found == 0:
            return -1
        bucket += 1
        if bucket == np.int64(buckets):
            bucket = np.int64(0)
    return -1


@njit(cache=True)
def score_word(tables: NgramTables, history: np.ndarray, word: Whole) -> float:
    """Natural-log probability of `word` after `history`, backing off where the n-gram was not seen.

    Args:
        tables: the model.
        history: (order - 1,) int32, the latest word last, -1 where there is none (to the left).
        word: id of the word; ids outside the vocabulary count as 0, <unk>.
    """
    known = 0  # words of the history, up to the first gap
    while known < tables.order - 1 and known < history.shape[0] and history[history.shape[0] - 1 - known] >= 0:
        known += 1
    word = word if 0 <= word < tables.num_words else 0
    cell = tables.starts[0] + UNIGRAM_CELLS * word
    log10 = np.float64(-abs(tables.numbers[cell]))
    extends = not np.signbit(tables.numbers[cell])
    key = np.uint64(word)
    matched = 1  # words of the longest n-gram found
    while extends and matched <= known:
        key = extend_key(key, history[history.shape[0] - matched])
        cells = LONGEST_CELLS if matched + 1 == tables.order else MIDDLE_CELLS
        cell = find_entry(tables.keys, tables.starts[matched], tables.buckets[matched], cells, key)
        if cell < 0:
            break
        log10 = np.float64(-abs(tables.numbers[cell + 2]))
        extends = not np.signbit(tables.numbers[cell + 2])
        matched += 1
    if matched <= known:
        log10 += _backoffs(tables, history, matched, known)
    return log10 * LN_10


@njit(cache=True)
def _backoffs(tables: NgramTables, history: np.ndarray, shortest: int, longest: int) -> float:
    """Sum of the log10 backoffs of the history's last `shortest` to `longest` words, as far as the model knows them."""
    word = history[history.shape[0] - 1]
    word = word if word < tables.num_words else 0
    cell = tables.starts[0] + UNIGRAM_CELLS * word
    total = np.float64(tables.numbers[cell + 1]) if shortest == 1 else 0.0
    key = np.uint64(word)
    for length in range(2, longest + 1):
        key = extend_key(key, history[history.shape[0] - length])
        if length < shortest:
            continue
        cell = find_entry(tables.keys, tables.starts[length - 1], tables.buckets[length - 1], MIDDLE_CELLS, key)
        if cell < 0:
            break
        total += np.float64(tables.numbers[cell + 3])
    return total


@njit(cache=True)
def score_words(tables: NgramTables, words: np.ndarray, first: int) -> np.ndarray:
    """Natural-log probabilities (N - first,) of `words[first:]` (int32), each after all that stand before it."""
    scores = np.empty(len(words) - first)
    for index in range(first, len(words)):
        scores[index - first] = score_word(tables, words[max(0, index - tables.order + 1) : index], words[index])
    return scores
