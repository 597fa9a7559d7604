"""Bezier curves: what must be recovered, what must be bounded, and their invariances."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqrec.errors import UserError
from seqrec.formats.ink import Ink
from seqrec.ink.bezier import BezierCurves, _describe
from seqrec.ink.curve_fitting import ITERATIONS, fit_curves, fit_strokes
from seqrec.sequence import pad_signals

CUBIC = np.array([[0, 0], [10, 40], [60, 30], [80, 5]], dtype=np.float64)


def as_batch(*inks: Ink) -> tuple[Tensor, Tensor]:
    return pad_signals([torch.from_numpy(ink.to_signal()) for ink in inks])


def frames_of(ink: Ink, front_end: BezierCurves | None = None) -> np.ndarray:
    return (front_end or BezierCurves())(*as_batch(ink)).values[0].numpy()


def cubic(controls: np.ndarray, s: np.ndarray) -> np.ndarray:
    weights = np.column_stack([(1 - s) ** 3, 3 * s * (1 - s) ** 2, 3 * s**2 * (1 - s), s**3])
    return np.asarray(weights @ controls)


def random_ink(seed: int) -> Ink:
    generator = np.random.default_rng(seed)
    strokes, clock, x = [], 0.0, 0.0
    for _ in range(generator.integers(1, 6)):
        n = generator.integers(1, 60)
        phase = np.linspace(0, generator.uniform(0.2, 12), n)
        points = np.column_stack([x + 9 * phase + 20 * np.cos(phase), 30 * np.sin(phase * generator.uniform(0.5, 2))])
        points += generator.normal(0, generator.choice([0.01, 0.3]), points.shape)
        points[generator.random(n) < 0.1] = points[0]  # jumps and pauses
        x = points[-1, 0] + 5
        time = clock + generator.uniform(0.01, 0.03, n).cumsum()
        clock = time[-1] + 0.2
        strokes.append(np.column_stack([points, time]))
    return Ink.from_strokes(strokes, 80.0 if seed % 2 else None)


def angle(base: np.ndarray, arm: np.ndarray) -> float:
    return math.atan2(base[0] * arm[1] - base[1] * arm[0], float(base @ arm))


def test_a_straight_line() -> None:
    frames = frames_of(Ink.from_strokes([[[3 * k, 4 * k, 0.5 * k] for k in (0, 1, 2, 5, 9)]], height=10))
    np.testing.assert_allclose(frames, [[2.7, 3.6, 1 / 3, 1 / 3, 0, 0, 4.5, 0, 0, 1]], atol=1e-5)


def test_a_line_at_uneven_speed_bends_in_time_only() -> None:
    s = np.linspace(0, 1, 12)
    frames = frames_of(Ink.from_strokes([np.column_stack([20 * s, 0 * s, 2 * s + s**2 - 0.5 * s**3])], height=10))
    np.testing.assert_allclose(frames, [[2, 0, 1 / 3, 1 / 3, 0, 0, 2, 1, -0.5, 1]], atol=1e-4)


@settings(deadline=None)
@given(
    direction=st.floats(-math.pi, math.pi),
    length=st.floats(0.1, 1e4),
    heights=st.floats(0.1, 10),
    steps=st.lists(st.floats(0.1, 1), min_size=1, max_size=60),
    speed=st.tuples(st.floats(0.1, 10), st.floats(0, 10), st.floats(0, 10)),
)
def test_any_straight_line_has_thirds_and_no_angles(
    direction: float, length: float, heights: float, steps: list[float], speed: tuple[float, float, float]
) -> None:
    s = np.cumsum([0, *steps]) / sum(steps)
    chord, time = np.array([math.cos(direction), math.sin(direction)]), s[:, None] ** [1, 2, 3] @ speed
    ink = Ink.from_strokes([np.column_stack([length * s[:, None] * chord, time])], length / heights)
    (frame,) = frames_of(ink)
    rounding = 1e-3 if len(s) == 3 else 1e-4  # one point inside determines one of the two bends
    np.testing.assert_allclose(frame[:2], heights * chord, atol=1e-5)
    np.testing.assert_allclose(frame[2:6], [1 / 3, 1 / 3, 0, 0], atol=rounding)
    assert frame[6:9].sum() == pytest.approx(time[-1], rel=1e-5)
    if len(s) > 3:
        np.testing.assert_allclose(frame[6:9], speed, atol=1e-3 * time[-1])


@pytest.mark.parametrize("controls", [CUBIC, CUBIC[::-1], CUBIC * [-1, 1], CUBIC[[0, 2, 1, 3]]])
def test_a_single_cubic_is_recovered(controls: np.ndarray) -> None:
    s = np.linspace(0, 1, 40)
    points = BezierCurves()._pieces(*as_batch(Ink.from_strokes([cubic(controls, s)], height=50))).points
    (frame,) = _describe(fit_strokes(points, tolerance=0.05, iterations=300), points.values)
    a, b, c, d = controls
    chord = d - a
    expected = [*(chord / 50), *(np.linalg.norm([b - a, c - d], axis=1) / np.linalg.norm(chord))]
    np.testing.assert_allclose(frame[:4], expected, atol=2e-2)
    np.testing.assert_allclose(frame[4:6], [angle(chord, b - a), angle(-chord, c - d)], atol=2e-2)


def distances(points: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Of each point to the nearest of many points of a curve."""
    fine = cubic(curve, np.linspace(0, 1, 1000))
    return np.asarray(np.hypot(*(points[:, None] - fine[None]).transpose(2, 0, 1)).min(axis=1))


def turned(vector: np.ndarray, angle: float) -> np.ndarray:
    x, y = vector
    return np.array([x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)])


def rebuilt(frame: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The four control points of the curve that a frame describes, from where it starts."""
    chord = frame[:2]
    near, far = frame[2] * turned(chord, frame[4]), frame[3] * turned(-chord, frame[5])
    return np.array([start, start + near, start + chord + far, start + chord])


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32), tolerance=st.floats(0.005, 0.1))
def test_no_point_is_farther_than_the_tolerance_from_the_curve_of_its_frame(seed: int, tolerance: float) -> None:
    front_end, ink = BezierCurves(tolerance), replace(random_ink(seed), height=80.0)
    frames, batch = frames_of(ink, front_end).astype(np.float64), as_batch(ink)
    borders = front_end.frame_positions(*batch)[0].long().tolist()
    points, starts = batch[0][0, :, :2].numpy() / 80, np.cumsum([[0, 0], *frames[:, :2]], axis=0)
    for frame, start, first, end in zip(frames, starts, borders, borders[1:], strict=False):
        is_drawn = first < end
        assert frame[9] == is_drawn
        if is_drawn:
            assert distances(points[first:end], rebuilt(frame, start)).max() <= tolerance + 5e-4
    assert (borders[0], borders[-1]) == (0, len(points))


@pytest.mark.parametrize("seed", range(12))
def test_curves_and_moves_lead_from_the_first_to_the_last_point(seed: int) -> None:
    ink = random_ink(seed)
    frames = frames_of(ink)
    signal = ink.to_signal()
    scale = signal[0, 5] if seed % 2 else 1.2 * np.ptp(signal[:, 1])
    assert np.isfinite(frames).all()
    np.testing.assert_allclose(frames[:, :2].sum(0), (signal[-1] - signal[0])[:2] / scale, atol=1e-4)
    np.testing.assert_allclose(frames[:, 6:9].sum(), signal[-1, 2] - signal[0, 2], atol=1e-4)
    assert (frames[:, 9] == 0).sum() == len(ink.strokes) - 1
    assert (frames[:, 2:4] <= 3.001).all()


def test_curves_are_far_fewer_than_points() -> None:
    phase = np.linspace(0, 20, 400)
    ink = Ink.from_strokes([np.column_stack([10 * phase + 12 * np.cos(phase), 30 * np.sin(phase)])], height=80)
    assert len(frames_of(ink)) < 400 / 10


def test_neighbours_are_joined_again() -> None:
    ink = random_ink(1)
    front_end = BezierCurves()
    pieces = front_end._pieces(*as_batch(ink))
    again = fit_strokes(pieces.points, front_end.tolerance)
    assert torch.equal(again.first, pieces.curves.first)
    pairs = torch.nonzero(pieces.points.strokes[again.first[1:]] == pieces.points.strokes[again.first[:-1]])[:, 0]
    assert len(pairs)
    _, passes = fit_curves(pieces.points, again.first[pairs], again.last[pairs + 1], 0.02, ITERATIONS)
    assert not passes.any()


def test_a_corner_parts_two_lines() -> None:
    points = [[k, 0] for k in range(20)] + [[19, k] for k in range(1, 20)]
    frames = frames_of(Ink.from_strokes([points], height=20))
    np.testing.assert_allclose(frames[:, :2], [[0.95, 0], [0, 0.95]], atol=1e-5)


def test_a_way_there_and_back_is_two_curves() -> None:
    points = [[0, k] for k in (*range(20), *range(18, -1, -1))]
    frames = frames_of(Ink.from_strokes([points], height=20))
    np.testing.assert_allclose(frames[:, :2], [[0, 0.95], [0, -0.95]], atol=1e-5)


def test_dots_and_moves() -> None:
    ink = Ink.from_strokes([[[0, 0, 1]], [[10, 0, 2], [10, 0, 2.5], [10, 0, 3]], [[10, 20, 4], [10, 30, 5]]], height=10)
    third = 1 / 3
    expected: list[list[float]] = [
        [0, 0, third, third, 0, 0, 0, 0, 0, 1],
        [1, 0, third, third, 0, 0, 1, 0, 0, 0],
        [0, 0, third, third, 0, 0, 1, 0, 0, 1],
        [0, 2, third, third, 0, 0, 1, 0, 0, 0],
        [0, 1, third, third, 0, 0, 1, 0, 0, 1],
    ]
    np.testing.assert_allclose(frames_of(ink), expected, atol=1e-5)


@pytest.mark.parametrize("garbage", [0.0, 1e9, math.nan])
def test_batch_and_padding_change_nothing(garbage: float) -> None:
    front_end = BezierCurves(slope=True, slant=True, height=True)
    inks = [random_ink(seed) for seed in range(8)]
    signals, lengths = as_batch(*inks)
    signals = torch.cat([signals, torch.zeros(8, 3, 6)], dim=1)
    signals[torch.arange(signals.shape[1]) >= lengths[:, None]] = garbage
    together = front_end(signals, lengths)
    assert torch.equal(front_end.frame_lengths(signals, lengths), together.lengths)
    for ink, values, length in zip(inks, together.values, together.lengths, strict=True):
        assert torch.equal(front_end(*as_batch(ink)).values[0], values[:length])
        assert not values[length:].any()


def test_global_normalisation_is_fitted() -> None:
    inks = [random_ink(seed) for seed in range(6)]
    front_end = BezierCurves()
    front_end.fit(torch.from_numpy(ink.to_signal()) for ink in inks)
    values = torch.cat([front_end(*as_batch(ink)).values[0] for ink in inks])
    torch.testing.assert_close(values.mean(0), torch.zeros(10), atol=1e-3, rtol=0)
    torch.testing.assert_close(values.var(0, unbiased=False), torch.ones(10), atol=1e-3, rtol=0)


def test_wrong_values_are_refused() -> None:
    with pytest.raises(UserError, match="tolerance is 0"):
        BezierCurves(tolerance=0.0)
