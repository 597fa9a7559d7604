from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqrec.training.schedule import Constant, Noam, OneCycle, Plateau, WarmupCosine


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


def optimizer(lr: float = 1.0) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def test_one_cycle_is_torchs() -> None:
    theirs = optimizer()
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        theirs, max_lr=1.0, total_steps=101, pct_start=0.3, cycle_momentum=False
    )
    ours = OneCycle(warmup=0.293)  # torch has its peak at pct_start * total_steps - 1
    for step in range(101):
        assert ours.factor(step / 100) == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-9)
        theirs.step()
        schedule.step() if step < 100 else None


def test_noam_is_the_papers() -> None:
    size, warmup = 512, 40
    rates = [size**-0.5 * min(step**-0.5, step * warmup**-1.5) for step in range(1, 400)]
    found = [Noam(warmup).factor(0.0, step) for step in range(399)]
    assert found == pytest.approx([rate / max(rates) for rate in rates])


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(0, 3), st.integers(0, 40))
def test_plateau_is_torchs_even_when_resumed(scores: list[float], patience: int, resumed: int) -> None:
    theirs, ours = optimizer(), Plateau(patience=patience, warmup_steps=1, end=0.01)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        theirs, factor=0.5, patience=patience, threshold=0.005, min_lr=0.01
    )
    for number, score in enumerate(scores):
        schedule.step(score)
        ours.observe(score)
        assert ours.factor(0.0, 5) == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-7)
        if number == resumed:
            state, ours = ours.state_dict(), Plateau(patience=patience, warmup_steps=1, end=0.01)
            ours.load_state_dict(state)


def test_plateau_warms_up() -> None:
    assert [Plateau(warmup_steps=4).factor(0.0, step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
