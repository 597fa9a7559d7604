"""Prefix beam search against every path, greedy, and itself alone and in batches."""

from __future__ import annotations

import builtins
import math
import sys
from typing import Any

import numpy as np
import pytest
import torch
from ctc.brute_force import labellings
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqrec.ctc.beam import BeamDecoder
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.errors import UserError
from seqrec.sequence import Emissions
from seqrec.share import build
from seqrec.text.tokens import CharacterTokenizer
from seqrec.transcript import Candidate

WIDE: dict[str, Any] = {"token_min_logp": -math.inf, "beam_threshold": math.inf}


def random_log_probs(*shape: int, seed: int, scale: float = 2.0) -> Tensor:
    return (scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))).log_softmax(-1)


def alone(decoder: BeamDecoder, log_probs: Tensor) -> list[Candidate]:
    return decoder.decode(Emissions(log_probs[None], torch.tensor([len(log_probs)])))[0]


@given(st.integers(0, 6), st.integers(1, 4), st.integers(0, 2**31), st.booleans())
@settings(deadline=None)
def test_a_wide_beam_ranks_every_labelling(num_frames: int, num_tokens: int, seed: int, holes: bool) -> None:
    log_probs = random_log_probs(num_frames, num_tokens, seed=seed)
    if holes:
        log_probs[torch.rand(log_probs.shape, generator=torch.Generator().manual_seed(seed)) < 0.2] = -math.inf
    expected = labellings(log_probs.double().numpy())
    found = alone(BeamDecoder(beam_size=2000, n_best=2000, **WIDE), log_probs)
    if not expected:
        assert found == [Candidate((), -math.inf)]
        return
    assert {candidate.tokens for candidate in found} == expected.keys()
    assert [candidate.score for candidate in found] == sorted((c.score for c in found), reverse=True)
    assert [c.score for c in found] == pytest.approx([expected[c.tokens] for c in found], abs=1e-9)


@given(st.integers(0, 2**31), st.floats(0.708, 0.999), st.integers(2, 6))
@settings(deadline=None)
def test_a_beam_of_one_is_greedy_where_frames_are_sure(seed: int, least: float, num_tokens: int) -> None:
    random = np.random.default_rng(seed)
    best = random.integers(0, num_tokens, 30)
    probs = random.random((30, num_tokens)) ** 3
    probs[np.arange(30), best] = 0
    probs *= (1 - least) / probs.sum(axis=1, keepdims=True)
    probs[np.arange(30), best] = least
    emissions = Emissions(torch.tensor(probs).log().float()[None], torch.tensor([30]))
    (greedy,), (beam,) = GreedyDecoder().decode(emissions), BeamDecoder(beam_size=1).decode(emissions)
    assert beam[0].tokens == greedy[0].tokens
    assert beam[0].score >= greedy[0].score - 1e-4


def test_a_beam_of_one_may_differ_from_greedy_where_frames_are_less_sure() -> None:
    path = torch.tensor([[0.4, 0.6], [0.6, 0.4], [0.4, 0.6]]).log()  # a-a; but the paths of `a` outweigh its repetition
    (greedy,) = GreedyDecoder().decode(Emissions(path[None], torch.tensor([3])))[0]
    assert greedy.tokens == (1, 1)
    assert alone(BeamDecoder(beam_size=1), path)[0].tokens == (1,)


@pytest.mark.parametrize("garbage", [math.nan, 1e9, math.inf, -math.inf])
def test_a_ragged_batch_is_its_examples_alone(garbage: float) -> None:
    decoder = BeamDecoder(beam_size=4, n_best=3)
    lengths = [7, 0, 1, 12, 5]
    log_probs = random_log_probs(5, 12, 6, seed=1)
    expected = [alone(decoder, row[:length]) for row, length in zip(log_probs, lengths, strict=True)]
    for row, length in zip(log_probs, lengths, strict=True):
        row[length:] = garbage
    assert decoder.decode(Emissions(log_probs, torch.tensor(lengths))) == expected


def test_threads_change_nothing() -> None:
    decoder = BeamDecoder(n_best=4)
    emissions = Emissions(random_log_probs(9, 40, 8, seed=2), torch.arange(32, 41))
    expected = decoder.decode(emissions)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert decoder.decode(emissions) == expected
    finally:
        torch.set_num_threads(threads)


def test_ties_fall_the_same_way_each_time() -> None:
    decoder = BeamDecoder(beam_size=5, n_best=5)
    flat = torch.full((6, 5), math.log(0.2))
    first = alone(decoder, flat)
    assert len(first) == 5
    assert all(alone(decoder, flat) == first for _ in range(3))


def test_nothing_can_be_told_from_no_probability() -> None:
    decoder = BeamDecoder()
    assert alone(decoder, torch.full((4, 3), -math.inf)) == [Candidate((), -math.inf)]
    assert alone(decoder, torch.full((4, 3), math.nan)) == [Candidate((), -math.inf)]
    assert alone(decoder, torch.zeros(4, 1)) == [Candidate((), 0.0)]
    assert alone(decoder, torch.zeros(0, 3)) == [Candidate((), 0.0)]
    assert decoder.decode(Emissions(torch.zeros(0, 4, 3), torch.zeros(0, dtype=torch.int64))) == []


def test_thousands_of_unlikely_frames_stay_within_a_double() -> None:
    log_probs = torch.full((3000, 3), -400.0)
    log_probs[::2, 1] = -300.0
    (found,) = alone(BeamDecoder(), log_probs)
    assert math.isfinite(found.score)
    assert -400.0 * 3000 <= found.score <= -300.0 * 1500 - 390.0 * 1500


def test_a_frame_of_unlikely_tokens_still_grows_by_its_likeliest() -> None:
    log_probs = torch.full((1, 5000), math.log(1e-4))
    log_probs[0, 4321] = math.log(2e-4)
    decoder = BeamDecoder(beam_size=3, n_best=3, beam_threshold=math.inf)
    assert [candidate.tokens for candidate in alone(decoder, log_probs)] == [(4321,), ()]


def test_thousands_of_tokens() -> None:
    log_probs = random_log_probs(50, 5000, seed=3, scale=6.0)
    expected = GreedyDecoder().decode(Emissions(log_probs[None], torch.tensor([50])))[0][0]
    (found,) = alone(BeamDecoder(), log_probs)
    assert found.score >= expected.score - 1e-3


def test_the_same_text_comes_once() -> None:
    tokenizer = CharacterTokenizer(["a", " "])
    decoder = BeamDecoder(beam_size=500, n_best=500, **WIDE)
    log_probs = random_log_probs(5, 3, seed=4)
    every = alone(decoder, log_probs)
    decoder.spell_with(tokenizer)
    found = alone(decoder, log_probs)
    texts = [tokenizer.decode(candidate.tokens) for candidate in found]
    assert sorted(texts) == sorted({tokenizer.decode(candidate.tokens) for candidate in every})
    assert found == [
        c
        for i, c in enumerate(every)
        if tokenizer.decode(c.tokens) not in {tokenizer.decode(other.tokens) for other in every[:i]}
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"beam_size": 0},
        {"n_best": 17},
        {"n_best": 0},
        {"token_min_logp": 0.5},
        {"beam_threshold": 0},
        {"token_min_logp": math.nan},
        {"beam_threshold": math.nan},
    ],
)
def test_options_that_no_search_can_have(options: dict[str, float]) -> None:
    with pytest.raises(UserError, match=f"decoder.{next(iter(options))}="):
        build({"_target_": "seqrec.ctc.beam.BeamDecoder", **options}, "decoder")


def test_without_numba_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "numba":
            raise ImportError("No module named 'numba'")
        return importing(name, *rest, **more)

    for name in [name for name in sys.modules if name.startswith(("seqrec.ctc.p", "seqrec.ctc.best_few"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UserError, match=r"pip install 'seqrec\[beam\]'"):
        BeamDecoder()
