"""Resampling against torchaudio's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.exported.resampling import resample, resampled_length
from seqrec.speech.resampling import resample as torch_resample
from seqrec.speech.resampling import resampled_length as torch_length

RATES = [8000, 11025, 12000, 16000, 22050, 32000, 44100, 48000, 96000]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RATES), st.sampled_from(RATES), st.integers(1, 5000))
def test_equal_to_torchaudio(rate: int, new_rate: int, count: int) -> None:
    signal = np.random.default_rng(count).normal(0, 0.3, count).astype(np.float32)
    found = resample(signal, rate, new_rate, "a.wav")
    assert found.dtype == np.float32
    exact = torch_resample(torch.from_numpy(signal).double(), rate, new_rate).numpy()
    np.testing.assert_allclose(found, exact, rtol=0, atol=2e-6)
    # In float32 torchaudio rounds the places of its weights too, which costs it a digit.
    rounded = torch_resample(torch.from_numpy(signal), rate, new_rate).numpy()
    np.testing.assert_allclose(found, rounded, rtol=0, atol=5e-5)


def test_longer_than_what_is_made_at_once() -> None:
    signal = np.sin(np.arange(400_000) / 7).astype(np.float32)
    found = resample(signal, 44100, 16000, "a.wav")
    expected = torch_resample(torch.from_numpy(signal), 44100, 16000).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@given(st.sampled_from([(441, 160), (3, 1), (1, 2), (441, 80)]), st.integers(1, 30_000_000))
def test_lengths_are_torchaudios_where_float32_rounds_them(rates: tuple[int, int], count: int) -> None:
    assert resampled_length(count, *rates) == torch_length(count, *rates)


@pytest.mark.parametrize("rates", [(1, 16000), (2_000_000_011, 16000), (15_999_999, 16_000_000)])
def test_rates_of_damaged_headers(rates: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=r"a\.wav: its rate of"):
        resample(np.zeros(10, np.float32), *rates, "a.wav")
