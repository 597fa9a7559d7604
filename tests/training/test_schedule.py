from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.training.schedule import Constant, WarmupCosine


def test_a_worked_example() -> None:
    schedule = WarmupCosine(warmup=0.2, start=0.1, end=0.0)
    assert schedule.factor(0.0) == pytest.approx(0.1)
    assert schedule.factor(0.1) == pytest.approx(0.55)
    assert schedule.factor(0.2) == pytest.approx(1.0)
    assert schedule.factor(0.6) == pytest.approx(0.5)
    assert schedule.factor(1.0) == pytest.approx(0.0)


@given(st.floats(0, 0.9), st.floats(-1, 2))
def test_it_stays_between_its_ends_and_the_peak(warmup: float, progress: float) -> None:
    factor = WarmupCosine(warmup=warmup, start=0.05, end=0.01).factor(progress)
    assert 0.01 - 1e-9 <= factor <= 1 + 1e-9
    assert math.isfinite(factor)


def test_it_only_falls_after_the_warm_up() -> None:
    factors = [WarmupCosine(warmup=0.1).factor(i / 100) for i in range(10, 101)]
    assert factors == sorted(factors, reverse=True)


def test_constant() -> None:
    assert {Constant().factor(progress / 10) for progress in range(11)} == {1.0}
