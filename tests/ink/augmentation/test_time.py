"""Warped times, against plain loops."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ink.augmentation.samples import scribble, with_unknown_times

from seqrec.ink.augmentation.time import TimeWarp


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def times_of(signal: torch.Tensor) -> np.ndarray:
    times = signal[:, 2].double().numpy()
    return times[~np.isnan(times)]


@pytest.mark.parametrize("signal", [scribble(), with_unknown_times(scribble(3))])
def test_intervals_get_a_factor_interpolated_between_knots(signal: torch.Tensor) -> None:
    before, after = times_of(signal), times_of(TimeWarp(0.5, 0.3, 0.25)(signal, rng(0)))
    random, span = rng(0), before[-1] - before[0]
    knots = random.standard_normal(int(span / 0.25) + 2) * 0.3
    overall = random.uniform(-log(1.5), log(1.5))
    time = before[0]
    assert after[0] == before[0]
    for n in range(1, len(before)):
        place = (before[n] - before[0]) / 0.25
        left = int(place)
        local = knots[left] + (place - left) * (knots[left + 1] - knots[left])
        time += (before[n] - before[n - 1]) * exp(overall + local)
        assert after[n] == pytest.approx(time, abs=1e-5)


def test_the_whole_takes_more_time_or_less() -> None:
    signal = scribble()
    spans = [np.ptp(times_of(TimeWarp(0.5, 0.0)(signal, rng(seed)))) / np.ptp(times_of(signal)) for seed in range(200)]
    assert 1 / 1.5 - 1e-4 < min(spans) < 0.7
    assert 1.45 < max(spans) < 1.5001


@given(st.integers(0, 2**32), st.floats(0, 3), st.floats(0, 1), st.floats(0.01, 10))
def test_time_keeps_its_order(seed: int, overall: float, deviation: float, seconds: float) -> None:
    signal = scribble(seed % 7)
    assert (np.diff(times_of(TimeWarp(overall, deviation, seconds)(signal, rng(seed)))) >= 0).all()


def test_a_clock_gone_wild_costs_no_memory() -> None:
    signal = scribble()
    signal[20:, 2] += 1e12
    assert TimeWarp(0.1, 0.1, 0.01)(signal, rng(0))[:, 2].isfinite().all()
