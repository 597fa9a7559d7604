"""Tables against a plain dictionary of n-grams, on random small models with any n-grams left out."""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.lm.ngram_building import NgramArrays, RepeatedNgram, bucket_count, build_tables, insert_key
from seqrec.lm.ngram_tables import NO_WORD, NgramTables, find_entry, score_word, score_words

Ngrams = dict[tuple[int, ...], tuple[float, float]]  # log10 probability and backoff


def dictionary_score(ngrams: Ngrams, history: tuple[int, ...], word: int) -> float:
    """The definition of a backoff model, in log10."""
    if (*history, word) in ngrams:
        return ngrams[(*history, word)][0]
    return ngrams.get(history, (0.0, 0.0))[1] + dictionary_score(ngrams, history[1:], word)


@st.composite
def models(draw: st.DrawFn) -> tuple[int, int, Ngrams]:
    order, num_words = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    weights = st.tuples(st.floats(-5, -2, width=16), st.floats(-2, 0.5, width=16))  # no sum is above 0
    ngrams = {}
    for n in range(1, order + 1):
        for words in product(range(num_words), repeat=n):
            if n == 1 or draw(st.booleans()):
                ngrams[words] = draw(weights)
    return order, num_words, ngrams


def tables_of(order: int, ngrams: Ngrams) -> NgramTables:
    arrays = []
    for n in range(1, order + 1):
        words = [key for key in ngrams if len(key) == n]
        log10, backoffs = np.array([ngrams[key] for key in words], np.float32).reshape(-1, 2).T.copy()
        arrays.append(NgramArrays(np.array(words, np.int32).reshape(-1, n), log10, backoffs))
    return build_tables(arrays)


@settings(max_examples=150, deadline=None)
@given(models())
def test_scores_are_those_of_the_definition(model: tuple[int, int, Ngrams]) -> None:
    order, num_words, ngrams = model
    tables = tables_of(order, ngrams)
    for length in range(order):
        for *history, word in product(range(num_words), repeat=length + 1):
            padded = np.array([NO_WORD] * (order - 1 - length) + history, np.int32)
            expected = dictionary_score(ngrams, tuple(history), word) * log(10)
            assert score_word(tables, padded, word) == pytest.approx(expected, abs=1e-5)


def test_a_sentence_is_scored_word_by_word() -> None:
    ngrams = {(0,): (-1.0, 0.0), (1,): (-0.5, -0.25), (2,): (-0.75, 0.0), (1, 2): (-0.125, 0.0)}
    scores = score_words(tables_of(2, ngrams), np.array([1, 2, 1, 0], np.int32), 1)
    np.testing.assert_allclose(scores / log(10), [-0.125, -0.5, -0.25 - 1.0])


def test_ids_outside_the_vocabulary_count_as_unknown() -> None:
    tables = tables_of(2, {(0,): (-3.0, -0.5), (1,): (-1.0, -0.25), (1, 1): (-0.5, 0.0)})
    known = np.array([1], np.int32)
    for stranger in (2, 2**31 - 1, -1):
        assert score_word(tables, known, stranger) == score_word(tables, known, 0)
    assert score_word(tables, np.array([2**31 - 1], np.int32), 1) == pytest.approx(-1.5 * log(10))


def test_a_repeated_ngram_is_refused() -> None:
    unigrams = NgramArrays(np.array([[0], [1]], np.int32), np.zeros(2, np.float32), np.zeros(2, np.float32))
    bigrams = NgramArrays(np.array([[1, 1], [1, 1]], np.int32), np.zeros(2, np.float32), np.zeros(2, np.float32))
    with pytest.raises(RepeatedNgram, match=r"\[1, 1\]"):
        build_tables([unigrams, bigrams])


def test_searching_a_full_table_ends() -> None:
    keys = np.ones(4 * 8, np.uint32)
    assert find_entry(keys, 0, 8, 4, np.uint64(5)) == -1


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(1, 2**64 - 1) | st.integers(1, 40), max_size=30), st.integers(1, 2**64 - 1))
def test_what_was_inserted_is_found_and_nothing_else(inserted: set[int], other: int) -> None:
    buckets = bucket_count(len(inserted), 1.0)
    keys = np.zeros(3 * buckets, np.uint32)
    cells = {key: insert_key(keys, 0, buckets, 3, np.uint64(key)) for key in inserted}
    assert len(set(cells.values())) == len(inserted)
    for key in {*inserted, other}:
        assert find_entry(keys, 0, buckets, 3, np.uint64(key)) == cells.get(key, -1)
    for key in inserted:
        assert insert_key(keys, 0, buckets, 3, np.uint64(key)) == -1
