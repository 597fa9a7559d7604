"""What every front-end of ink must do with any ink."""

from __future__ import annotations

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
    for ink, values, length in zip(batch, together.values, together.lengths, strict=True):
        alone = front_end(torch.from_numpy(ink.to_signal())[None], torch.tensor([ink.num_points]))
        assert alone.lengths.tolist() == [length]
        assert torch.equal(alone.values[0], values[:length])
        assert not values[length:].any()


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
