"""Strokes measured, and frames placed along them: what the ink front-ends share.

Every row of a batch is worked on alone and in an exact way, so that the frames of an ink do not depend on what it is
batched with.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.errors import UserError
from seqrec.formats.ink import HEIGHT, PRESSURE, STROKE, TIME, X, Y
from seqrec.ink.exact_sums import to_units
from seqrec.sequence import length_mask

MARGIN = 1.2  # writing-area height over the ink's y-range, where only the latter is known
FLATTEST = 0.01  # y-range over x-range counts as at least this, so that a dash is not endless
# Arc lengths are whole numbers of 2^-32 steps: their sums are exact in any order, on any device, beside any padding.
STEP_UNITS = 1 << 32
SLIVER = STEP_UNITS // 1000  # a last spacing below it is a rounding error of the float32 signal


@dataclass(frozen=True)
class Strokes:
    """Points (B, N) with what is known of their strokes; padding repeats the last arc length."""

    points: Tensor  # (B, N, 4) float64: x, y, t normalised, pressure (NaN: unknown)
    valid: Tensor  # (B, N) bool, false in the padding
    arcs: Tensor  # (B, N) int64, along the row, pen-up moves left out; in `STEP_UNITS`
    is_first: Tensor  # (B, N) bool, on the first point of a stroke
    is_last: Tensor  # (B, N) bool, on the last point of a stroke
    first: Tensor  # (B, N) int64, index of the first point of each point's stroke

    @property
    def last(self) -> Tensor:
        """Return the index (B, N) of the last point of each point's stroke."""
        from_behind = latest_index(self.is_last.flip(1)).flip(1)
        return self.is_last.shape[1] - 1 - from_behind

    @property
    def spans(self) -> Tensor:
        """Return the arc length (B, N) of each point from the first of its stroke."""
        return self.arcs - self.arcs.gather(1, self.first)

    @property
    def steps(self) -> Tensor:
        """Return how many steps (B, N), the last perhaps shorter, lead to each point from the first of its stroke."""
        return torch.div(self.spans - SLIVER + STEP_UNITS - 1, STEP_UNITS, rounding_mode="floor")


@dataclass(frozen=True)
class Slots:
    """The frames (B, T) of a batch, each in its stroke; those behind a row's last frame are arbitrary."""

    first: Tensor  # int64, index of the first point of the frame's stroke
    last: Tensor  # int64, index of its last point
    count: Tensor  # int64, frames of the stroke
    index: Tensor  # int64, of the frame in the stroke

    @property
    def is_start(self) -> Tensor:
        """Return a mask (B, T) of the first frames of strokes."""
        return self.index == 0


@dataclass(frozen=True)
class Frames:
    """Where the frames (B, T) lie between the points."""

    left: Tensor  # index of the point at or before the frame
    right: Tensor  # index of the next point of the stroke
    weight: Tensor  # float64, of `right`
    is_start: Tensor  # true on the first frame of a stroke

    def interpolate(self, points: Tensor) -> Tensor:
        """Return the values (B, T, C) of the frames from those of the points (B, N, C)."""
        left, right = (
            points.gather(1, index[:, :, None].expand(-1, -1, points.shape[2])) for index in (self.left, self.right)
        )
        return left + self.weight[:, :, None] * (right - left)

    @property
    def places(self) -> Tensor:
        """Return where the frames (B, T) lie, in points from the first of the row, with fractions."""
        return self.left + self.weight * (self.right - self.left)


def measure_strokes(signals: Tensor, lengths: Tensor, step: float, use_height: bool = True) -> Strokes:
    """Normalise signals (B, N, 6) of float64 as `normalise_points` does, and measure their arcs in steps of `step`."""
    valid = length_mask(lengths, signals.shape[1])
    points = normalise_points(signals, valid, use_height)
    is_first, is_last = stroke_ends(signals[..., STROKE], valid)
    arcs = _arc_lengths(points, valid & ~is_first, step)
    return Strokes(points, valid, arcs, is_first, is_last, latest_index(is_first))


def normalise_points(signals: Tensor, valid: Tensor, use_height: bool = True) -> Tensor:
    """(B, N, 6) -> (B, N, 4): x from the first point, y from the least, both over the height; elapsed time; pressure.

    The height is that of the writing area, else 1.2 times the ink's y-range; without `use_height` it is the y-range.
    """
    x, y = signals[..., X], signals[..., Y]
    scale = height_scale(signals, valid, use_height)
    top = least_and_range(y, valid)[0]
    return torch.stack(
        [(x - x[:, :1]) / scale, (y - top) / scale, elapsed(signals[..., TIME]), signals[..., PRESSURE]], 2
    )


def height_scale(signals: Tensor, valid: Tensor, use_height: bool = True) -> Tensor:
    """Return what becomes 1, (B, 1): see `normalise_points`; as `writing_height`, but 1 for a dot."""
    x_range, y_range = (least_and_range(signals[..., axis], valid)[1] for axis in (X, Y))
    extent = torch.maximum(y_range, FLATTEST * x_range)
    height = signals[:, :1, HEIGHT]
    scale = torch.where(height > 0, height, MARGIN * extent) if use_height else extent  # NaN > 0 is false
    return torch.where(scale > 0, scale, 1.0)


def least_and_range(values: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least valid value and the range of each row, both (B, 1)."""
    least = values.masked_fill(~valid, torch.inf).amin(dim=1, keepdim=True)
    return least, (values.masked_fill(~valid, -torch.inf).amax(dim=1, keepdim=True) - least).clamp(min=0)


def elapsed(time: Tensor) -> Tensor:
    """Return the seconds (B, N) since the first known time; an unknown time is the last known one."""
    known = ~time.isnan()
    start = time.gather(1, known.int().argmax(dim=1, keepdim=True))  # argmax: the first of equals
    seconds = time.gather(1, latest_index(known)) - start
    return torch.where(known.cumsum(dim=1) > 0, seconds, 0.0)


def latest_index(mask: Tensor) -> Tensor:
    """Return, for each position, the last one up to it where `mask` (B, N) is true; 0 where there is none."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, positions, 0).cummax(dim=1).values


def stroke_ends(numbers: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return masks (B, N) of the first and of the last points of strokes, from the numbers of strokes."""
    changes = functional.pad(numbers[:, 1:] != numbers[:, :-1], (1, 0), value=True)
    is_first = valid & changes
    ends = functional.pad(changes | ~valid, (0, 1), value=True)[:, 1:]
    return is_first, valid & ends


def _arc_lengths(points: Tensor, is_drawn: Tensor, step: float) -> Tensor:
    """Return the arc length (B, N) from the row's first point, counting the segments that end where `is_drawn`."""
    dx, dy = (functional.pad(points[..., axis].diff(dim=1), (1, 0)) for axis in (X, Y))
    # sqrt and products round alike on all devices and in all positions, which hypot does not.
    segments = (dx * dx + dy * dy).sqrt().masked_fill(~is_drawn, 0.0)
    return to_units(segments, STEP_UNITS / step).cumsum(dim=1)


def check_step(step: float) -> None:
    """Refuse a step that is not positive."""
    if not step > 0:
        raise UserError(f"step is {step}; give a positive fraction of the writing-area height, such as 0.05")


def arc_counts(strokes: Strokes) -> Tensor:
    """Return the frames of each stroke at equal arc length, (B, N): at its last point, else 0."""
    return (1 + strokes.steps).masked_fill(~strokes.is_last, 0)


def assign_frames(strokes: Strokes, counts: Tensor) -> Slots:
    """Give each stroke its frames: `counts` (B, N) at the last point of a stroke, else 0."""
    ends = counts.cumsum(dim=1)  # (B, N) frames up to the point
    size = int(ends[:, -1].max())
    numbers = torch.arange(size, device=ends.device).repeat(len(ends), 1)  # (B, T)
    last = torch.searchsorted(ends, numbers, right=True).clamp(max=ends.shape[1] - 1)  # point of the frame's stroke
    count = counts.gather(1, last)
    return Slots(strokes.first.gather(1, last), last, count, numbers - ends.gather(1, last) + count)


def frames_along_arcs(strokes: Strokes, slots: Slots) -> Frames:
    """Put each stroke's frames a step apart along its arc, its last frame on its last point."""
    start, end = strokes.arcs.gather(1, slots.first), strokes.arcs.gather(1, slots.last)
    is_end = ~slots.is_start & (slots.index == slots.count - 1)
    return locate(strokes.arcs, torch.where(is_end, end, start + slots.index * STEP_UNITS), slots)


def locate(keys: Tensor, targets: Tensor, slots: Slots) -> Frames:
    """Find the frames (B, T) whose `targets` lie among `keys` (B, N), which never decrease along a row."""
    left = torch.minimum(torch.searchsorted(keys, targets, right=True) - 1, slots.last)
    left = torch.where(slots.is_start, slots.first, left)  # not the last of equal points, whose time is later
    right = torch.minimum(left + 1, slots.last)
    before = keys.gather(1, left)
    span = (keys.gather(1, right) - before).double()
    weight = (targets - before).double() / span.masked_fill(span == 0, 1.0)
    return Frames(left, right, weight, slots.is_start)
