"""Edit counts: jiwer's, and a Levenshtein distance of our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.metrics.edits import (
    EditCounts,
    character_edits,
    count_character_edits,
    count_word_edits,
    total,
    word_edits,
)
from seqrec.text.normalise import Normalisation

TEXTS = st.text(" ab\tcé", max_size=12).map(Normalisation())
ANY_TEXTS = st.one_of(TEXTS, st.text(max_size=40), st.text("ab ", max_size=150)).map(Normalisation(unicode_form="none"))
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)
ANY_PAIRS = st.lists(st.tuples(ANY_TEXTS, ANY_TEXTS), min_size=1, max_size=6)
COUNTS = st.builds(EditCounts, *[st.integers(0, 9)] * 4)
Count = Callable[[Sequence[str], Sequence[str]], EditCounts]
Each = Callable[[Sequence[str], Sequence[str]], Iterator[EditCounts]]


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Levenshtein 1966, a row of the table at a time."""
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != found))
    return row[-1]


def counts_of(output: jiwer.WordOutput | jiwer.CharacterOutput) -> EditCounts:
    return EditCounts(output.hits, output.substitutions, output.insertions, output.deletions)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("one two three", "one too three four", EditCounts(2, 1, 1, 0)),
        ("one two", "", EditCounts(0, 0, 0, 2)),
        ("", "one two", EditCounts(0, 0, 2, 0)),
        ("", "", EditCounts()),
        ("日本 語", "日本 語", EditCounts(hits=2)),
    ],
)
def test_worked_examples(reference: str, hypothesis: str, expected: EditCounts) -> None:
    assert count_word_edits([reference], [hypothesis]) == expected


@pytest.mark.parametrize(("count", "split"), [(count_word_edits, str.split), (count_character_edits, list)])
@given(pairs=PAIRS)
def test_errors_are_summed_distances(count: Count, split: Callable[[str], list[str]], pairs: list) -> None:
    counts = count([r for r, _ in pairs], [h for _, h in pairs])
    assert counts.errors == sum(distance(split(r), split(h)) for r, h in pairs)
    assert counts.reference_length == sum(len(split(r)) for r, _ in pairs)
    assert counts.hits + counts.substitutions + counts.insertions == sum(len(split(h)) for _, h in pairs)


@pytest.mark.parametrize(
    ("each", "oracle"), [(word_edits, jiwer.process_words), (character_edits, jiwer.process_characters)]
)
@given(pairs=ANY_PAIRS)
def test_every_count_is_jiwers(each: Each, oracle: Callable, pairs: list[tuple[str, str]]) -> None:
    found = list(each([r for r, _ in pairs], [h for _, h in pairs]))
    assert found == [counts_of(oracle([r], [h])) for r, h in pairs]
    assert total(found) == counts_of(oracle([r for r, _ in pairs], [h for _, h in pairs]))


@pytest.mark.parametrize("each", [word_edits, character_edits])
def test_lists_of_unequal_length_are_refused(each: Each) -> None:
    with pytest.raises(ValueError, match="shorter"):
        list(each(["a", "b"], ["a"]))


def test_spaces_are_characters() -> None:
    assert count_character_edits(["a b"], ["ab"]) == EditCounts(hits=2, deletions=1)


def test_the_rate_of_nothing() -> None:
    assert EditCounts().rate == 0
    assert EditCounts(insertions=2).rate == float("inf")
    assert EditCounts(hits=3, insertions=6, deletions=1).rate == 7 / 4


@given(COUNTS, COUNTS)
def test_counts_add_up_one_by_one(first: EditCounts, second: EditCounts) -> None:
    both = first + second
    for name in ("hits", "substitutions", "insertions", "deletions", "errors", "reference_length"):
        assert getattr(both, name) == getattr(first, name) + getattr(second, name)
    assert total([first, second]) == both
    assert total([]) == EditCounts()


def test_metrics_import_no_torch() -> None:
    modules = ["breakdown", "confusions", "edits", "intervals", "rates", "scored", "summary", "text_alignment"]
    lines = [*(f"import seqrec.metrics.{name}" for name in modules), "import sys", "print(*sys.modules)"]
    loaded = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert not {"torch", "lightning", "hydra", "jiwer", "pandas"} & set(loaded.stdout.split())
