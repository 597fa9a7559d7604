"""The rules of spans that need no recogniser; `tests/test_timing.py` has those that do."""

from __future__ import annotations

import numpy as np
import pytest

from seqrec.ctc.spans import AlignedTokens, Places, output_borders, read_spans, word_confidence
from seqrec.text.tokens import CharacterTokenizer
from seqrec.transcript import Reading, Span


def test_borders_lie_between_those_of_the_frames_that_enter() -> None:
    positions = np.array([0.0, 10.0, 20.0, 30.0, 50.0])
    found = output_borders(positions, np.array([0.0, 1.5, 3.5, 5.5]), 3, 50)
    assert found.tolist() == [0.0, 15.0, 40.0, 50.0]
    assert output_borders(positions, np.array([0.0, 1.0, 2.0]), 1, 50).tolist() == [0.0, 50.0, 50.0]  # the last ends


def test_a_worked_example() -> None:
    """`a b` in nine frames of ten samples: the pause at the space belongs to neither word."""
    tokenizer = CharacterTokenizer(" ab")
    aligned = AlignedTokens([2, 1, 3], [1, 4, 7], [2, 5, 8], [0.5, 0.9, 0.25], -3.0)
    places = Places(np.arange(0.0, 91.0, 10.0), np.array([[35, 62]]), 90)
    a, b = Span("a", 0, 35, 0.5), Span("b", 62, 90, 0.25)
    assert read_spans(tokenizer, aligned, places) == Reading("a b", -3.0, (a, b), (a, b))
    unparted = Places(places.borders, np.zeros((0, 2), np.int64), 90)
    assert [word.start for word in read_spans(tokenizer, aligned, unparted).words] == [0, 40]


def test_a_text_that_does_not_fit_has_no_spans() -> None:
    aligned = AlignedTokens([2], [0], [0], [0.5], -np.inf)
    found = read_spans(CharacterTokenizer(" ab"), aligned, Places(np.array([0.0, 9.0]), np.zeros((0, 2)), 9))
    assert found == Reading("a", -np.inf)


def test_a_word_is_right_when_all_its_tokens_are() -> None:
    assert word_confidence([0.5, 0.8, 1.0]) == pytest.approx(0.4)
    assert word_confidence([0.7]) == 0.7
