"""What every front-end of ink must do with any ink."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.formats.ink import Ink
from seqrec.ink.bezier import BezierCurves
from seqrec.ink.deltas import StrokeDeltas
from seqrec.ink.frontend import InkFrontEnd
from seqrec.ink.liwicki import LiwickiFeatures
from seqrec.ink.timed_deltas import TimedDeltas
from seqrec.sequence import pad_signals

FRONT_ENDS = [
    StrokeDeltas(0.5, slope=True, slant=True, height=True),
    TimedDeltas(0.5, untimed="index"),
    LiwickiFeatures(0.5),
    LiwickiFeatures(0.5, slope=False, slant=False, height=False),
    BezierCurves(),
    BezierCurves(slope=True, slant=True, height=True),
]


@st.composite
def inks(draw: st.DrawFn) -> Ink:
    number = st.integers(-50, 50) | st.floats(-100, 100, width=32)
    point = st.tuples(number, number, st.none() | number, st.none() | number)
    strokes: list[Any] = draw(st.lists(st.lists(point, min_size=1, max_size=9), min_size=1, max_size=4))
    return Ink.from_strokes(strokes, draw(st.none() | st.floats(10, 300)))


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@settings(max_examples=15, deadline=None)
@given(batch=st.lists(inks(), min_size=1, max_size=4), garbage=st.sampled_from([0.0, 1e9, -1e9, float("nan")]))
def test_batch_and_padding_change_nothing(front_end: InkFrontEnd, batch: list[Ink], garbage: float) -> None:
    signals, lengths = pad_signals([torch.from_numpy(ink.to_signal()) for ink in batch])
    signals = torch.cat([signals, torch.zeros(len(batch), 3, 6)], dim=1)
    signals[torch.arange(signals.shape[1]) >= lengths[:, None]] = garbage
    together = front_end(signals, lengths)
    assert together.values.dtype == torch.float32
    assert together.values.shape == (len(batch), int(together.lengths.max()), front_end.num_features)
    assert together.values.isfinite().all()
    assert torch.equal(front_end.frame_lengths(signals, lengths), together.lengths)
    positions = front_end.frame_positions(signals, lengths)
    assert positions.shape == (len(batch), together.values.shape[1] + 1)
    for ink, values, length in zip(batch, together.values, together.lengths, strict=True):
        alone = front_end(torch.from_numpy(ink.to_signal())[None], torch.tensor([ink.num_points]))
        assert alone.lengths.tolist() == [length]
        assert torch.equal(alone.values[0], values[:length])
        assert not values[length:].any()
    for ink, borders, length in zip(batch, positions, together.lengths, strict=True):
        own = front_end.frame_positions(torch.from_numpy(ink.to_signal())[None], torch.tensor([ink.num_points]))
        assert torch.equal(borders[: length + 1], own[0])
        assert (borders[length:] == ink.num_points).all()
        assert borders[0] == 0
        assert (borders.diff() >= 0).all()


def test_frames_of_equal_arc_lie_between_the_points_they_pass() -> None:
    ink = Ink.from_strokes([[[x, 0, x] for x in (0, 1, 4)], [[4, 2, 5]], [[5, 2, 6], [5, 1, 7]]], height=1.0)
    signal, length = torch.from_numpy(ink.to_signal())[None], torch.tensor([6])
    borders = StrokeDeltas(1.0, normalize="none").frame_positions(signal, length)[0]
    third = 1 / 3  # of the way from point 1 to point 2, which is three steps long
    places = [0, 1, 1 + third, 1 + 2 * third, 2]
    middles = [(a + b) / 2 for a, b in pairwise(places)]
    torch.testing.assert_close(borders, torch.tensor([0, *middles, 3, 4, 4.5, 6], dtype=torch.float64))


def test_a_stroke_that_stands_still_is_one_frames() -> None:
    ink = Ink.from_strokes([[[0, 0, 0]] * 5, [[3, 0, 1]] * 4], height=1.0)
    signal, length = torch.from_numpy(ink.to_signal())[None], torch.tensor([9])
    for front_end in (StrokeDeltas(1.0, normalize="none"), TimedDeltas(1.0), BezierCurves(normalize="none")):
        borders = front_end.frame_positions(signal, length)[0].tolist()
        assert sorted(set(borders)) == [0, 5, 9]


def test_a_move_of_the_pen_has_no_points_in_curves() -> None:
    ink = Ink.from_strokes([[[0, 0], [1, 0], [2, 0]], [[3, 0], [4, 0]]], height=1.0)
    signal, length = torch.from_numpy(ink.to_signal())[None], torch.tensor([5])
    assert BezierCurves().frame_positions(signal, length).tolist() == [[0, 3, 3, 5]]


def test_delayed_strokes_belong_to_where_they_were_written() -> None:
    stem = [[x, y] for x in range(0, 30, 3) for y in (10, 30)]
    ink = Ink.from_strokes([stem, [[10, 0], [12, 0]], [[40, 10], [40, 30]]])
    signal, length = torch.from_numpy(ink.to_signal())[None], torch.tensor([ink.num_points])
    front_end = LiwickiFeatures(0.1, slope=False, slant=False, height=False)
    borders = front_end.frame_positions(signal, length)[0]
    assert ((borders > 19) & (borders < 22)).sum() > 3  # the pen's way over the dot's points


def test_pauses_are_where_the_pen_was_lifted() -> None:
    inks = [Ink.from_strokes([[[0, 0]] * 3, [[1, 1]], [[2, 2]] * 2]), Ink.from_strokes([[[0, 0]]])]
    signals, lengths = pad_signals([torch.from_numpy(ink.to_signal()) for ink in inks])
    first, second = StrokeDeltas().pauses(signals, lengths)
    assert first.tolist() == [[3, 3], [4, 4]]
    assert second.shape == (0, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_close_on_a_gpu(front_end: InkFrontEnd) -> None:
    generator = torch.Generator().manual_seed(0)
    strokes = [torch.randn(30, 3, generator=generator).cumsum(0).numpy() for _ in range(4)]
    signal = torch.from_numpy(Ink.from_strokes(strokes).to_signal())[None]
    length = torch.tensor([signal.shape[1]])
    expected = front_end(signal, length)
    on_gpu = front_end.cuda()(signal.cuda(), length.cuda())
    front_end.cpu()
    assert torch.equal(on_gpu.lengths.cpu(), expected.lengths)
    torch.testing.assert_close(on_gpu.values.cpu(), expected.values)
