"""Timed deltas: ink resampled at equal time, as OnlineHTR does it, as differences from point to point."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.errors import UserError
from seqrec.formats.ink import PRESSURE, TIME
from seqrec.ink.frontend import InkFrontEnd, borders_between, zero_padded
from seqrec.ink.resampling import Frames, Strokes, assign_frames, check_step, locate, measure_strokes
from seqrec.sequence import Features


class TimedDeltas(InkFrontEnd):
    """Front-end of OnlineHTR (github.com/PellelNitram/OnlineHTR, its transform `Carbune2020`, features "xytn").

    With s the ink's y-range: x <- (x - x_0) / s, y <- (y - y_min) / s. A stroke of arc length a gets ceil(a / step)
    points, at least two, or one where a is 0; they stand at equal times from its first to its last point, linear in x,
    y and t. Frames (dx, dy, dt in seconds, stroke start) are differences to the frame before, across strokes too; the
    first frame is (0, 0, 0, 1).

    A point whose time lies before an earlier one's of its stroke counts as written at that one's. A stroke that moves
    while its time stands still, or is unknown, is refused, or with `untimed` `index` gets its points at equal steps of
    their index. `normalize` is as in `StrokeDeltas`; OnlineHTR has none.

    Raises:
        UserError: `step` is not positive; or, when used, a stroke has no time.
    """

    def __init__(
        self,
        step: float = 0.05,
        untimed: Literal["error", "index"] = "error",
        normalize: Literal["global", "none"] = "none",
    ) -> None:
        super().__init__(4, normalize)
        check_step(step)
        self.step = step
        self.untimed = untimed

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the deltas before normalisation."""
        strokes = self._measure(signals, signal_lengths)
        counts = _counts(strokes)
        frames = _frames_along_time(strokes, counts)
        points = frames.interpolate(strokes.points)[..., :PRESSURE]
        deltas = functional.pad(points.diff(dim=1), (0, 0, 1, 0))
        return zero_padded(torch.cat([deltas, frames.is_start[:, :, None].double()], dim=2), counts)

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return the borders (B, T + 1) between frames, in points; see `InkFrontEnd`."""
        assert signals is not None, "the positions depend on the content"
        strokes = self._measure(signals, signal_lengths)
        counts = _counts(strokes)
        frames = _frames_along_time(strokes, counts)
        return borders_between(frames.places, frames.is_start, counts.sum(dim=1), signal_lengths)

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without resampling."""
        assert signals is not None, "the length depends on the content"
        return _counts(self._measure(signals, signal_lengths)).sum(dim=1)

    def _measure(self, signals: Tensor, lengths: Tensor) -> Strokes:
        strokes = measure_strokes(signals.double(), lengths, self.step, use_height=False)
        if self.untimed == "error":
            stands = strokes.is_last & (_counts(strokes) > 1) & ~(_duration(strokes) > 0)
            if bool(stands.any()):
                raise UserError(
                    "a stroke moves while its time stands still or is unknown, so that it has no points at equal "
                    "times; drop its ink, set frontend.untimed=index, or take frontend=deltas_notime"
                )
        return strokes


def _counts(strokes: Strokes) -> Tensor:
    """Return the frames of each stroke, (B, N): at its last point, else 0."""
    steps = strokes.steps
    return torch.where(steps > 0, steps.clamp(min=2), 1).masked_fill(~strokes.is_last, 0)


def _frames_along_time(strokes: Strokes, counts: Tensor) -> Frames:
    """Put each stroke's frames at equal times, the first on its first point and the last on its last."""
    slots = assign_frames(strokes, counts)
    ordinals = strokes.is_first.cumsum(dim=1).double()
    share = slots.index / (slots.count - 1).clamp(min=1)
    return locate(_clock(strokes, ordinals), 2 * ordinals.gather(1, slots.last) + share, slots)


def _duration(strokes: Strokes) -> Tensor:
    """Return the seconds (B, N) of each point since the first of its stroke."""
    time = strokes.points[..., TIME]
    return time - time.gather(1, strokes.first)


def _clock(strokes: Strokes, ordinals: Tensor) -> Tensor:
    """Return keys (B, N) that never decrease: 2 k in the k-th stroke, plus the passed share of its duration."""
    indices = torch.arange(strokes.first.shape[1], device=ordinals.device) - strokes.first
    by_index = indices / indices.gather(1, strokes.last).clamp(min=1)
    duration = _duration(strokes)
    whole = duration.gather(1, strokes.last)
    share = torch.where(whole > 0, duration / whole, by_index).clamp(0, 1)
    return (2 * ordinals + share).masked_fill(~strokes.valid, torch.inf).cummax(dim=1).values
