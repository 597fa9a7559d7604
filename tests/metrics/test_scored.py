"""Scored examples, their sums, breakdowns and unseen words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.metrics.breakdown import by_key, by_length, unseen_words
from seqrec.metrics.confusions import Confusion, confusions
from seqrec.metrics.edits import EditCounts
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.scored import ScoredExample, Unit, rates_of, score_pairs, worst_first
from seqrec.metrics.summary import people_of, summarise

TEXTS = st.lists(st.sampled_from(["a", "b", "ab", "日"]), max_size=5).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["x", "y", None])), max_size=8)


def score(pairs: list[tuple[str, str, str | None]]) -> list[ScoredExample]:
    ids = [f"e{i}" for i in range(len(pairs))]
    keys = [{"speaker": who} if who else {} for _, _, who in pairs]
    return score_pairs(ids, [r for r, _, _ in pairs], [h for _, h, _ in pairs], keys)


def test_an_example_carries_its_edits() -> None:
    (one,) = score_pairs(["u1"], ["one two"], ["one too"])
    assert one == ScoredExample("u1", "one two", "one too", EditCounts(1, 1), EditCounts(6, 1), {})


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        score_pairs(["a"], ["a", "b"], ["a", "b"])


@given(PAIRS)
def test_parts_add_up_to_the_whole(pairs: list) -> None:
    examples = score(pairs)
    whole = ErrorRates.of([r for r, _, _ in pairs], [h for _, h, _ in pairs])
    assert rates_of(examples) == whole
    for parts in (by_key(examples, "speaker"), by_length(examples), by_length(examples, "characters", (1, 3))):
        assert sum((part.rates for part in parts), ErrorRates()) == whole


@given(PAIRS, st.sampled_from(["words", "characters"]))
def test_confusions_are_the_corpus_edits(pairs: list, unit: Unit) -> None:
    found = confusions(score(pairs), unit)
    edits = getattr(rates_of(score(pairs)), unit)
    assert sum(one.count for one in found if one.reference and one.hypothesis) == edits.substitutions
    assert sum(one.count for one in found if not one.reference) == edits.insertions
    assert sum(one.count for one in found if not one.hypothesis) == edits.deletions
    assert all(one.reference != one.hypothesis for one in found)
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)


def test_confusions_are_counted_and_sorted() -> None:
    examples = score([("a b", "a c", None), ("b", "c", None), ("a", "", None), ("", "d", None), ("b", "b", None)])
    assert confusions(examples) == [Confusion("b", "c", 2), Confusion("", "d", 1), Confusion("a", "", 1)]


def test_parts_by_key_are_sorted_and_lose_nobody() -> None:
    parts = by_key(score([("a", "a", "y"), ("b", "a", None), ("a", "b", "x"), ("a b", "a", "x")]), "speaker")
    assert [(part.name, part.rates.examples, part.rates.wrong_examples) for part in parts] == [
        ("x", 2, 2),
        ("y", 1, 0),
        (None, 1, 1),
    ]
    assert parts[0].rates.words == EditCounts(1, 1, 0, 1)


def test_parts_by_length_name_their_bounds() -> None:
    examples = score([(" ".join("a" * n), "a", None) for n in (0, 1, 2, 5, 6, 40, 41, 99)])
    parts = by_length(examples)
    assert [(part.name, part.rates.examples) for part in parts] == [
        ("0", 1),
        ("1", 1),
        ("2-5", 2),
        ("6-10", 1),
        ("21-40", 1),
        ("41+", 2),
    ]
    with pytest.raises(ValueError, match="do not rise"):
        by_length(examples, edges=(3, 3))


def test_unseen_words() -> None:
    found = unseen_words(["a b c", "c d c", ""], {"a", "b"})
    assert list(found.unseen.items()) == [("c", 3), ("d", 1)]
    assert (found.words, found.share) == (6, 4 / 6)
    assert unseen_words([], {"a"}).share == 0


def test_the_worst_come_first() -> None:
    examples = score([("a b c", "a", None), ("a", "b", None), ("a", "a", None), ("a b", "c d", None)])
    assert [one.id for one in worst_first(examples)] == ["e3", "e0", "e1"]


def test_a_summary_holds_rates_within_their_intervals() -> None:
    examples = score([("a b c d", "a b c" if i % 4 else "a b c d", f"s{i % 9}") for i in range(60)])
    found = summarise(examples)
    assert found.rates == rates_of(examples)
    assert found.drawn_by == "speaker"
    assert found.wer.low < found.rates.wer < found.wer.high
    assert found.sentences.low < found.sentence_error_rate == 45 / 60 < found.sentences.high
    said = found.to_json()
    assert said["wer"] == found.rates.wer
    assert said["intervals"]["wer"] == [found.wer.low, found.wer.high]


def test_what_is_drawn() -> None:
    assert people_of(score([("a", "a", "x"), ("a", "a", None)])) == ("speaker", ["x", "\0e1"])
    assert people_of(score([("a", "a", "x"), ("a", "a", "x")])) == ("example", None)
    assert people_of(score([("a", "a", None)])) == ("example", None)
    writers = score_pairs(["a", "b"], ["x", "y"], ["x", "y"], [{"writer": "w"}, {"writer": "v"}])
    assert people_of(writers) == ("writer", ["w", "v"])
