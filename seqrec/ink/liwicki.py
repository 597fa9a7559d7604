"""The 25 features of Liwicki and Bunke, on ink resampled at equal arc length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seqrec.formats.ink import HEIGHT, PRESSURE, STROKE, TIME, X, Y
from seqrec.ink.core_zone import core_zone
from seqrec.ink.delayed_strokes import DelayedStrokes, find_delayed_strokes
from seqrec.ink.frontend import InkFrontEnd, borders_between, zero_padded
from seqrec.ink.normalisation import InkNormalisation
from seqrec.ink.resampling import (
    Frames,
    Strokes,
    arc_counts,
    assign_frames,
    check_step,
    frames_along_arcs,
    height_scale,
    measure_strokes,
    stroke_ends,
)
from seqrec.ink.vicinity import context_map, curvature, direction, minus_moving_average, shape
from seqrec.sequence import Features, length_mask

_AVERAGED = 1.0  # heights of the writing area, along the ink, to each side of a point: the moving average of x
_CELL = 0.5  # of the core zone's height: side of a square of the context map
_BEYOND = 0.25  # of the core zone's height: ascenders and descenders begin that far outside the zone
_NEAR = 1e-6  # of the way between two points: as good as on one of them
_SHORTEST = 1e-3  # seconds; a speed over less says nothing


@dataclass(frozen=True)
class _Way:
    """The whole way of the pen, from stroke to stroke in straight lines, delayed strokes left out."""

    signals: Tensor  # (B, N, 6) float64
    lengths: Tensor  # (B,)
    delayed: DelayedStrokes
    order: Tensor  # (B, N) int64, which point of the ink each one is
    zone: tuple[Tensor, Tensor]  # y of corpus line and baseline, (B, 1)


class LiwickiFeatures(InkFrontEnd):
    """Front-end of Liwicki & Bunke 2006, as in Graves et al. 2009 (IEEE TPAMI 31), section 2.

    Delayed strokes, such as the dot of an i, are taken out; the others are joined by straight lines, and points stand
    every `step` along the way. In heights of the writing area, else of 1.2 y-ranges, y upwards, the 25 features are:
    pen down; hat (a delayed stroke lies at this x); speed (a second); x less its moving average; y over the baseline;
    writing direction, cosine and sine; curvature, cosine and sine; of the five points about it aspect, slope as cosine
    and sine, curliness, linearity (in squared steps); how many points of ascenders and of descenders lie near, left or
    right; and how many points in each of 3 x 3 squares about it, from the top left, each half a core zone wide.

    `slope`, `slant`, `height` are as in `InkNormalisation`, `normalize` as in `StrokeDeltas`. A speed of unknown time
    is 0.

    Raises:
        UserError: `step` is not positive.
    """

    def __init__(
        self,
        step: float = 0.05,
        slope: bool = True,
        slant: bool = True,
        height: bool = True,
        normalize: Literal["global", "none"] = "global",
    ) -> None:
        super().__init__(25, normalize)
        check_step(step)
        self.step = step
        self.ink_normalisation = InkNormalisation(slope, slant, height)

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without computing the features."""
        assert signals is not None, "the length depends on the content"
        return arc_counts(self._measure(self._way(signals, signal_lengths))).sum(dim=1)

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the features before normalisation."""
        way = self._way(signals, signal_lengths)
        strokes = self._measure(way)
        counts = arc_counts(strokes)
        frames = frames_along_arcs(strokes, assign_frames(strokes, counts))
        return zero_padded(self._features(way, frames, counts.sum(dim=1)), counts)

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return the borders (B, T + 1) between frames, in points; see `InkFrontEnd`.

        Delayed strokes count as part of the pen's way from the stroke before to the one after.
        """
        assert signals is not None, "the positions depend on the content"
        way = self._way(signals, signal_lengths)
        strokes = self._measure(way)
        counts = arc_counts(strokes)
        frames = frames_along_arcs(strokes, assign_frames(strokes, counts))
        places = frames.interpolate(way.order[..., None].double())[..., 0]  # not of the way, but of the ink
        return borders_between(places, frames.is_start, counts.sum(dim=1), signal_lengths)

    def _way(self, signals: Tensor, lengths: Tensor) -> _Way:
        signals = self.ink_normalisation(signals, lengths)
        valid = length_mask(lengths, signals.shape[1])
        scale = height_scale(signals, valid)
        delayed = find_delayed_strokes(signals, valid)
        kept = valid & ~delayed.of_point
        order = (~kept).to(torch.uint8).argsort(dim=1, stable=True)  # the kept points first
        zone = core_zone(signals, valid)
        signals = torch.cat([signals[..., :HEIGHT], scale.expand_as(valid)[..., None]], dim=2)
        return _Way(signals.gather(1, order[..., None].expand_as(signals)), kept.sum(dim=1), delayed, order, zone)

    def _measure(self, way: _Way) -> Strokes:
        one_stroke = torch.cat([way.signals[..., :STROKE], torch.zeros_like(way.signals[..., STROKE:])], dim=2)
        one_stroke[..., HEIGHT] = way.signals[..., HEIGHT]
        return measure_strokes(one_stroke, way.lengths, self.step)

    def _features(self, way: _Way, frames: Frames, lengths: Tensor) -> Tensor:
        """Return (B, T, 25)."""
        scale = way.signals[:, :1, HEIGHT]
        corpus_line, baseline = way.zone
        zone_height = (baseline - corpus_line) / scale
        zone_height = torch.where(zone_height > 0, zone_height, 1.0)
        at = frames.interpolate(way.signals[..., :TIME])
        x, y = at[..., X] / scale, (baseline - at[..., Y]) / scale
        points = torch.stack([x, y], dim=2)
        pen_down = _pen_down(way, frames)
        beyond = _BEYOND * zone_height
        drawn = length_mask(lengths, x.shape[1]) & pen_down
        context = context_map(
            points, lengths, drawn, _CELL * zone_height, drawn & (y > zone_height + beyond), drawn & (y < -beyond)
        )
        directions = direction(points, lengths)
        single = [
            pen_down.double(),
            way.delayed.lie_above(at[..., X]).double(),
            frames.interpolate(_speeds(way) / scale[..., None])[..., 0],
            minus_moving_average(x - x[:, :1], lengths, round(_AVERAGED / self.step)),
            y,
        ]
        near = shape(points / self.step, lengths)
        return torch.cat([torch.stack(single, dim=2), directions, curvature(directions, lengths), near, context], 2)


def _pen_down(way: _Way, frames: Frames) -> Tensor:
    """Return whether the pen touched the paper at the frames (B, T): not between strokes, nor without pressure."""
    left, right = (way.signals[..., STROKE].gather(1, index) for index in (frames.left, frames.right))
    pressure = frames.interpolate(way.signals[..., PRESSURE : PRESSURE + 1])[..., 0]
    on_point = (frames.weight < _NEAR) | (frames.weight > 1 - _NEAR)
    return ((left == right) | on_point) & ~(pressure <= 0)  # NaN is unknown


def _speeds(way: _Way) -> Tensor:
    """Return the speed (B, N, 1) at the points, from the one before to the one after in the stroke; unknown: 0."""
    valid = length_mask(way.lengths, way.signals.shape[1])
    is_first, is_last = stroke_ends(way.signals[..., STROKE], valid)
    positions = torch.arange(valid.shape[1], device=valid.device)
    before = torch.where(is_first, positions, positions - 1).clamp(min=0)
    after = torch.where(is_last, positions, positions + 1).clamp(max=valid.shape[1] - 1)
    dx, dy, dt = (
        (way.signals[..., axis].gather(1, after) - way.signals[..., axis].gather(1, before)) for axis in (X, Y, TIME)
    )
    return torch.where(dt >= _SHORTEST, (dx * dx + dy * dy).sqrt() / dt, 0.0)[..., None]
