"""What holds for every augmentation of ink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from ink.augmentation.samples import INKS, scribble
from torch import Tensor

from seqrec.formats.ink import HEIGHT, PRESSURE, STROKE, TIME, X, Y
from seqrec.ink.augmentation.displacement import ElasticWarp, Jitter
from seqrec.ink.augmentation.geometry import LinearMap, Rotate, Scale, Shear
from seqrec.ink.augmentation.strokes import StrokeDrop, StrokeOrder
from seqrec.ink.augmentation.time import TimeWarp
from seqrec.ink.deltas import StrokeDeltas

STRONG = {
    "scale": Scale(1.0, 1.0),
    "rotate": Rotate(90),
    "shear": Shear(45),
    "linear map": LinearMap(0.3),
    "jitter": Jitter(0.1),
    "elastic": ElasticWarp(0.3),
    "time warp": TimeWarp(1.0, 0.5),
    "stroke drop": StrokeDrop(0.5, max_size=10),
    "stroke order": StrokeOrder(0.9, 1.0),
}
NONE = {
    "scale": Scale(0.0, 0.0),
    "rotate": Rotate(0),
    "shear": Shear(0),
    "linear map": LinearMap(0.0),
    "jitter": Jitter(0.0),
    "elastic": ElasticWarp(0.0),
    "time warp": TimeWarp(0.0, 0.0),
    "stroke drop": StrokeDrop(0.0),
    "stroke order": StrokeOrder(0.0, 0.0),
    "jitter, never": Jitter(0.1, probability=0.0),
    "elastic, never": ElasticWarp(0.3, probability=0.0),
}
GEOMETRY = [name for name in STRONG if name not in ("time warp", "stroke drop", "stroke order")]
both = pytest.mark.parametrize("part", STRONG.values(), ids=STRONG.keys())
inks = pytest.mark.parametrize("signal", INKS.values(), ids=INKS.keys())


def same(first: Tensor, second: Tensor) -> bool:
    return torch.equal(first.nan_to_num(-7.0), second.nan_to_num(-7.0)) and first.dtype == second.dtype


@inks
@pytest.mark.parametrize("part", NONE.values(), ids=NONE.keys())
def test_no_strength_changes_no_bit(part: Any, signal: Tensor) -> None:
    assert same(part(signal, np.random.default_rng(0)), signal)


@both
def test_strength_changes_ink(part: Any) -> None:
    signal = scribble()
    assert not any(same(part(signal, np.random.default_rng(seed)), signal) for seed in range(5))


@both
@inks
def test_what_comes_out_is_ink(part: Any, signal: Tensor) -> None:
    before = signal.clone()
    for seed in range(5):
        changed = part(signal, np.random.default_rng(seed))
        assert changed.dtype == torch.float32
        assert changed.shape[1] == 6
        assert 1 <= len(changed) <= len(signal)
        assert changed[:, [X, Y]].isfinite().all()
        numbers = changed[:, STROKE]
        assert numbers[0] == 0
        assert set(numbers.diff().tolist()) <= {0.0, 1.0}
    assert same(signal, before)


@both
@inks
def test_the_generator_alone_decides(part: Any, signal: Tensor) -> None:
    twice = [part(signal, np.random.default_rng(3)) for _ in range(2)]
    assert same(*twice)


@inks
@pytest.mark.parametrize("name", GEOMETRY)
def test_geometry_touches_x_and_y_alone(name: str, signal: Tensor) -> None:
    changed = STRONG[name](signal, np.random.default_rng(0))
    assert same(changed[:, TIME:], signal[:, TIME:])


@inks
def test_time_warp_touches_time_alone(signal: Tensor) -> None:
    changed = STRONG["time warp"](signal, np.random.default_rng(0))
    others = [X, Y, PRESSURE, STROKE, HEIGHT]
    assert same(changed[:, others], signal[:, others])
    assert torch.equal(changed[:, TIME].isnan(), signal[:, TIME].isnan())


@pytest.mark.parametrize("name", GEOMETRY)
def test_the_page_does_not_matter(name: str) -> None:
    signal = scribble()
    far = signal.clone()
    far[:, [X, Y]] += 4096  # float32 keeps a thousandth of a unit there
    near, moved = (STRONG[name](ink, np.random.default_rng(0)) for ink in (signal, far))
    torch.testing.assert_close(moved[:, :2] - 4096, near[:, :2], atol=0.02, rtol=0)


@pytest.mark.parametrize(("height", "shows"), [(None, False), (200.0, True)])
def test_a_change_of_size_shows_in_the_features_where_the_height_is_known(height: float | None, shows: bool) -> None:
    signal = scribble(height=height)
    twice_as_high = Scale(0.0, 1.0)(signal, FixedUniform(1.0))
    frontend = StrokeDeltas(normalize="none")
    heights = []
    for ink in (signal, twice_as_high):
        y = frontend(ink[None], torch.tensor([len(ink)])).values[0, :, 1].cumsum(0)
        heights.append(float(y.max() - y.min()))
    assert heights[1] / heights[0] == pytest.approx(2.0 if shows else 1.0, rel=0.05)  # frames cut corners


class FixedUniform(np.random.Generator):
    """Draws the upper end, times `share`."""

    def __init__(self, share: float) -> None:
        super().__init__(np.random.PCG64(0))
        self.share = share

    def uniform(self, low: Any, high: Any, size: Any = None) -> Any:
        return np.asarray(high) * self.share


@pytest.mark.parametrize(
    ("part", "options", "match"),
    [
        (Scale, {"x": -0.1}, "x=-0.1"),
        (Rotate, {"degrees": 200}, "degrees=200"),
        (Shear, {"degrees": 90}, "degrees=90"),
        (LinearMap, {"deviation": 0.5}, "deviation=0.5 .* below 0.5"),
        (Jitter, {"window": 0}, "window=0"),
        (Jitter, {"probability": 2.0}, "probability=2.0"),
        (ElasticWarp, {"smoothness": 0.0}, "smoothness=0.0"),
        (TimeWarp, {"seconds": 0.0}, "seconds=0.0"),
        (StrokeDrop, {"probability": -1.0}, "probability=-1.0"),
        (StrokeDrop, {"max_size": -1.0}, "max_size=-1.0"),
    ],
)
def test_settings_that_cannot_be(part: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        part(**options)
