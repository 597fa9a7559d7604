"""Timed deltas against plain loops, and their invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.formats.ink import STROKE, Ink
from seqrec.ink.timed_deltas import TimedDeltas
from seqrec.sequence import pad_signals

STEP = 0.05


def as_batch(*inks: Ink) -> tuple[Tensor, Tensor]:
    return pad_signals([torch.from_numpy(ink.to_signal()) for ink in inks])


def frames_of(ink: Ink, front_end: TimedDeltas | None = None) -> np.ndarray:
    return (front_end or TimedDeltas())(*as_batch(ink)).values[0].numpy()


def slow_deltas(ink: Ink, step: float = STEP) -> np.ndarray:
    """The definition stroke by stroke, with NumPy's own interpolation."""
    signal = ink.to_signal().astype(np.float64)
    scale = max(np.ptp(signal[:, 1]), np.ptp(signal[:, 0]) / 100) or 1.0
    rows = []
    for number in range(len(ink.strokes)):
        x, y, t = signal[signal[:, STROKE] == number, :3].T
        x, y = (x - signal[0, 0]) / scale, (y - signal[:, 1].min()) / scale
        arc = np.hypot(np.diff(x), np.diff(y)).sum()
        if arc <= 1e-3 * step:
            rows.append([x[0], y[0], t[0], 1])
            continue
        count = max(2, math.ceil(arc / step - 1e-3))
        times = np.linspace(t[0], t[-1], count)
        rows += [[np.interp(time, t, x), np.interp(time, t, y), time, i == 0] for i, time in enumerate(times)]
    result = np.array(rows, dtype=np.float64)
    return np.column_stack([np.diff(result[:, :3], axis=0, prepend=result[:1, :3]), result[:, 3]])


def random_ink(seed: int) -> Ink:
    generator = np.random.default_rng(seed)
    strokes, clock = [], 1.7e9
    for _ in range(generator.integers(1, 6)):
        n = generator.integers(1, 15)
        moves = generator.normal(0, generator.choice([0.5, 5, 50]), (n, 2)).cumsum(axis=0)
        time = clock + generator.uniform(0.001, 0.1, n).cumsum()
        clock = time[-1] + generator.uniform(0, 1)
        strokes.append(np.column_stack([moves, time]))
    return Ink.from_strokes(strokes, 400.0 if seed % 2 else None)


@pytest.mark.parametrize("seed", range(40))
def test_equal_to_plain_loops(seed: int) -> None:
    ink = random_ink(seed)
    frames, expected = frames_of(ink), slow_deltas(ink)
    assert frames.shape == expected.shape
    np.testing.assert_allclose(frames, expected, rtol=1e-5, atol=1e-6)


def test_a_worked_example() -> None:
    stroke = [[5, 7, 10.0], [5, 11, 11.0], [5, 17, 14.0]]  # 4 units in one second, 6 in three
    frames = frames_of(Ink.from_strokes([stroke, [[9, 7, 15.0]]]), TimedDeltas(step=0.2))
    expected: list[list[float]] = [
        [0, 0, 0, 1],
        [0, 0.4, 1, 0],
        [0, 0.2, 1, 0],
        [0, 0.2, 1, 0],
        [0, 0.2, 1, 0],
        [0.4, -1, 1, 1],
    ]
    np.testing.assert_allclose(frames, expected, atol=1e-6)


def test_a_line_at_constant_speed_has_equal_deltas() -> None:
    points = [[3 * k, 4 * k, 0.01 * k] for k in (0, 1, 2, 5, 7, 20)]
    frames = frames_of(Ink.from_strokes([points]))
    assert len(frames) == 25  # 100 / 80 / 0.05
    np.testing.assert_allclose(frames[1:], np.tile([60 / 80 / 24, 1 / 24, 0.2 / 24, 0], (24, 1)), rtol=1e-5)


def test_the_writing_area_does_not_matter() -> None:
    strokes = random_ink(2).strokes
    np.testing.assert_array_equal(frames_of(Ink.from_strokes(list(strokes), 999.0)), frames_of(random_ink(2)))


def test_strokes_without_extent_are_one_frame() -> None:
    ink = Ink.from_strokes([[[0, 0, 0], [0, 9, 1]], [[5, 5, 2]], [[6, 6, 3], [6, 6, 4]]])
    frames = frames_of(ink, TimedDeltas(step=0.5))
    np.testing.assert_array_equal(frames[:, 3], [1, 0, 1, 1])
    np.testing.assert_allclose(frames[:, 2], [0, 1, 1, 1], atol=1e-6)


def test_a_short_stroke_is_two_frames() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 0, 0], [0, 9, 1]], [[1, 1, 2], [1, 1.01, 3]]]), TimedDeltas(step=0.5))
    np.testing.assert_array_equal(frames[:, 3], [1, 0, 1, 0])


def test_a_clock_that_goes_back_for_a_moment_is_passed_over() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 0, 0], [0, 4, 1.0], [0, 5, 0.9], [0, 8, 2.0]]]), TimedDeltas(step=0.25))
    np.testing.assert_allclose(frames[:, 1].sum(), 1, rtol=1e-5)
    assert (frames[:, 1] >= 0).all()


@pytest.mark.parametrize("times", [[1.0, 1.0, 1.0], [math.nan] * 3, [2.0, 1.5, 1.0]])
def test_a_stroke_without_time_is_refused_or_taken_by_index(times: list[float]) -> None:
    stroke = [[0, y, time] for y, time in zip((0, 4, 6), times, strict=True)]
    batch = as_batch(random_ink(1), Ink.from_strokes([stroke]))
    for measure in (TimedDeltas(), TimedDeltas().frame_lengths):
        with pytest.raises(UserError, match="time stands still"):
            measure(*batch)
    features = TimedDeltas(step=0.2, untimed="index")(*batch)
    assert features.lengths[1] == 5
    np.testing.assert_allclose(features.values[1, :5, 1], [0, 1 / 3, 1 / 3, 1 / 6, 1 / 6], rtol=1e-5)


@pytest.mark.parametrize("garbage", [0.0, 1e9, -1e9, math.nan])
@pytest.mark.parametrize("untimed", ["error", "index"])
def test_batch_and_padding_change_nothing(garbage: float, untimed: str) -> None:
    front_end = TimedDeltas(untimed="index" if untimed == "index" else "error")
    inks = [random_ink(seed) for seed in range(20)]
    signals, lengths = as_batch(*inks)
    signals = torch.cat([signals, torch.zeros(20, 3, 6)], dim=1)
    signals[torch.arange(signals.shape[1]) >= lengths[:, None]] = garbage
    together = front_end(signals, lengths)
    assert torch.equal(front_end.frame_lengths(signals, lengths), together.lengths)
    assert together.values.dtype == torch.float32
    for ink, values, length in zip(inks, together.values, together.lengths, strict=True):
        assert torch.equal(front_end(*as_batch(ink)).values[0], values[:length])
        assert not values[length:].any()


def test_global_normalisation_is_fitted() -> None:
    inks = [random_ink(seed) for seed in range(20)]
    front_end = TimedDeltas(normalize="global")
    front_end.fit(torch.from_numpy(ink.to_signal()) for ink in inks)
    values = torch.cat([front_end(*as_batch(ink)).values[0] for ink in inks])
    torch.testing.assert_close(values.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.var(0, unbiased=False), torch.ones(4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan])
def test_a_step_must_be_positive(step: float) -> None:
    with pytest.raises(UserError, match="step is"):
        TimedDeltas(step)
