"""Stroke deltas against plain loops, and their invariances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqrec.errors import UserError
from seqrec.formats.ink import STROKE, Ink
from seqrec.ink.deltas import StrokeDeltas
from seqrec.sequence import Features, pad_signals

STEP = 0.05


def deltas(*inks: Ink, step: float = STEP, time: bool = True) -> Features:
    signals, lengths = pad_signals([torch.from_numpy(ink.to_signal()) for ink in inks])
    return StrokeDeltas(step, time)(signals, lengths)


def frames_of(ink: Ink, step: float = STEP, time: bool = True) -> np.ndarray:
    return deltas(ink, step=step, time=time).values[0].numpy()


def positions(frames: np.ndarray) -> np.ndarray:
    return np.cumsum(frames[:, :2].astype(np.float64), axis=0)


def slow_deltas(ink: Ink, step: float = STEP) -> np.ndarray:
    """The definition in loops over strokes and points, on the same float32 signal."""
    signal = ink.to_signal().astype(np.float64)
    x, y, height = signal[:, 0], signal[:, 1], signal[0, 5]
    scale = height if height > 0 else 1.2 * max(np.ptp(y), np.ptp(x) / 100)
    scale = scale if scale > 0 else 1.0
    times, last = [], 0.0
    for value in signal[:, 2]:
        last = last if math.isnan(value) else value
        times.append(last)
    rows: list[list[float]] = []
    for number in range(len(ink.strokes)):
        inside = np.flatnonzero(signal[:, STROKE] == number)
        sx, sy = (x[inside] - x[0]) / scale, (y[inside] - y.min()) / scale
        st_, sp = np.array(times)[inside], signal[inside, 3]
        arc = [0.0]
        for i in range(1, len(inside)):
            arc.append(arc[-1] + math.hypot(sx[i] - sx[i - 1], sy[i] - sy[i - 1]))
        rows.append([sx[0], sy[0], st_[0], float(not sp[0] <= 0), 1.0])
        k = 1
        while k * step < arc[-1] - 1e-3 * step:
            i = max(j for j in range(len(arc) - 1) if arc[j] <= k * step)
            w = (k * step - arc[i]) / (arc[i + 1] - arc[i])
            mixed = [v[i] + w * (v[i + 1] - v[i]) for v in (sx, sy, st_, sp)]
            rows.append([*mixed[:3], float(not mixed[3] <= 0), 0.0])
            k += 1
        if arc[-1] > 1e-3 * step:
            rows.append([sx[-1], sy[-1], st_[-1], float(not sp[-1] <= 0), 0.0])
    result = np.array(rows)
    result[1:, :3] -= result[:-1, :3].copy()
    return result


def as_batch(ink: Ink) -> tuple[Tensor, Tensor]:
    return pad_signals([torch.from_numpy(ink.to_signal())])


def random_ink(seed: int, columns: int = 4) -> Ink:
    generator = np.random.default_rng(seed)
    strokes = []
    for _ in range(generator.integers(1, 6)):
        n = generator.integers(1, 15)
        moves = generator.normal(0, generator.choice([0.5, 5, 50]), (n, 2)).cumsum(axis=0)
        moves[generator.random(n) < 0.2] = moves[0]  # pauses and returns
        time = generator.normal(0.01, 0.02, n).cumsum() + 1.7e9  # with jitter backwards
        time[generator.random(n) < 0.2] = math.nan
        pressure = np.where(generator.random(n) < 0.3, 0, generator.random(n))
        strokes.append(np.column_stack([moves, time, pressure])[:, :columns])
    return Ink.from_strokes(strokes, 400.0 if seed % 2 else None)


@pytest.mark.parametrize("seed", range(40))
def test_equal_to_plain_loops(seed: int) -> None:
    ink = random_ink(seed, columns=2 + seed % 3)
    frames, expected = frames_of(ink), slow_deltas(ink)
    assert frames.shape == expected.shape
    np.testing.assert_allclose(frames, expected, rtol=1e-6, atol=2e-7)


def test_a_worked_example() -> None:
    ink = Ink.from_strokes([[[5, 7, 10, 1], [5, 17, 11, 0]], [[9, 7, 12, 1]]], height=20)
    frames = frames_of(ink, step=0.2)
    expected: list[list[float]] = [
        [0, 0, 0, 1, 1],
        [0, 0.2, 0.4, 1, 0],
        [0, 0.2, 0.4, 1, 0],
        [0, 0.1, 0.2, 0, 0],
        [0.2, -0.5, 1, 1, 1],
    ]
    np.testing.assert_allclose(frames, expected, atol=1e-6)


def test_the_first_frame_is_the_height_over_the_least_y() -> None:
    frames = frames_of(Ink.from_strokes([[[3, 30], [3, 10]]], height=100))
    np.testing.assert_allclose(frames[0], [0, 0.2, 0, 1, 1], atol=1e-7)


def test_without_a_height_the_scale_is_the_y_range() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 0], [0, 60]]]))
    np.testing.assert_allclose(frames[:, 1].sum(), 1 / 1.2, rtol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_spacing_along_the_arc_is_the_step(seed: int) -> None:
    generator = np.random.default_rng(seed)
    lengths = generator.uniform(1, 40, 6)
    strokes = [[[10 * i, 0], [10 * i, float(length)]] for i, length in enumerate(lengths)]  # straight: chord = arc
    frames = frames_of(Ink.from_strokes(strokes, height=20), step=0.1)
    starts = np.flatnonzero(frames[:, 4])
    assert len(starts) == 6
    for start, stop, length in zip(starts, [*starts[1:], len(frames)], lengths, strict=True):
        spacing = np.hypot(*frames[start + 1 : stop, :2].T)
        np.testing.assert_allclose(spacing[:-1], 0.1, rtol=1e-5)
        assert 0 < spacing[-1] <= 0.1001
        np.testing.assert_allclose(spacing.sum(), length / 20, rtol=1e-5)


@pytest.mark.parametrize("num_steps", range(1, 40))
def test_an_exact_multiple_of_the_step_leaves_no_sliver(num_steps: int) -> None:
    points = [[0.1 * i, 0.7] for i in range(num_steps * 3 + 1)]
    frames = frames_of(Ink.from_strokes([points], height=6), step=0.05)  # 0.3 a step
    assert len(frames) == num_steps + 1


def test_time_is_linear_along_the_arc() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 0, 100.0], [0, 10, 102.0]]], height=10), step=0.1)
    np.testing.assert_allclose(frames[1:, 2], 0.2, rtol=1e-5)


def test_a_pause_takes_its_time() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 0, 0.0], [0, 1, 1.0], [0, 1, 5.0]], [[0, 1, 6.0]]], height=1), step=0.5)
    np.testing.assert_allclose(frames[:, 2], [0, 0.5, 4.5, 1.0], atol=1e-6)


@pytest.mark.parametrize("shift", [1024.0, -(2.0**20)])
def test_translation_changes_nothing(shift: float) -> None:
    strokes = [np.round(stroke * 64) / 64 for stroke in random_ink(1, columns=2).strokes]  # exact when moved
    moved = [stroke + np.array([shift, -shift, 0, 0]) for stroke in strokes]
    np.testing.assert_array_equal(frames_of(Ink.from_strokes(moved)), frames_of(Ink.from_strokes(strokes)))


@pytest.mark.parametrize("factor", [2.0**-30, 0.5, 2.0**30])
def test_scale_changes_nothing(factor: float) -> None:
    ink = random_ink(2)
    scaled = [stroke * [factor, factor, 1, 1] for stroke in ink.strokes]
    height = None if ink.height is None else ink.height * factor
    np.testing.assert_array_equal(frames_of(Ink.from_strokes(scaled, height)), frames_of(ink))


@pytest.mark.parametrize("columns", [2, 4])
def test_unknown_times_stand_still(columns: int) -> None:
    strokes = [np.pad(s[:, :2], ((0, 0), (0, columns - 2)), constant_values=math.nan) for s in random_ink(3).strokes]
    frames = frames_of(Ink.from_strokes(strokes))
    assert np.isfinite(frames).all()
    assert (frames[:, 2] == 0).all()
    assert (frames[:, 3] == 1).all()  # unknown pressure: down


def test_without_time_the_other_columns_stay() -> None:
    ink = random_ink(4)
    with_time, without = frames_of(ink), frames_of(ink, time=False)
    np.testing.assert_array_equal(without, with_time[:, [0, 1, 4]])
    assert StrokeDeltas().num_features == with_time.shape[1]
    assert StrokeDeltas(time=False).num_features == without.shape[1]


def test_a_single_point_is_one_frame() -> None:
    np.testing.assert_array_equal(frames_of(Ink.from_strokes([[[5, 6, 7]]])), [[0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(frames_of(Ink.from_strokes([[[5, 6], [5, 6]]])), [[0, 0, 0, 1, 1]])


def test_a_dot_in_the_middle_is_one_frame() -> None:
    ink = Ink.from_strokes([[[0, 0], [0, 10]], [[5, 5]], [[8, 0], [8, 10]]], height=10)
    frames = frames_of(ink, step=0.5)
    np.testing.assert_array_equal(frames[:, 4], [1, 0, 0, 1, 1, 0, 0])
    np.testing.assert_allclose(positions(frames)[3], [0.5, 0.5], atol=1e-6)


def test_a_stroke_shorter_than_a_sliver_is_its_first_point() -> None:
    ink = Ink.from_strokes([[[0, 0, 0]], [[0, 1, 1], [0.00004, 1, 3]]], height=1)
    np.testing.assert_allclose(frames_of(ink), [[0, 0, 0, 1, 1], [0, 1, 1, 1, 1]], atol=1e-9)


def test_a_dash_is_bounded() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 3], [1000, 3]]]))
    assert len(frames) == 1 + math.ceil(100 / 1.2 / STEP)
    assert np.isfinite(frames).all()


@st.composite
def inks(draw: st.DrawFn) -> Ink:
    number = st.integers(-50, 50) | st.floats(-100, 100, width=32)
    point = st.tuples(number, number, st.none() | number, st.none() | number)
    strokes: list[Any] = draw(st.lists(st.lists(point, min_size=1, max_size=6), min_size=1, max_size=4))
    return Ink.from_strokes(strokes, draw(st.none() | st.floats(10, 300)))


@settings(max_examples=60, deadline=None)
@given(st.lists(inks(), min_size=1, max_size=4), st.integers(0, 5), st.booleans())
def test_batch_and_padding_change_nothing(batch: list[Ink], padding: int, time: bool) -> None:
    front_end = StrokeDeltas(0.5, time)
    signals, lengths = pad_signals([torch.from_numpy(ink.to_signal()) for ink in batch])
    signals = torch.cat([signals, torch.zeros(len(batch), padding, signals.shape[2])], dim=1)
    together = front_end(signals, lengths)
    assert together.values.dtype == torch.float32
    assert together.values.isfinite().all()
    assert torch.equal(front_end.frame_lengths(signals, lengths), together.lengths)
    for ink, values, length in zip(batch, together.values, together.lengths, strict=True):
        alone = deltas(ink, step=0.5, time=time)
        assert torch.equal(alone.values[0], values[:length])
        assert alone.lengths.tolist() == [length]
        assert not values[length:].any()


def test_what_lies_in_the_padding_does_not_matter() -> None:
    signal = torch.from_numpy(random_ink(5).to_signal())
    length = torch.tensor([len(signal)])
    for value in (1e6, -1e6, math.nan):
        noise = torch.cat([signal, torch.full((9, 6), value)])[None]
        assert torch.equal(StrokeDeltas()(noise, length).values, StrokeDeltas()(signal[None], length).values)


def test_a_signal_moved_after_reading_is_the_same() -> None:
    signal = torch.tensor([[0, 0, 0, 1, 0, 8], [3, 4, 1, 1, 0, 8], [1, -2, 5, 1, 1, 8]], dtype=torch.float32)
    length = torch.tensor([3])
    moved = signal + torch.tensor([64, 32, 16, 0, 0, 0])
    assert torch.equal(StrokeDeltas()(moved[None], length).values, StrokeDeltas()(signal[None], length).values)


def test_many_inks_at_once() -> None:
    batch = [random_ink(seed) for seed in range(30)]
    together = deltas(*batch)
    for ink, values, length in zip(batch, together.values, together.lengths, strict=True):
        assert torch.equal(deltas(ink).values[0], values[:length])


def test_global_normalisation_is_fitted_and_kept_in_the_state() -> None:
    inks = [random_ink(seed) for seed in range(20)]
    frontend = StrokeDeltas()
    raw = torch.cat([deltas(ink).values[0] for ink in inks])
    frontend.fit(torch.from_numpy(ink.to_signal()) for ink in inks)
    values = torch.cat([frontend(*as_batch(ink)).values[0] for ink in inks])
    changing = raw.std(dim=0) > 1e-4
    assert changing[:3].all()
    torch.testing.assert_close(values[:, changing].mean(0), torch.zeros(int(changing.sum())), atol=1e-4, rtol=0)
    torch.testing.assert_close(values[:, changing].var(0, unbiased=False), torch.ones(int(changing.sum())))
    copy = StrokeDeltas()
    copy.load_state_dict(frontend.state_dict())
    assert torch.equal(copy(*as_batch(inks[0])).values, frontend(*as_batch(inks[0])).values)


def test_without_normalisation_nothing_is_fitted() -> None:
    frontend = StrokeDeltas(normalize="none")
    frontend.fit(iter([]))
    assert torch.equal(frontend.normalisation.deviation, torch.ones(5))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_equal_on_a_gpu() -> None:
    signals, lengths = pad_signals([torch.from_numpy(random_ink(seed).to_signal()) for seed in range(20)])
    on_gpu = StrokeDeltas()(signals.cuda(), lengths.cuda())
    expected: Tensor = StrokeDeltas()(signals, lengths).values
    assert torch.equal(on_gpu.values.cpu(), expected)


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan])
def test_a_step_must_be_positive(step: float) -> None:
    with pytest.raises(UserError, match="step is"):
        StrokeDeltas(step)
