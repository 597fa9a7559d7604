"""Stroke deltas in NumPy against those of the training front-end, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.exported.stroke_deltas import StrokeDeltaFeatures
from seqrec.formats.ink import Ink
from seqrec.ink.deltas import StrokeDeltas

OPTIONS = {
    "_target_": "seqrec.ink.deltas.StrokeDeltas",
    "step": 0.05,
    "time": True,
    "normalize": "none",
    "slope": False,
    "slant": False,
    "height": False,
}


def features(signal: np.ndarray, **options: Any) -> np.ndarray:
    return StrokeDeltaFeatures({**OPTIONS, **options}, None, None, "model.onnx")(signal).values


@st.composite
def signals(draw: st.DrawFn) -> np.ndarray:
    """Inks with equal points, unknown times and pressures, dots, dashes and times that go back."""
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    strokes = []
    for count in draw(st.lists(st.integers(1, 12), min_size=1, max_size=5)):
        points = random.normal(0, draw(st.sampled_from([1e-3, 1.0, 300.0])), (count, 4)).cumsum(axis=0)
        points[random.random(count) < 0.3] = points[0]
        points[:, 2:][random.random((count, 2)) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = math.nan
        strokes.append(points.round(draw(st.sampled_from([0, 6]))))
    if draw(st.booleans()):
        for stroke in strokes:
            stroke[:, 1] = 5.0
    height = draw(st.sampled_from([None, None, 2000.0]))
    extent = np.ptp(np.concatenate(strokes)[:, :2], axis=0).max()
    return Ink(tuple(strokes), height if height and height > extent / 50 else None).to_signal()


@settings(max_examples=150, deadline=None)
@given(signals(), st.booleans(), st.sampled_from([0.05, 0.1, 1.0, 0.0133]))
def test_equal_to_the_training_front_end(signal: np.ndarray, time: bool, step: float) -> None:
    expected = StrokeDeltas(step=step, time=time, normalize="none")(
        torch.from_numpy(signal)[None], torch.tensor([len(signal)])
    )
    found = features(signal, time=time, step=step)
    assert found.shape == expected.values[0].shape
    np.testing.assert_allclose(found, expected.values[0].numpy(), rtol=1e-6, atol=1e-7)


def test_normalised_as_in_training() -> None:
    signal = Ink.from_strokes([[[0, 0, 0], [0, 30, 1], [4, 34, 2]], [[-10, 10, 3], [10, 10, 4]]]).to_signal()
    frontend = StrokeDeltas(normalize="global")
    frontend.fit([torch.from_numpy(signal)])
    mean, deviation = frontend.normalisation.mean.numpy(), frontend.normalisation.deviation.numpy()
    numpy_frontend = StrokeDeltaFeatures({**OPTIONS, "normalize": "global"}, mean, deviation, "model.onnx")
    expected = frontend(torch.from_numpy(signal)[None], torch.tensor([len(signal)])).values[0]
    np.testing.assert_allclose(numpy_frontend(signal).values, expected.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"_target_": "seqrec.ink.bezier.BezierCurves"}, "only stroke deltas"),
        ({"_target_": None}, "only stroke deltas"),
        ({"slant": True}, "frontend.slant"),
        ({"height": 1}, "frontend.height"),
        ({"step": 0}, "frontend.step=0 "),
        ({"step": math.nan}, "frontend.step=nan"),
        ({"step": math.inf}, "frontend.step=inf"),
        ({"step": "0.05"}, "frontend.step='0.05'"),
        ({"step": True}, "frontend.step=True"),
        ({"step": 10**400}, "frontend.step="),
        ({"time": 1}, "frontend.time=1"),
        ({"normalize": "global"}, "no `normalisation`"),
        ({"normalize": []}, "normalisation"),
    ],
)
def test_what_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        features(np.zeros((1, 6), np.float32), **options)


def test_statistics_of_other_features() -> None:
    for size in (3, 6):
        values = np.ones(size, np.float32)
        with pytest.raises(UserError, match=f"normalises {size} features of 5"):
            StrokeDeltaFeatures({**OPTIONS, "normalize": "global"}, values, values, "model.onnx")


def test_an_ink_without_end() -> None:
    signal = Ink.from_strokes([[[0, 0], [0, 1]] * 200]).to_signal()
    with pytest.raises(UserError, match="over 1,000,000 frames"):
        features(signal, step=1e-5)
