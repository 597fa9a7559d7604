"""Edit counts against a Levenshtein distance of our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.metrics.edits import EditCounts, count_character_edits, count_word_edits
from seqrec.text.normalise import Normalisation

TEXTS = st.text(" ab\tcé", max_size=12).map(Normalisation())
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)
COUNTS = st.builds(EditCounts, *[st.integers(0, 9)] * 4)


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Levenshtein 1966, a row of the table at a time."""
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != found))
    return row[-1]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("one two three", "one too three four", EditCounts(2, 1, 1, 0)),
        ("one two", "", EditCounts(0, 0, 0, 2)),
        ("", "one two", EditCounts(0, 0, 2, 0)),
        ("", "", EditCounts()),
    ],
)
def test_worked_examples(reference: str, hypothesis: str, expected: EditCounts) -> None:
    assert count_word_edits([reference], [hypothesis]) == expected


@pytest.mark.parametrize(("count", "split"), [(count_word_edits, str.split), (count_character_edits, list)])
@given(pairs=PAIRS)
def test_errors_are_summed_distances(
    count: Callable[[Sequence[str], Sequence[str]], EditCounts], split: Callable[[str], list[str]], pairs: list
) -> None:
    counts = count([r for r, _ in pairs], [h for _, h in pairs])
    assert counts.errors == sum(distance(split(r), split(h)) for r, h in pairs)
    assert counts.reference_length == sum(len(split(r)) for r, _ in pairs)
    assert counts.hits + counts.substitutions + counts.insertions == sum(len(split(h)) for _, h in pairs)


def test_spaces_are_characters() -> None:
    assert count_character_edits(["a b"], ["ab"]) == EditCounts(hits=2, deletions=1)


def test_the_rate_of_nothing() -> None:
    assert EditCounts().rate == 0
    assert EditCounts(insertions=2).rate == float("inf")
    assert EditCounts(hits=3, insertions=6, deletions=1).rate == 7 / 4


@given(COUNTS, COUNTS)
def test_counts_add_up_one_by_one(first: EditCounts, second: EditCounts) -> None:
    total = first + second
    for name in ("hits", "substitutions", "insertions", "deletions", "errors", "reference_length"):
        assert getattr(total, name) == getattr(first, name) + getattr(second, name)
