"""Greedy decoding against its definition in plain Python, and blind to padding."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from seqrec.ctc.greedy import GreedyDecoder
from seqrec.sequence import Emissions

PATHS = st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=1, max_size=4)


def emissions_of(paths: list[list[int]], num_tokens: int, padding: int = 0) -> Emissions:
    """Log-probs whose likeliest path is each of `paths`, and `padding` the likeliest token behind its end."""
    size = max(map(len, paths))
    tokens = torch.tensor([path + [padding] * (size - len(path)) for path in paths], dtype=torch.int64)
    return Emissions((5.0 * functional.one_hot(tokens, num_tokens)).log_softmax(-1), torch.tensor([*map(len, paths)]))


def decode(emissions: Emissions) -> list[list[int]]:
    assert all(len(candidates) == 1 for candidates in GreedyDecoder().decode(emissions))
    return [list(candidates[0].tokens) for candidates in GreedyDecoder().decode(emissions)]


def slow_decode(log_probs: Tensor, length: int) -> list[int]:
    best, before = [], 0
    for frame in log_probs.tolist()[:length]:
        token = max(range(len(frame)), key=lambda number: frame[number])
        if token not in (0, before):
            best.append(token)
        before = token
    return best


@pytest.mark.parametrize(
    ("path", "text"),
    [("--", ""), ("aa-b", "ab"), ("a-a", "aa"), ("aaa", "a"), ("-ab-bba-", "abba"), ("", "")],
)
def test_worked_examples(path: str, text: str) -> None:
    emissions = emissions_of([["-ab".index(letter) for letter in path], [0, 0, 0]], 3)
    assert decode(emissions) == [["-ab".index(letter) for letter in text], []]


@given(PATHS, st.integers(0, 2**31))
def test_equal_to_the_definition(paths: list[list[int]], seed: int) -> None:
    lengths = [len(path) for path in paths]
    shape = (len(paths), max(lengths), 4)
    log_probs = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).log_softmax(-1)
    found = decode(Emissions(log_probs, torch.tensor(lengths)))
    assert found == [slow_decode(row, length) for row, length in zip(log_probs, lengths, strict=True)]


@given(PATHS, st.integers(1, 3))
def test_padded_frames_change_nothing(paths: list[list[int]], padding: int) -> None:
    assert decode(emissions_of(paths, 4, padding)) == decode(emissions_of(paths, 4, 0))
    assert decode(emissions_of(paths, 4, padding)) == [decode(emissions_of([path], 4))[0] for path in paths]


def test_the_score_is_the_log_probability_of_the_path() -> None:
    log_probs = torch.log(torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.01, 0.01, 0.98]]]))
    ((candidate,),) = GreedyDecoder().decode(Emissions(log_probs, torch.tensor([2])))
    assert candidate.tokens == (1,)
    assert candidate.score == pytest.approx(math.log(0.5 * 0.8))
