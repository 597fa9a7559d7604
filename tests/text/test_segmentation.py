"""Segmentation: against every way to cut a word, and against merging as the paper puts it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.text.segmentation import likeliest_pieces, merge_pieces

WORDS = st.text("abc", max_size=9)
PIECES = st.lists(st.text("abc", min_size=2, max_size=4), unique=True, max_size=12)


def all_cuts(word: str) -> Iterator[list[str]]:
    """Yield every way to cut `word`."""
    if not word:
        yield []
    for end in range(1, len(word) + 1):
        for rest in all_cuts(word[end:]):
            yield [word[:end], *rest]


@given(WORDS, PIECES, st.data())
def test_no_cut_is_likelier(word: str, pieces: list[str], data: st.DataObject) -> None:
    scores = {piece: -data.draw(st.integers(0, 64)) / 8 for piece in [*"abc", *pieces]}  # sums are exact
    found = likeliest_pieces(word, scores, 4)
    assert "".join(found) == word
    possible = [cut for cut in all_cuts(word) if all(piece in scores for piece in cut)]
    assert sum(map(scores.__getitem__, found)) == max(sum(map(scores.__getitem__, cut)) for cut in possible)


def merged_slowly(word: str, ranks: dict[str, int]) -> list[str]:
    """Merge the pair that ranks first, the leftmost of equals, over and over."""
    pieces = list(word)
    while True:
        pairs = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(pieces)) if a + b in ranks]
        if not pairs:
            return pieces
        at = min(pairs)[1]
        pieces = [*pieces[:at], pieces[at] + pieces[at + 1], *pieces[at + 2 :]]


@given(WORDS, PIECES)
def test_merging_is_the_papers(word: str, pieces: list[str]) -> None:
    ranks = {piece: rank for rank, piece in enumerate(pieces)}
    assert merge_pieces(word, ranks) == merged_slowly(word, ranks)


@pytest.mark.parametrize(
    ("word", "pieces", "expected"),
    [
        ("lower", ["er", "lo", "low", "lower"], ["lower"]),
        ("lower", ["we", "er", "lo"], ["lo", "we", "r"]),
        ("aaaaa", ["aa"], ["aa", "aa", "a"]),  # leftmost first
        ("", ["aa"], []),
        ("a", ["aa"], ["a"]),
    ],
)
def test_merges_worked_by_hand(word: str, pieces: list[str], expected: list[str]) -> None:
    assert merge_pieces(word, {piece: rank for rank, piece in enumerate(pieces)}) == expected
