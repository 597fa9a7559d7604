"""Error rates: equal to jiwer's on the whole set, however the set is dealt out."""

from __future__ import annotations

import json
import operator
from functools import reduce

import jiwer
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqrec.metrics.edits import EditCounts
from seqrec.metrics.rates import ErrorRates
from seqrec.text.normalise import Normalisation

TEXTS = st.text(" abcé", max_size=15).map(Normalisation())
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=8)


def score(pairs: list[tuple[str, str]]) -> ErrorRates:
    return ErrorRates.of([reference for reference, _ in pairs], [hypothesis for _, hypothesis in pairs])


def test_a_corpus_is_no_mean_of_its_sentences() -> None:
    rates = score([("a", "b"), ("a b c d e f g h i", "a b c d e f g h i")])
    assert rates.wer == 1 / 10  # the mean of the sentences' rates is 1/2
    assert rates.cer == 1 / 18
    assert (rates.examples, rates.wrong_examples) == (2, 1)


@given(PAIRS)
def test_equal_to_jiwer_on_the_whole_set(pairs: list[tuple[str, str]]) -> None:
    assume(any(reference for reference, _ in pairs))
    references, hypotheses = map(list, zip(*pairs, strict=True))
    rates = score(pairs)
    assert rates.wer == pytest.approx(jiwer.wer(references, hypotheses), rel=1e-12)
    assert rates.cer == pytest.approx(jiwer.cer(references, hypotheses), rel=1e-12)


@given(PAIRS, st.integers(1, 4))
def test_shards_add_up_to_the_whole(pairs: list[tuple[str, str]], num_ranks: int) -> None:
    shards = [score(pairs[rank::num_ranks]) for rank in range(num_ranks)]
    assert reduce(operator.add, shards) == score(pairs)
    summed = [sum(counts) for counts in zip(*(shard.to_counts() for shard in shards), strict=True)]
    assert ErrorRates.from_counts(summed) == score(pairs)


@given(st.lists(st.integers(0, 99), min_size=10, max_size=10))
def test_counts_come_back(counts: list[int]) -> None:
    rates = ErrorRates.from_counts(counts)
    assert rates.to_counts() == counts
    assert rates == ErrorRates(EditCounts(*counts[:4]), EditCounts(*counts[4:8]), counts[8], counts[9])


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        ErrorRates.of(["a", "b"], ["a"])


def test_nothing_scored_is_no_error() -> None:
    assert (score([]).wer, score([]).cer, score([]).examples) == (0, 0, 0)


def test_json_holds_the_counts_behind_the_rates() -> None:
    found = json.loads(json.dumps(score([("one two", "one too many")]).to_json()))
    assert found["wer"] == (found["substitutions"] + found["insertions"] + found["deletions"]) / found["words"] == 1
    edits = sum(found[f"character_{kind}"] for kind in ("substitutions", "insertions", "deletions"))
    assert found["cer"] == edits / found["characters"] == 6 / 7
    assert (found["examples"], found["wrong_examples"]) == (1, 1)
