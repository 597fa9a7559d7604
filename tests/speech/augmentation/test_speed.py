"""Speed perturbation against known tones, and the lengths it gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.speech.audio import resampled_length
from seqrec.speech.augmentation.speed import SpeedPerturbation
from seqrec.speech.portable_torchaudio import torchaudio


def tone(cycles_per_sample: float, count: int) -> Tensor:
    return torch.sin(2 * math.pi * cycles_per_sample * torch.arange(count, dtype=torch.float64)).float()[:, None]


@pytest.mark.parametrize("factor", [0.9, 1.1, 0.83, 2.0])
def test_a_tone_rises_by_the_factor(factor: float) -> None:
    found = SpeedPerturbation((factor,))(tone(0.05, 4000), np.random.default_rng(0))
    assert len(found) == resampled_length(4000, round(100 * factor), 100) == math.ceil(4000 / factor)
    torch.testing.assert_close(found[100:-100], tone(0.05 * factor, len(found))[100:-100], atol=0.01, rtol=0)


def test_equal_to_resampling() -> None:
    signal = torch.randn(1234, 1, generator=torch.Generator().manual_seed(0))
    found = SpeedPerturbation((0.9,))(signal, np.random.default_rng(0))
    torch.testing.assert_close(found[:, 0], torchaudio.functional.resample(signal[:, 0], 9, 10), atol=1e-5, rtol=0)
    assert found.is_contiguous()


def test_each_factor_is_as_likely() -> None:
    augment, signal = SpeedPerturbation(), tone(0.05, 99)
    lengths = [len(augment(signal, np.random.default_rng(seed))) for seed in range(600)]
    assert {length: lengths.count(length) for length in set(lengths)} == {
        length: pytest.approx(200, abs=45) for length in (110, 99, 90)
    }


def test_uniform_draws_every_hundredth() -> None:
    augment = SpeedPerturbation((1.05, 0.95), uniform=True)
    lengths = {len(augment(tone(0.05, 1000), np.random.default_rng(seed))) for seed in range(300)}
    assert lengths == {math.ceil(100_000 / speed) for speed in range(95, 106)}


def test_short_signals_and_the_same_draw_twice() -> None:
    augment = SpeedPerturbation((0.5, 1.3))
    for count in (1, 2, 50):
        signal = tone(0.05, count)
        before = signal.clone()
        one, again = (augment(signal, np.random.default_rng(3)) for _ in range(2))
        assert len(one) >= 1
        assert one.equal(again)
        assert signal.equal(before)


@pytest.mark.parametrize("factors", [(), (0.0,), (0.955,), (-1.0,), (2.5,), (math.nan,), (math.inf,)])
def test_impossible_factors_are_named(factors: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=f"factors.*{factors[0] if factors else 'empty'}"):
        SpeedPerturbation(factors)
