from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.speech.augmentation.shift import TimeShift

RATE = 8000


def speech(seed: int = 0) -> Tensor:
    """A second of quiet noise (0.01), a second of loud (0.3)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2 * RATE, 1, generator=generator) * torch.tensor([0.01, 0.3]).repeat_interleave(RATE)[:, None]


def start_of(signal: Tensor, shifted: Tensor) -> int:
    (start,) = [place for place in range(len(shifted) - len(signal) + 1) if shifted[place].equal(signal[0])]
    return start


def test_the_signal_is_whole_within_quiet() -> None:
    signal, augment = speech(), TimeShift(100, RATE)
    before, after = [], []
    for seed in range(60):
        shifted = augment(signal, np.random.default_rng(seed))
        start = start_of(signal, shifted)
        assert shifted[start : start + len(signal)].equal(signal)
        before.append(start)
        after.append(len(shifted) - start - len(signal))
        quiet = torch.cat([shifted[:start], shifted[start + len(signal) :]])
        assert float(quiet.std()) == pytest.approx(0.0091, abs=0.0015)  # the softest tenth of blocks around 0.01
    for found in (before, after):
        assert 0 <= min(found) < 80
        assert 720 < max(found) <= 800
    assert abs(np.corrcoef(before, after)[0, 1]) < 0.4


def test_an_offset_is_no_noise() -> None:
    shifted = TimeShift(100, RATE)(torch.full((1000, 1), 0.5), np.random.default_rng(0))
    assert ((shifted == 0) | (shifted == 0.5)).all()


@pytest.mark.parametrize("count", [1, 5, 80, 81])
def test_short_signals(count: int) -> None:
    signal = speech()[:count]
    one, again = (TimeShift(50, RATE)(signal, np.random.default_rng(2)) for _ in range(2))
    assert one.equal(again)
    assert one.isfinite().all()
    assert count < len(one) <= count + 800


def test_no_shift_changes_nothing() -> None:
    assert TimeShift(0, RATE)(speech(), np.random.default_rng(0)).equal(speech())


@pytest.mark.parametrize(("max_ms", "rate"), [(-1, RATE), (math.nan, RATE), (math.inf, RATE), (5, 0)])
def test_impossible_settings_are_named(max_ms: float, rate: int) -> None:
    with pytest.raises(ValueError, match=f"max_ms={max_ms}, sample_rate={rate}"):
        TimeShift(max_ms, rate)
