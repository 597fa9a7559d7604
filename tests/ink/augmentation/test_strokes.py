"""Strokes left out and put in another order, against which ones they are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ink.augmentation.samples import of_points, scribble

from seqrec.ink.augmentation.strokes import StrokeDrop, StrokeOrder

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


@given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1))
def test_every_stroke_is_there_once_one_way_or_the_other(seed: int, reverse: float, shuffle: float) -> None:
    before = strokes_of(signal := scribble(seed % 5, num_strokes=6))
    after = strokes_of(StrokeOrder(reverse, shuffle)(signal, rng(seed)))
    ways = [{stroke[:, :2].tobytes(), stroke[::-1, :2].copy().tobytes()} for stroke in before]
    places = [next(n for n, way in enumerate(ways) if new[:, :2].tobytes() in way) for new in after]
    assert sorted(places) == list(range(6))


def test_all_orders_and_both_ways_are_drawn_as_often_as_asked() -> None:
    signal = of_points(BODY, BAR, [[70.0, 0.0], [70.0, 9.0]])
    inks = [strokes_of(StrokeOrder(0.25, 0.5)(signal, rng(seed))) for seed in range(2000)]
    starts = [tuple(sorted(stroke[:, 0].tolist())[0] for stroke in ink) for ink in inks]
    shares = {order: starts.count(order) / len(starts) for order in itertools.permutations((0.0, 10.0, 70.0))}
    assert shares.pop((0.0, 10.0, 70.0)) == pytest.approx(0.5 + 0.5 / 6, abs=0.04)
    assert all(share == pytest.approx(0.5 / 6, abs=0.03) for share in shares.values())
    turned = [stroke[0, 0] > stroke[1, 0] for ink in inks for stroke in ink if stroke[0, 0] != stroke[1, 0]]
    assert np.mean(turned) == pytest.approx(0.25, abs=0.03)


@given(st.integers(0, 2**32))
def test_strokes_and_rests_last_as_long_as_before(seed: int) -> None:
    before = strokes_of(signal := scribble(seed % 5, num_strokes=6))
    after = strokes_of(StrokeOrder(0.5, 1.0)(signal, rng(seed)))

    def rests(strokes: list[np.ndarray]) -> list[float]:
        return [float(two[0, 2] - one[-1, 2]) for one, two in itertools.pairwise(strokes)]

    assert rests(after) == pytest.approx(rests(before), abs=1e-4)
    lasting = [sorted(float(stroke[-1, 2] - stroke[0, 2]) for stroke in strokes) for strokes in (before, after)]
    assert lasting[0] == pytest.approx(lasting[1], abs=1e-4)
    assert after[0][0, 2] == pytest.approx(before[0][0, 2], abs=1e-4)
    assert all((np.diff(stroke[:, 2]) >= -1e-5).all() for stroke in after)


def test_a_stroke_from_its_other_end() -> None:
    (stroke,) = strokes_of(StrokeOrder(1.0, 0.0)(of_points([[0, 0, 1.0], [5, 1, 1.5], [9, 2, 3.5]]), rng(0)))
    assert stroke[:, :3].tolist() == [[9, 2, 0.0], [5, 1, 2.0], [0, 0, 2.5]]


@pytest.mark.parametrize(
    ("probabilities", "match"), [((-0.1, 0.0), "reverse=-0.1 must lie"), ((0.0, 1.1), "shuffle=1.1")]
)
def test_orders_of_no_probability(probabilities: tuple[float, float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        StrokeOrder(*probabilities)
