"""Stroke deltas: ink resampled at equal arc length, as differences from point to point."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.formats.ink import PRESSURE, TIME
from seqrec.ink.frontend import InkFrontEnd, borders_between, zero_padded
from seqrec.ink.normalisation import InkNormalisation
from seqrec.ink.resampling import Strokes, arc_counts, assign_frames, check_step, frames_along_arcs, measure_strokes
from seqrec.sequence import Features


class StrokeDeltas(InkFrontEnd):
    """Front-end of Carbune et al. 2020 (arXiv 1902.10525), section 2.1.1.

    With s the height of the writing area, else 1.2 times the ink's y-range: x <- (x - x_0) / s, y <- (y - y_min) / s,
    t <- t - t_0. Each stroke keeps its first and its last point and between them points every `step` along its arc,
    linear in x, y, t and pressure. Frames are differences to the frame before, across strokes too; the first one's
    to the origin. A frame is (dx, dy, dt, pen down, stroke start), without time (dx, dy, stroke start).

    An unknown time counts as the last known one, so ink without time has dt = 0; `time=False` is meant for it. The pen
    is down where the pressure is unknown or positive. With `normalize` `global` each of them is then brought to mean 0,
    variance 1 over the training data (see `fit`); `none` leaves them as they are. `slope`, `slant` and `height` change
    the ink first, as in `InkNormalisation`.

    Raises:
        UserError: `step` is not positive.
    """

    def __init__(
        self,
        step: float = 0.05,
        time: bool = True,
        normalize: Literal["global", "none"] = "global",
        slope: bool = False,
        slant: bool = False,
        height: bool = False,
    ) -> None:
        super().__init__(5 if time else 3, normalize)
        check_step(step)
        self.step = step
        self.time = time
        self.ink_normalisation = InkNormalisation(slope, slant, height)

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the deltas before normalisation."""
        strokes = self._measure(signals, signal_lengths)
        counts = arc_counts(strokes)
        frames = frames_along_arcs(strokes, assign_frames(strokes, counts))
        return zero_padded(self._differences(frames.interpolate(strokes.points), frames.is_start), counts)

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return the borders (B, T + 1) between frames, in points; see `InkFrontEnd`."""
        assert signals is not None, "the positions depend on the content"
        strokes = self._measure(signals, signal_lengths)
        counts = arc_counts(strokes)
        frames = frames_along_arcs(strokes, assign_frames(strokes, counts))
        return borders_between(frames.places, frames.is_start, counts.sum(dim=1), signal_lengths)

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without resampling."""
        assert signals is not None, "the length depends on the content"
        return arc_counts(self._measure(signals, signal_lengths)).sum(dim=1)

    def _measure(self, signals: Tensor, lengths: Tensor) -> Strokes:
        return measure_strokes(self.ink_normalisation(signals, lengths), lengths, self.step)

    def _differences(self, points: Tensor, is_start: Tensor) -> Tensor:
        """(B, T, 4) -> (B, T, F)."""
        deltas = functional.pad(points[..., :PRESSURE], (0, 0, 1, 0)).diff(dim=1)  # a row of zeros is the origin
        start = is_start[:, :, None].double()
        if not self.time:
            return torch.cat([deltas[..., :TIME], start], dim=2)
        pen_down = ~(points[..., PRESSURE:] <= 0)  # not `> 0`: NaN is unknown
        return torch.cat([deltas, pen_down.double(), start], dim=2)
