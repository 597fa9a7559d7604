"""A trie over bytes in arrays that a Numba kernel walks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit


class Trie(NamedTuple):
    """Nodes in breadth-first order, 0 the root; the edges of a node stand side by side, edge e leads to node e + 1."""

    first: np.ndarray  # (N + 1,) int32: edges of node n are first[n] to first[n + 1] - 1
    byte: np.ndarray  # (N - 1,) uint8, of each edge, ascending within a node


def build_trie(words: Sequence[bytes]) -> tuple[Trie, np.ndarray]:
    """Build the trie of distinct, sorted words without zero bytes; also return each word's last node (W,) int32."""
    lengths = np.array([len(word) for word in words], np.int64)
    longest = int(lengths.max(initial=0))
    letters = (
        np.array(words, f"S{max(longest, 1)}").view(np.uint8).reshape(len(words), max(longest, 1))
    )  # zero behind a word's end
    shared = np.zeros(len(words), np.int64)  # letters that a word shares with the one before it
    if len(words) > 1:
        differs = letters[1:] != letters[:-1]
        shared[1:] = differs.argmax(axis=1)
    nodes = np.zeros(len(words), np.int32)
    parents, edges, count = [], [], 1
    for depth in range(1, longest + 1):
        reaches = lengths >= depth
        new = reaches & (shared < depth)
        new[:1] = reaches[:1]
        parents.append(nodes[new])
        edges.append(letters[new, depth - 1])
        nodes = np.where(reaches, count - 1 + np.cumsum(new), nodes).astype(np.int32)
        count += int(new.sum())
    parent = np.concatenate([np.empty(0, np.int32), *parents])
    first = np.searchsorted(parent, np.arange(count + 1)).astype(np.int32)
    return Trie(first, np.concatenate([np.empty(0, np.uint8), *edges])), nodes


@njit(cache=True, nogil=True)
def child_of(trie: Trie, node: int, byte: int) -> int:
    """Return the node that `byte` leads to from `node`, or -1."""
    low, high = trie.first[node], trie.first[node + 1]
    while low < high:
        middle = (low + high) // 2
        found = trie.byte[middle]
        if found == byte:
            return middle + 1
        if found < byte:
            low = middle + 1
        else:
            high = middle
    return -1
