"""KenLM's vocabulary: a hash table from the MurmurHash64A of a word's bytes to its id.

A. Appleby, MurmurHash2, public domain. `<unk>` and `<UNK>` stand in no table: they, and all unknown words, are 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from seqrec.lm.ngram_building import BUCKETS_PER_ENTRY, bucket_count, insert_key
from seqrec.lm.ngram_tables import find_entry

WORD_CELLS = 3  # 4-byte cells an entry: key low, key high, id

_FACTOR = np.uint64(0xC6A4A7935BD1E995)
_SHIFT = np.uint64(47)
_ZERO = np.uint64(0)


class Vocabulary(NamedTuple):
    """The table: entries of three cells, key 0 for an empty bucket."""

    cells: np.ndarray  # (3 * buckets,) uint32
    buckets: int


@njit(cache=True)
def hash_word(text: np.ndarray, start: int, end: int) -> np.uint64:
    """MurmurHash64A of the bytes `text[start:end]`, with seed 0."""
    hashed = np.uint64(end - start) * _FACTOR
    position = start
    while position + 8 <= end:
        part = _little_endian(text, position, 8) * _FACTOR
        part ^= part >> _SHIFT
        hashed = (hashed ^ (part * _FACTOR)) * _FACTOR
        position += 8
    if position < end:
        hashed = (hashed ^ _little_endian(text, position, end - position)) * _FACTOR
    hashed ^= hashed >> _SHIFT
    hashed *= _FACTOR
    return hashed ^ (hashed >> _SHIFT)


@njit(cache=True)
def _little_endian(text: np.ndarray, start: int, count: int) -> np.uint64:
    value = _ZERO
    for index in range(count):
        value |= np.uint64(text[start + index]) << np.uint64(8 * index)
    return value


def hash_of(word: str) -> int:
    """Return the hash of a word's UTF-8 bytes."""
    content = np.frombuffer(word.encode("utf-8", "surrogatepass"), np.uint8)
    return int(hash_word(content, 0, len(content)))


def stands_for_unknown(hashes: np.ndarray) -> np.ndarray:
    """Tell of each hash (N,) whether it is that of `<unk>` or `<UNK>`."""
    return np.isin(hashes, np.array([hash_of("<unk>"), hash_of("<UNK>")], np.uint64))


def build_vocabulary(hashes: np.ndarray) -> tuple[Vocabulary, int]:
    """Give the words of these hashes (V,) the ids 1, 2, ...; also returns the index of a repeated one, or -1."""
    buckets = bucket_count(len(hashes) + 1, BUCKETS_PER_ENTRY)  # KenLM counts <unk>
    cells = np.zeros(WORD_CELLS * buckets, np.uint32)
    repeated = _insert_words(cells, buckets, hashes)
    cells.flags.writeable = False
    return Vocabulary(cells, buckets), int(repeated)


@njit(cache=True)
def _insert_words(cells: np.ndarray, buckets: int, hashes: np.ndarray) -> int:
    for index in range(len(hashes)):
        cell = insert_key(cells, 0, buckets, WORD_CELLS, hashes[index])
        if cell < 0:
            return index
        cells[cell + 2] = index + 1
    return -1


@njit(cache=True)
def find_words(cells: np.ndarray, buckets: int, hashes: np.ndarray) -> np.ndarray:
    """Return the ids (N,) of the words of these hashes (N,); 0 where unknown."""
    ids = np.zeros(len(hashes), np.int32)
    for index in range(len(hashes)):
        cell = find_entry(cells, 0, buckets, WORD_CELLS, hashes[index])
        if cell >= 0:
            ids[index] = cells[cell + 2]
    return ids
