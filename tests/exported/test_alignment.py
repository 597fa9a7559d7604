"""Alignment of one example in NumPy against that of batches in torch: the same paths, among equal scores too."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.ctc import align as batched
from seqrec.ctc.confidence import token_confidences
from seqrec.exported.alignment import align
from seqrec.sequence import Emissions


def draw(num_frames: int, num_tokens: int, seed: int, coarse: bool = False) -> np.ndarray:
    log_probs = torch.randn(num_frames, num_tokens, generator=torch.Generator().manual_seed(seed)).mul(2)
    return (log_probs.round() if coarse else log_probs.log_softmax(dim=1)).numpy()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 12), st.lists(st.integers(1, 3), max_size=7), st.integers(0, 999), st.booleans(), st.floats(0.1, 9)
)
def test_equal_to_torch(num_frames: int, tokens: list[int], seed: int, coarse: bool, temperature: float) -> None:
    log_probs = draw(num_frames, 4, seed, coarse)
    emissions = Emissions(torch.from_numpy(log_probs)[None], torch.tensor([num_frames]))
    targets, lengths = torch.tensor([tokens], dtype=torch.int64), torch.tensor([len(tokens)])
    alignment = batched.align(emissions, targets, lengths)
    found = align(log_probs, tokens, temperature)
    assert found.score == alignment.log_probs.item()
    if tokens and np.isfinite(found.score):
        assert [found.firsts, found.lasts] == [alignment.starts().tolist()[0], alignment.ends().tolist()[0]]
        expected = token_confidences(emissions, alignment, targets, lengths, temperature)
        np.testing.assert_allclose(found.confidences, expected[0].numpy(), rtol=1e-12)
    else:
        assert not found.firsts


def test_paths_without_any_probability() -> None:
    log_probs = np.full((5, 3), -np.inf, dtype=np.float32)
    assert align(log_probs, [1, 2], 1.0).score == -np.inf
    log_probs[:, 0] = 0.0
    assert align(log_probs, [], 1.0).score == 0.0
    assert align(log_probs, [1], 1.0).firsts == ()


@pytest.mark.slow
def test_speech_is_aligned_a_hundred_times_as_fast_as_it_is_spoken() -> None:
    """Of 33 frames and 15 characters a second."""
    for seconds in (10, 60):
        tokens = np.random.default_rng(0).integers(1, 29, 15 * seconds).tolist()
        log_probs = draw(33 * seconds, 29, 0)
        start = time.process_time()
        align(log_probs, tokens, 1.0)
        assert time.process_time() - start < seconds / 100
