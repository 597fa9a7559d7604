"""Hotwords: words and phrases that gain a bonus wherever they stand whole in a text.

All occurrences count, also those that overlap. While a hotword is being spelt, a share of its bonus is lent to the
prefix, so that pruning does not lose it before its end, and taken back once the spelling leaves the hotword: an
Aho-Corasick automaton (Aho and Corasick 1975) over the bytes of " word word ", in which a space stands for each place
between words, the begin and the end of the text included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from seqrec.ctc.byte_trie import Trie, build_trie, child_of

SPACE = 32


class Hotwords(NamedTuple):
    """The automaton; state 0 has matched nothing."""

    trie: Trie
    fail: np.ndarray  # (N,) int32, the longest other state that ends a state's bytes
    gain: np.ndarray  # (N,) float64 nats of the hotwords that end here
    lent: np.ndarray  # (N,) float64 nats lent to the hotword that is being spelt
    most: float  # nats that one byte can bring


def build_hotwords(phrases: Sequence[str], weight: float) -> Hotwords:
    """Build the automaton of phrases, each worth `weight` nats a word; the same phrase twice counts once."""
    patterns = sorted({" ".join(["", *phrase.split(), ""]).encode() for phrase in phrases})
    trie, ends = build_trie(patterns)
    num_nodes = len(trie.first) - 1
    gain, lent = np.zeros(num_nodes), np.zeros(num_nodes)
    for pattern, end in zip(patterns, ends, strict=True):
        worth = weight * (pattern.count(b" ") - 1)
        gain[end] += worth
        node = 0
        for depth, byte in enumerate(pattern[:-1]):
            node = child_of(trie, node, byte)
            lent[node] = max(lent[node], worth * depth / (len(pattern) - 2))
    fail = np.zeros(num_nodes, np.int32)
    for node in range(num_nodes):  # breadth-first: what fails goes to a shorter state, done before
        gain[node] += gain[fail[node]]
        lent[node] = max(lent[node], lent[fail[node]])
        for edge in range(trie.first[node], trie.first[node + 1]):
            fail[edge + 1] = advance_hotword(trie, fail, fail[node], trie.byte[edge]) if node else 0
    return Hotwords(trie, fail, gain, lent, float(gain.max() + lent.max()))


@njit(cache=True, nogil=True)
def advance_hotword(trie: Trie, fail: np.ndarray, state: int, byte: int) -> int:
    """Return the state behind one more byte."""
    while True:
        found = child_of(trie, state, byte)
        if found >= 0:
            return found
        if state == 0:
            return 0
        state = fail[state]
