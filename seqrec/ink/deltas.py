"""Stroke deltas: ink resampled at equal arc length, as differences from point to point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqrec.errors import UserError
from seqrec.formats.ink import HEIGHT, NUM_CHANNELS, PRESSURE, STROKE, TIME, X, Y
from seqrec.normalisation import GlobalNormalisation
from seqrec.sequence import Features, length_mask

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARGIN = 1.2  # writing-area height over the ink's y-range, where only the latter is known
_FLATTEST = 0.01  # y-range over x-range counts as at least this, so that a dash is not endless
# Arc lengths are whole numbers of 2^-32 steps: their sums are exact in any order, on any device, beside any padding.
_STEP = 1 << 32
_SLIVER = _STEP // 1000  # a last spacing below it is a rounding error of the float32 signal


@dataclass(frozen=True)
class _Strokes:
    """Points (B, N) with what is known of their strokes; padding repeats the last arc length."""

    points: Tensor  # (B, N, 4) float64: x, y, t normalised, pressure (NaN: unknown)
    arcs: Tensor  # (B, N) int64, along the row, pen-up moves left out; unit 2^-32 steps
    first: Tensor  # (B, N) int64, index of the first point of each point's stroke
    counts: Tensor  # (B, N) int64, frames of a stroke at its last point, else 0


@dataclass(frozen=True)
class _Frames:
    """Where the frames (B, T) lie between the points."""

    left: Tensor  # index of the point at or before the frame
    right: Tensor  # index of the next point of the stroke
    weight: Tensor  # float64, of `right`
    is_start: Tensor  # true on the first frame of a stroke


class StrokeDeltas(nn.Module):
    """Front-end of Carbune et al. 2020 (arXiv 1902.10525), section 2.1.1.

    With s the height of the writing area, else 1.2 times the ink's y-range: x <- (x - x_0) / s, y <- (y - y_min) / s,
    t <- t - t_0. Each stroke keeps its first and its last point and between them points every `step` along its arc,
    linear in x, y, t and pressure. Frames are differences to the frame before, across strokes too; the first one's
    to the origin. A frame is (dx, dy, dt, pen down, stroke start), without time (dx, dy, stroke start).

    An unknown time counts as the last known one, so ink without time has dt = 0; `time=False` is meant for it. The pen
    is down where the pressure is unknown or positive. With `normalize` `global` each of them is then brought to mean 0,
    variance 1 over the training data (see `fit`); `none` leaves them as they are.

    Raises:
        UserError: `step` is not positive.
    """

    num_channels = NUM_CHANNELS
    length_depends_on_content = True

    def __init__(
        self,
        step: float = 0.05,
        time: bool = True,
        normalize: Literal["global", "none"] = "global",
    ) -> None:
        super().__init__()
        if not step > 0:
            raise UserError(f"step is {step}; give a positive fraction of the writing-area height, such as 0.05")
        self.step = step
        self.time = time
        self.num_features = 5 if time else 3
        self.normalize = normalize
        self.normalisation = GlobalNormalisation(self.num_features)

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the deltas of signals (B, N, 6) as of `Ink.to_signal`, lengths (B,)."""
        return self.normalise(self.extract(signals, signal_lengths))

    def normalise(self, features: Features) -> Features:
        """Normalise deltas as `normalize` says."""
        return self.normalisation(features)

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the deltas before normalisation."""
        strokes = _measure(signals.double(), signal_lengths, self.step)
        lengths = strokes.counts.sum(dim=1)
        frames = _place_frames(strokes, int(lengths.max()))
        values = self._differences(_interpolate(strokes.points, frames), frames.is_start)
        valid = length_mask(lengths, values.shape[1])[:, :, None]
        return Features(values.masked_fill(~valid, 0.0).float(), lengths)

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without resampling."""
        assert signals is not None, "the length depends on the content"
        return _measure(signals.double(), signal_lengths, self.step).counts.sum(dim=1)

    def fit(self, signals: Iterable[Tensor]) -> None:
        """Take the mean and deviation that `global` normalises by from training signals (N, 6); else look at none."""
        if self.normalize == "global":
            self.normalisation.fit(
                self.extract(signal[None], torch.tensor([len(signal)])).values[0] for signal in signals
            )

    def _differences(self, points: Tensor, is_start: Tensor) -> Tensor:
        """(B, T, 4) -> (B, T, F)."""
        deltas = functional.pad(points[..., :PRESSURE], (0, 0, 1, 0)).diff(dim=1)  # a row of zeros is the origin
        start = is_start[:, :, None].double()
        if not self.time:
            return torch.cat([deltas[..., :TIME], start], dim=2)
        pen_down = ~(points[..., PRESSURE:] <= 0)  # not `> 0`: NaN is unknown
        return torch.cat([deltas, pen_down.double(), start], dim=2)


def _measure(signals: Tensor, lengths: Tensor, step: float) -> _Strokes:
    valid = length_mask(lengths, signals.shape[1])
    points = _normalise(signals, valid)
    is_first, is_last = _stroke_ends(signals[..., STROKE], valid)
    arcs = _arc_lengths(points, valid & ~is_first, step)
    first = _latest_index(is_first)
    spans = arcs - arcs.gather(1, first)
    counts = 1 + torch.div(spans - _SLIVER + _STEP - 1, _STEP, rounding_mode="floor")
    return _Strokes(points, arcs, first, counts.masked_fill(~is_last, 0))


def _normalise(signals: Tensor, valid: Tensor) -> Tensor:
    """(B, N, 6) -> (B, N, 4)."""
    x, y = signals[..., X], signals[..., Y]
    top, y_range = _least_and_range(y, valid)
    scale = _scale(signals[:, :1, HEIGHT], _least_and_range(x, valid)[1], y_range)
    return torch.stack(
        [(x - x[:, :1]) / scale, (y - top) / scale, _elapsed(signals[..., TIME]), signals[..., PRESSURE]], 2
    )


def _least_and_range(values: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least valid value and the range of each row, both (B, 1)."""
    least = values.masked_fill(~valid, torch.inf).amin(dim=1, keepdim=True)
    return least, (values.masked_fill(~valid, -torch.inf).amax(dim=1, keepdim=True) - least).clamp(min=0)


def _scale(height: Tensor, x_range: Tensor, y_range: Tensor) -> Tensor:
    """Return what becomes 1, (B, 1)."""
    scale = torch.where(height > 0, height, _MARGIN * torch.maximum(y_range, _FLATTEST * x_range))  # NaN > 0 is false
    return torch.where(scale > 0, scale, 1.0)


def _elapsed(time: Tensor) -> Tensor:
    """Return the seconds (B, N) since the first known time; an unknown time is the last known one."""
    known = ~time.isnan()
    start = time.gather(1, known.int().argmax(dim=1, keepdim=True))  # argmax: the first of equals
    elapsed = time.gather(1, _latest_index(known)) - start
    return torch.where(known.cumsum(dim=1) > 0, elapsed, 0.0)


def _latest_index(mask: Tensor) -> Tensor:
    """Return, for each position, the last one up to it where `mask` (B, N) is true; 0 where there is none."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, positions, 0).cummax(dim=1).values


def _stroke_ends(numbers: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return masks (B, N) of the first and of the last points of strokes."""
    changes = functional.pad(numbers[:, 1:] != numbers[:, :-1], (1, 0), value=True)
    is_first = valid & changes
    ends = functional.pad(changes | ~valid, (0, 1), value=True)[:, 1:]
    return is_first, valid & ends


def _arc_lengths(points: Tensor, is_drawn: Tensor, step: float) -> Tensor:
    """Return the arc length (B, N) from the row's first point, counting the segments that end where `is_drawn`."""
    dx, dy = (functional.pad(points[..., axis].diff(dim=1), (1, 0)) for axis in (X, Y))
    # sqrt and products round alike on all devices and in all positions, which hypot does not.
    segments = (dx * dx + dy * dy).sqrt() * (_STEP / step)
    return segments.masked_fill(~is_drawn, 0.0).round().long().cumsum(dim=1)


def _place_frames(strokes: _Strokes, size: int) -> _Frames:
    """Spread `size` = T frames a row; those behind a row's last frame are arbitrary."""
    ends = strokes.counts.cumsum(dim=1)  # (B, N) frames up to the point
    numbers = torch.arange(size, device=ends.device).repeat(len(ends), 1)  # (B, T)
    last = torch.searchsorted(ends, numbers, right=True).clamp(max=ends.shape[1] - 1)  # point of the frame's stroke
    first = strokes.first.gather(1, last)
    count = strokes.counts.gather(1, last)
    index = numbers - ends.gather(1, last) + count  # in the stroke
    start, end = strokes.arcs.gather(1, first), strokes.arcs.gather(1, last)
    is_start = index == 0
    target = torch.where(~is_start & (index == count - 1), end, start + index * _STEP)
    left = torch.minimum(torch.searchsorted(strokes.arcs, target, right=True) - 1, last)
    left = torch.where(is_start, first, left)  # not the last of equal points, whose time is later
    right = torch.minimum(left + 1, last)
    before = strokes.arcs.gather(1, left)
    span = (strokes.arcs.gather(1, right) - before).clamp(min=1)
    return _Frames(left, right, (target - before).double() / span, is_start)


def _interpolate(points: Tensor, frames: _Frames) -> Tensor:
    """(B, N, 4) -> (B, T, 4)."""
    left, right = (
        points.gather(1, index[:, :, None].expand(-1, -1, points.shape[2])) for index in (frames.left, frames.right)
    )
    return left + frames.weight[:, :, None] * (right - left)
