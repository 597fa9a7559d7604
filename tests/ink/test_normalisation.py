"""Slope, slant and height: what was turned is turned back, what has none stays."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.formats.ink import HEIGHT, Ink, X, Y
from seqrec.ink.core_zone import core_zone
from seqrec.ink.deltas import StrokeDeltas
from seqrec.ink.exact_sums import exact_sum
from seqrec.ink.normalisation import InkNormalisation
from seqrec.sequence import length_mask, pad_signals


def as_batch(*inks: Ink) -> tuple[Tensor, Tensor]:
    return pad_signals([torch.from_numpy(ink.to_signal()) for ink in inks])


def line_of_text(seed: int = 0, letters: int = 14) -> list[np.ndarray]:
    """Upright stems, some long, joined by arcs; one stroke a letter."""
    generator = np.random.default_rng(seed)
    strokes = []
    for number in range(letters):
        top = generator.choice([0, 0, 0, -18])
        stem = np.column_stack([np.full(9, 12.0 * number), np.linspace(top, 20, 9)])
        angle = np.linspace(math.pi, 0, 7)
        arc = np.column_stack([12.0 * number + 4 + 4 * np.cos(angle), 20 + 3 * np.sin(angle)])
        strokes.append(np.concatenate([stem, arc[1:]]))
    return strokes


def moved(strokes: list[np.ndarray], matrix: np.ndarray) -> Ink:
    return Ink.from_strokes([stroke @ matrix.T for stroke in strokes])


def rotation(degrees: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def shear(degrees: float) -> np.ndarray:
    return np.array([[1, -math.tan(math.radians(degrees))], [0, 1]])  # tops to the right


def points_of(ink: Ink, normalisation: InkNormalisation) -> np.ndarray:
    points = normalisation(*as_batch(ink))[0, :, [X, Y]].numpy()
    return np.asarray(points - points[0])


@pytest.mark.parametrize("degrees", [-35, -10, 3, 20, 40])
def test_a_turned_line_is_turned_back(degrees: float) -> None:
    level = InkNormalisation(slope=True)
    expected = points_of(moved(line_of_text(), np.eye(2)), level)
    np.testing.assert_allclose(points_of(moved(line_of_text(), rotation(degrees)), level), expected, atol=1e-3)
    assert abs(np.polyfit(*expected.T, 1)[0]) < 0.05


@pytest.mark.parametrize("degrees", [-40, -15, 5, 25, 50])
def test_the_slant_is_removed(degrees: float) -> None:
    upright = InkNormalisation(slant=True)
    points = points_of(moved(line_of_text(), shear(degrees)), upright)
    expected = points_of(moved(line_of_text(), np.eye(2)), upright)
    heights = np.abs(expected[:, 1]).max()
    assert np.abs(points - expected)[:9].max() <= math.tan(math.radians(2)) * heights  # the first stem


@pytest.mark.parametrize("seed", range(5))
def test_again_it_changes_little(seed: int) -> None:
    normalisation = InkNormalisation(slope=True, slant=True, height=True)
    signals, lengths = as_batch(moved(line_of_text(seed), rotation(12) @ shear(20)))
    once = normalisation(signals, lengths)
    twice = normalisation(once, lengths)
    extent = float((once[0, :, X]).max() - once[0, :, X].min())
    assert float((twice - once)[0, :, :2].abs().max()) < 0.03 * extent
    torch.testing.assert_close(twice[..., HEIGHT], once[..., HEIGHT], rtol=0.1, atol=0)


def test_the_height_is_three_core_zones() -> None:
    ink = moved(line_of_text(), np.eye(2))
    signals = InkNormalisation(height=True)(*as_batch(ink))
    assert (signals[0, :, HEIGHT] == 3 * 23).all()  # stems from 0, arcs down to 23


@pytest.mark.parametrize("stroke", [[[5, 6]], [[5, 6], [5, 6]], [[3, 0], [3, 9]], [[3, 9], [3, 0], [3, 5]]])
def test_what_has_no_slope_or_slant_stays(stroke: list[list[float]]) -> None:
    signals, lengths = as_batch(Ink.from_strokes([stroke], 50.0))
    result = InkNormalisation(slope=True, slant=True)(signals, lengths)
    assert torch.equal(result[..., [X, Y]].float(), signals[..., [X, Y]])
    assert result[..., :2].isfinite().all()


def test_without_any_option_nothing_changes() -> None:
    signals, lengths = as_batch(moved(line_of_text(), rotation(20)))
    torch.testing.assert_close(InkNormalisation()(signals, lengths).float(), signals, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("garbage", [1e9, math.nan])
def test_batch_and_padding_change_nothing(garbage: float) -> None:
    normalisation = InkNormalisation(slope=True, slant=True, height=True)
    inks = [moved(line_of_text(seed, 3 + seed), rotation(seed) @ shear(3 * seed)) for seed in range(6)]
    signals, lengths = as_batch(*inks)
    signals[~length_mask(lengths, signals.shape[1])] = garbage
    together = normalisation(signals, lengths)
    for ink, values, length in zip(inks, together, lengths, strict=True):
        alone = normalisation(*as_batch(ink))[0]
        torch.testing.assert_close(values[:length], alone, rtol=0, atol=0, equal_nan=True)


def test_the_core_zone_is_where_most_strokes_turn() -> None:
    y = [[0, 10, 0, 10, -20, 10, 0, 30, 0, 10]]
    signals, lengths = as_batch(Ink.from_strokes([[[x, value] for x, value in enumerate(y[0])]]))
    corpus_line, baseline = core_zone(signals.double(), length_mask(lengths, 10))
    assert (float(corpus_line), float(baseline)) == (0, 10)


def test_a_dot_is_its_own_core_zone() -> None:
    signals, lengths = as_batch(Ink.from_strokes([[[3, 7]]]))
    assert [float(line) for line in core_zone(signals.double(), length_mask(lengths, 1))] == [0, 0]


def test_exact_sums_do_not_depend_on_order() -> None:
    values = torch.randn(3, 1000, dtype=torch.float64)
    mask = torch.rand(3, 1000) < 0.7
    order = torch.randperm(1000)
    assert torch.equal(exact_sum(values, mask), exact_sum(values[:, order], mask[:, order]))
    torch.testing.assert_close(exact_sum(values, mask), (values * mask).sum(1, keepdim=True))


def test_a_front_end_normalises_first() -> None:
    signals, lengths = as_batch(moved(line_of_text(), rotation(12) @ shear(20)))
    normalised = InkNormalisation(slope=True, slant=True, height=True)(signals, lengths)
    expected = StrokeDeltas()(normalised, lengths)
    result = StrokeDeltas(slope=True, slant=True, height=True)(signals, lengths)
    assert torch.equal(result.values, expected.values)
    assert not torch.equal(result.lengths, StrokeDeltas()(signals, lengths).lengths)
