"""The 25 features against a slow reading of their definition, point by point, and their invariances."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.formats.ink import Ink
from seqrec.ink.liwicki import LiwickiFeatures
from seqrec.sequence import pad_signals

STEP = 0.05
PEN, HAT, SPEED, X_MOVED, Y_UP, COS, SIN, CURVE_COS, CURVE_SIN = range(9)
ASPECT, SLOPE_COS, SLOPE_SIN, CURLINESS, LINEARITY, ASCENDERS, DESCENDERS = range(9, 16)
MAP = slice(16, 25)


def plain(step: float = STEP) -> LiwickiFeatures:
    return LiwickiFeatures(step, slope=False, slant=False, height=False)


def as_batch(*inks: Ink) -> tuple[Tensor, Tensor]:
    return pad_signals([torch.from_numpy(ink.to_signal()) for ink in inks])


def frames_of(ink: Ink, front_end: LiwickiFeatures | None = None) -> np.ndarray:
    return (front_end or plain())(*as_batch(ink)).values[0].numpy()


def random_ink(seed: int, with_time: bool = True) -> Ink:
    """Loops that wander to the right, and short strokes above them."""
    generator = np.random.default_rng(seed)
    strokes, clock, x = [], 0.0, 0.0
    for _ in range(generator.integers(1, 6)):
        n = generator.integers(2, 25)
        phase = np.linspace(0, generator.uniform(1, 12), n)
        points = np.column_stack([x + 9 * phase + 8 * np.cos(phase), 20 * np.sin(phase * generator.uniform(0.5, 2))])
        x = points[-1, 0] + 5
        time = clock + generator.uniform(0.01, 0.03, n).cumsum()
        clock = time[-1] + 0.2
        strokes.append(np.column_stack([points, time])[:, : 3 if with_time else 2])
        if generator.random() < 0.6:
            dot = np.array([[x - 30, -45, clock], [x - 28 + generator.random(), -44, clock + 0.02]])
            strokes.append(dot[: generator.integers(1, 3), : 3 if with_time else 2])
    return Ink.from_strokes(strokes, 80.0 if seed % 2 else None)


def slow_zone(strokes: list[np.ndarray]) -> tuple[float, float]:
    tops, bottoms = [], []
    for stroke in strokes:
        y = [stroke[0, 1]] + [b for a, b in zip(stroke[:-1, 1], stroke[1:, 1], strict=True) if a != b]
        for i in range(len(y)):
            around = ([y[i - 1]] if i else []) + y[i + 1 : i + 2]
            tops += [y[i]] if around and all(y[i] < other for other in around) else []
            bottoms += [y[i]] if around and all(y[i] > other for other in around) else []
    every = np.concatenate(strokes)[:, 1]
    if tops and bottoms:
        top, bottom = sorted(tops)[(len(tops) - 1) // 2], sorted(bottoms)[(len(bottoms) - 1) // 2]
        if bottom - top > 0.15 * np.ptp(every):
            return top, bottom
    return every.min(), every.max()


def slow_delayed(strokes: list[np.ndarray], corpus_line: float) -> list[bool]:
    result = []
    for i, stroke in enumerate(strokes):
        right = stroke[:, 0].max()
        earlier = max((other[:, 0].max() for other in strokes[:i]), default=-math.inf)
        goes_on = i + 1 == len(strokes) or strokes[i + 1][:, 0].max() > right
        result.append(bool(stroke[:, 1].max() < corpus_line and right < earlier and goes_on))
    return result


def slow_way(strokes: list[np.ndarray], scale: float, step: float) -> list[tuple[float, float, bool, float]]:
    """(x, y, pen down, speed) every step along the strokes and the straight lines between them."""
    points = []
    for number, stroke in enumerate(strokes):
        for i, point in enumerate(stroke):
            a, b = stroke[max(i - 1, 0)], stroke[min(i + 1, len(stroke) - 1)]
            dt = b[2] - a[2]
            points.append((*point[:2], number, math.hypot(*(b - a)[:2]) / dt / scale if dt >= 1e-3 else 0.0))
    arcs = [0.0]
    for a, b in pairwise(points):
        arcs.append(arcs[-1] + math.hypot(b[0] - a[0], b[1] - a[1]) / scale)
    targets = [k * step for k in range(math.ceil(arcs[-1] / step - 1e-3))] + [arcs[-1]] if len(points) > 1 else [0.0]
    frames = []
    for target in targets:
        i = max((j for j in range(len(arcs) - 1) if arcs[j] <= target), default=0)
        a, b = points[i], points[min(i + 1, len(points) - 1)]
        w = (target - arcs[i]) / (arcs[min(i + 1, len(points) - 1)] - arcs[i] or 1)
        x, y, speed = (a[k] + w * (b[k] - a[k]) for k in (0, 1, 3))
        frames.append((x, y, a[2] == b[2] or w < 1e-6 or w > 1 - 1e-6, speed))
    return frames


def slow_features(ink: Ink, step: float = STEP) -> np.ndarray:
    signal = ink.to_signal().astype(np.float64)
    strokes = [np.nan_to_num(signal[signal[:, 4] == number, :3]) for number in range(len(ink.strokes))]
    height = signal[0, 5]
    scale = height if height > 0 else 1.2 * max(np.ptp(signal[:, 1]), np.ptp(signal[:, 0]) / 100)
    corpus_line, baseline = slow_zone(strokes)
    delayed = slow_delayed(strokes, corpus_line)
    hats = [stroke for stroke, late in zip(strokes, delayed, strict=True) if late]
    way = slow_way([stroke for stroke, late in zip(strokes, delayed, strict=True) if not late], scale, step)
    zone = (baseline - corpus_line) / scale
    points = np.array([(x / scale, (baseline - y) / scale) for x, y, _, _ in way])
    drawn = np.array([down for _, _, down, _ in way])

    def at(i: int) -> np.ndarray:
        return points[min(max(i, 0), len(points) - 1)]

    def unit(v: np.ndarray) -> np.ndarray:
        return v / np.linalg.norm(v) if v.any() else v

    def turned(i: int) -> np.ndarray:
        i = min(max(i, 0), len(points) - 1)
        return unit(at(i + 1) - at(i - 1))

    rows = []
    for i, (x, _, down, speed) in enumerate(way):
        five = np.array([at(j) for j in range(i - 2, i + 3)])
        width, tall = np.ptp(five, axis=0)
        slope = unit(five[4] - five[0])
        line = np.array([-slope[1], slope[0]])
        squares = [((p - five[0]) @ line) ** 2 if slope.any() else ((p - five[0]) ** 2).sum() for p in five]
        length = sum(np.linalg.norm(b - a) for a, b in pairwise(five))
        before, after = turned(i - 1), turned(i + 1)
        reach = round(1 / step)
        near = points[max(0, i - reach) : i + reach + 1, 0]
        cell = zone / 2 or 0.5
        away = (points - points[i]) / cell
        inside = drawn & (np.abs(away[:, 0]) < 1.5)
        margin = (zone or 1) / 4
        row = [down, any(h[:, 0].min() <= x <= h[:, 0].max() for h in hats), speed, points[i, 0] - near.mean()]
        row += [points[i, 1], *turned(i), before @ after, before[0] * after[1] - before[1] * after[0]]
        row += [(tall - width) / (tall + width or 1), *slope, length / (max(width, tall) or 1)]
        row += [np.mean(squares) / step**2]
        row += [(inside & (points[:, 1] > (zone or 1) + margin)).sum(), (inside & (points[:, 1] < -margin)).sum()]
        for up in (1, 0, -1):
            for right in (-1, 0, 1):
                row.append((drawn & (np.floor(away + 0.5) == [right, up]).all(axis=1)).sum())
        rows.append(row)
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize("seed", range(20))
def test_equal_to_the_slow_reading(seed: int) -> None:
    ink = random_ink(seed, with_time=seed % 3 > 0)
    frames, expected = frames_of(ink), slow_features(ink)
    assert frames.shape == expected.shape
    np.testing.assert_allclose(frames[:, :ASCENDERS], expected[:, :ASCENDERS], rtol=1e-4, atol=1e-5)
    # a point on the edge of a square may fall to either side
    assert (frames[:, ASCENDERS:] != expected[:, ASCENDERS:]).mean() < 0.01


def test_the_random_inks_have_hats() -> None:
    assert any(frames_of(random_ink(seed))[:, HAT].any() for seed in range(20))


def test_the_dot_of_an_i_becomes_a_hat() -> None:
    stem, onward = [[10.0, y] for y in range(0, 21, 2)], [[x, 20.0 - x % 7] for x in range(10, 60, 2)]
    letters = [*stem, *onward]
    dotted = frames_of(Ink.from_strokes([letters, [[12, -10], [14, -10]], [[70, 0], [70, 20]]], 40.0))
    plain_letters = frames_of(Ink.from_strokes([letters, [[70, 0], [70, 20]]], 40.0))
    hat = dotted[:, HAT] == 1
    assert 1 <= hat.sum() < len(hat) / 4
    assert len(dotted) == len(plain_letters)
    np.testing.assert_allclose(np.delete(dotted, HAT, 1), np.delete(plain_letters, HAT, 1), atol=1e-6)


def test_a_straight_line() -> None:
    frames = frames_of(Ink.from_strokes([[[3 * k, -4 * k, 0.5 * k] for k in range(9)]], height=10))
    inner = frames[2:-2]
    np.testing.assert_allclose(
        inner[:, [COS, SIN, SLOPE_COS, SLOPE_SIN]], [[0.6, 0.8, 0.6, 0.8]] * len(inner), atol=1e-6
    )
    np.testing.assert_allclose(inner[:, [CURVE_COS, CURVE_SIN, LINEARITY]], [[1, 0, 0]] * len(inner), atol=1e-6)
    np.testing.assert_allclose(inner[:, ASPECT], 1 / 7, rtol=1e-4)
    np.testing.assert_allclose(inner[:, CURLINESS], 5 / 4, rtol=1e-4)
    np.testing.assert_allclose(frames[:, SPEED], 1.0, rtol=1e-5)  # 5 units in half a second, of 10
    np.testing.assert_allclose(frames[:, Y_UP], np.linspace(0, 3.2, len(frames)), atol=1e-5)


def test_the_pen_is_up_between_strokes() -> None:
    frames = frames_of(Ink.from_strokes([[[0, 0], [0, 10]], [[10, 10], [10, 0]]], height=10), plain(0.1))
    np.testing.assert_array_equal(frames[:, PEN], [1] * 11 + [0] * 9 + [1] * 11)
    assert frames[15, MAP].reshape(3, 3).sum(axis=0).tolist() == [8, 0, 8]  # nothing drawn on the way itself


def test_ascenders_and_descenders() -> None:
    zigzag = [[5 * k, 20 * (k % 2)] for k in range(10)]
    frames = frames_of(Ink.from_strokes([zigzag, [[60, -20], [60, 20]], [[80, 0], [80, 40]]], height=40))
    assert frames[:9, [ASCENDERS, DESCENDERS]].sum() == 0
    # a zone is 20 high: 15 of the ascender and of the descender count, in steps of 2, and the end
    assert set(frames[frames[:, DESCENDERS] > 0, DESCENDERS]) <= {7.0, 8.0, 9.0}
    assert set(frames[frames[:, ASCENDERS] > 0, ASCENDERS]) <= {7.0, 8.0, 9.0}
    assert frames[-1, DESCENDERS] > 0
    assert frames[-1, ASCENDERS] == 0


@pytest.mark.parametrize("seed", range(8))
def test_bounds(seed: int) -> None:
    frames = frames_of(random_ink(seed))
    assert np.isfinite(frames).all()
    for cos, sin in ((COS, SIN), (CURVE_COS, CURVE_SIN), (SLOPE_COS, SLOPE_SIN)):
        assert (np.hypot(frames[:, cos], frames[:, sin]) <= 1 + 1e-6).all()
    assert (np.abs(frames[:, ASPECT]) <= 1 + 1e-6).all()
    assert (frames[:, CURLINESS] >= 1 - 1e-5).all()
    assert (frames[:, [LINEARITY, *range(14, 25)]] >= 0).all()
    assert (frames[frames[:, PEN] == 1, 20] >= 1).all()  # the point itself


@pytest.mark.parametrize("factor", [2.0**-20, 2.0**10])
def test_place_and_size_change_nothing(factor: float) -> None:
    strokes = [np.round(stroke * 64) / 64 for stroke in random_ink(3).strokes]
    moved = [(stroke + np.array([512, -64, 0, 0])) * [factor, factor, 1, 1] for stroke in strokes]
    np.testing.assert_array_equal(frames_of(Ink.from_strokes(moved)), frames_of(Ink.from_strokes(strokes)))


@pytest.mark.parametrize(
    "stroke", [[[5, 6]], [[5, 6], [5, 6]], [[0, 3], [500, 3]], [[3, 0], [3, 9]], [[1, 1, 5], [2, 2, 5]]]
)
def test_odd_inks_are_finite(stroke: list[list[float]]) -> None:
    frames = frames_of(Ink.from_strokes([stroke]), LiwickiFeatures())
    assert np.isfinite(frames).all()
    assert frames.shape[1] == 25


@pytest.mark.parametrize("garbage", [0.0, 1e9, math.nan])
@pytest.mark.parametrize("normalised", [False, True])
def test_batch_and_padding_change_nothing(garbage: float, normalised: bool) -> None:
    front_end = LiwickiFeatures(0.1) if normalised else plain(0.1)
    inks = [random_ink(seed) for seed in range(12)]
    signals, lengths = as_batch(*inks)
    signals = torch.cat([signals, torch.zeros(12, 3, 6)], dim=1)
    signals[torch.arange(signals.shape[1]) >= lengths[:, None]] = garbage
    together = front_end(signals, lengths)
    assert torch.equal(front_end.frame_lengths(signals, lengths), together.lengths)
    for ink, values, length in zip(inks, together.values, together.lengths, strict=True):
        assert torch.equal(front_end(*as_batch(ink)).values[0], values[:length])
        assert not values[length:].any()


def test_global_normalisation_is_fitted() -> None:
    inks = [random_ink(seed) for seed in range(6)]
    front_end = LiwickiFeatures()
    front_end.fit(torch.from_numpy(ink.to_signal()) for ink in inks)
    values = torch.cat([front_end(*as_batch(ink)).values[0] for ink in inks])
    torch.testing.assert_close(values.mean(0), torch.zeros(25), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.var(0, unbiased=False), torch.ones(25), atol=1e-3, rtol=0)


def test_a_step_must_be_positive() -> None:
    with pytest.raises(UserError, match="step is 0"):
        LiwickiFeatures(0.0)
