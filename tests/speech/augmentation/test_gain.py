from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seqrec.speech.augmentation.gain import Gain

SIGNAL = torch.tensor([[0.5], [-0.25], [0.1]])


def test_decibels() -> None:
    assert Gain(20, 20)(SIGNAL, np.random.default_rng(0)).flatten().tolist() == pytest.approx([5, -2.5, 1])
    assert Gain(20, 20, clip=True)(SIGNAL, np.random.default_rng(0)).flatten().tolist() == pytest.approx([1, -1, 1])
    assert Gain(0, 0)(SIGNAL, np.random.default_rng(0)).equal(SIGNAL)


def test_the_range_is_uniform_in_decibels() -> None:
    augment = Gain(-10, 6)
    found = [augment(SIGNAL, np.random.default_rng(seed)) for seed in range(500)]
    decibels = np.sort([20 * math.log10(float(each[0, 0]) / 0.5) for each in found])
    assert np.abs(decibels - np.linspace(-10, 6, 500)).max() < 16 * 1.63 / math.sqrt(500)  # KS test at 1 %
    together = torch.stack(found)
    torch.testing.assert_close(together / together[:, :1], (SIGNAL / SIGNAL[0]).expand(500, 3, 1))


@pytest.mark.parametrize(("low", "high"), [(1, 0), (-math.inf, 0), (0, math.nan)])
def test_impossible_ranges_are_named(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=f"low_db={low}, high_db={high}"):
        Gain(low, high)
