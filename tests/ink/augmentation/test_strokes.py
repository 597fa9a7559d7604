"""Strokes left out, against which ones they are."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from ink.augmentation.samples import of_points, scribble

from seqrec.ink.augmentation.strokes import StrokeDrop

BODY, BAR, DOT = [[0.0, 0.0], [50.0, 100.0]], [[10.0, 20.0], [40.0, 20.0]], [[20.0, -5.0]]


def strokes_of(signal: torch.Tensor) -> list[np.ndarray]:
    columns = signal.numpy()
    return [columns[columns[:, 4] == number, :4] for number in np.unique(columns[:, 4])]


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_small_strokes_alone_are_left_out() -> None:
    signal = of_points(BODY, BAR, DOT)
    everything = StrokeDrop(1.0, max_size=0.1)(signal, rng(0))
    assert [len(stroke) for stroke in strokes_of(everything)] == [2, 2]  # the dot went
    assert [len(stroke) for stroke in strokes_of(StrokeDrop(1.0, max_size=0.3)(signal, rng(0)))] == [2]


def test_each_goes_with_its_probability() -> None:
    signal = of_points(BODY, DOT, DOT, DOT)
    gone = [4 - len(strokes_of(StrokeDrop(0.2)(signal, rng(seed)))) for seed in range(500)]
    assert 0.15 < np.mean(gone) / 3 < 0.25
    assert max(gone) == 3


def test_the_max_size_stays_in_any_case() -> None:
    (kept,) = strokes_of(StrokeDrop(1.0, max_size=100)(of_points(DOT, BODY, BAR), rng(0)))
    assert len(kept) == 2
    assert kept[1, 1] - kept[0, 1] == 100


@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 2))
def test_what_stays_stays_as_it_was_and_in_order(seed: int, probability: float, max_size: float) -> None:
    before = strokes_of(signal := scribble(seed % 5, num_strokes=6))
    after = strokes_of(StrokeDrop(probability, max_size)(signal, rng(seed)))
    places = [next(n for n, old in enumerate(before) if np.array_equal(old, new, equal_nan=True)) for new in after]
    assert places == sorted(set(places))
    assert after
