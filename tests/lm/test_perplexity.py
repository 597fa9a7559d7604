"""Perplexity: of a text by hand, by ARPA's definition word for word, and by the reader of the written file."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lm.ngram_entries import LETTERS, entries, prob_after

from seqrec.lm.arpa_writer import write_arpa
from seqrec.lm.kneser_ney import estimate
from seqrec.lm.perplexity import score_text

texts = st.lists(st.lists(st.sampled_from("abcdeklz"), max_size=7), min_size=1, max_size=6)


def test_a_worked_example() -> None:
    model = estimate([["a"], ["a"]], order=1)  # counts 2 and 2, 1 taken of each: 1/4 + 1/2 * 1/3 = 5/12, <unk> 1/6
    score = score_text(model, [["a", "z"], ["a"]])
    assert score is not None
    assert (score.sentences, score.words, score.unknown) == (2, 3, 1)
    assert score.log_prob == pytest.approx(4 * math.log10(5 / 12) + math.log10(1 / 6))
    assert score.perplexity == pytest.approx(((12 / 5) ** 4 * 6) ** (1 / 5))
    assert score.unknown_share == pytest.approx(1 / 3)


@settings(deadline=None)
@given(texts, st.sampled_from([(1, ()), (2, ()), (4, ()), (4, (0, 1, 2)), (3, (0, 0, 99))]))
def test_word_for_word(text: list[list[str]], kind: tuple[int, tuple[int, ...]]) -> None:
    order, prune = kind
    model = estimate(LETTERS, order, prune)
    found = entries(model)
    expected = 0.0
    for sentence in text:
        words = ["<s>", *(word if (word,) in found else "<unk>" for word in sentence), "</s>"]
        for end in range(1, len(words)):
            history = tuple(words[max(0, end - order + 1) : end]) if order > 1 else ()
            expected += math.log10(prob_after(found, history, words[end]))
    score = score_text(model, text)
    assert score is not None
    assert score.log_prob == pytest.approx(expected)


def test_the_reader_of_the_file_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    from seqrec.lm.language_model import load_language_model

    model = estimate(LETTERS, 4)
    write_arpa(tmp_path / "lm.arpa.gz", model)
    reader = load_language_model(tmp_path / "lm.arpa.gz")
    text = [*LETTERS, [], ["a", "z", "b"], ["l", "k"]]
    score = score_text(model, text)
    assert score is not None
    assert score.log_prob * math.log(10) == pytest.approx(sum(reader.score(sentence) for sentence in text), rel=1e-5)


def test_no_text() -> None:
    assert score_text(estimate(LETTERS, 2), []) is None
    assert score_text(estimate(LETTERS, 2), [[]]).perplexity > 1  # type: ignore[union-attr]
