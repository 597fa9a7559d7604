"""Features of a point of ink from the points about it, along the pen's way and on the paper."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.formats.ink import X, Y
from seqrec.ink.exact_sums import UNITS, from_units, to_units
from seqrec.sequence import length_mask

_PAIRS = 1 << 16  # pairs of frames compared at once: they fit a processor's cache


def neighbours(points: Tensor, lengths: Tensor, reach: int) -> Tensor:
    """Return the points (B, T, 2 reach + 1, C) about each of (B, T, C); beyond an end, the end."""
    size = points.shape[1]
    offsets = torch.arange(-reach, reach + 1, device=points.device)
    index = (torch.arange(size, device=points.device)[:, None] + offsets).clamp(min=0)  # (T, window)
    index = torch.minimum(index, lengths[:, None, None] - 1)  # (B, T, window)
    rows = torch.arange(len(points), device=points.device)[:, None, None]
    return points[rows, index]


def unit(vectors: Tensor) -> Tensor:
    """Return vectors (..., 2) brought to length 1: the cosine and the sine of their angle; zero where they are."""
    x, y = vectors.unbind(-1)
    length = (x * x + y * y).sqrt()
    return vectors / torch.where(length > 0, length, 1.0)[..., None]


def direction(points: Tensor, lengths: Tensor) -> Tensor:
    """Return cosine and sine (B, T, 2) of the writing direction, from the point before to the point after."""
    window = neighbours(points, lengths, 1)
    return unit(window[:, :, 2] - window[:, :, 0])


def curvature(directions: Tensor, lengths: Tensor) -> Tensor:
    """Return cosine and sine (B, T, 2) of the angle from the direction at the point before to that at the one after."""
    window = neighbours(directions, lengths, 1)
    (before_x, before_y), (after_x, after_y) = window[:, :, 0].unbind(-1), window[:, :, 2].unbind(-1)
    return torch.stack([before_x * after_x + before_y * after_y, before_x * after_y - before_y * after_x], dim=2)


def shape(points: Tensor, lengths: Tensor) -> Tensor:
    """Return (B, T, 5) of the five points about each: aspect, slope's cosine and sine, curliness, linearity.

    With w and h the sides of their box: aspect (h - w) / (h + w); slope of the line from the first to the last;
    curliness, the length of their way over max(w, h); linearity, the mean squared distance to that line.
    """
    window = neighbours(points, lengths, 2)
    box = window.amax(dim=2) - window.amin(dim=2)  # (B, T, 2)
    width, height = box.unbind(-1)
    around, longest = width + height, box.amax(dim=2)
    aspect = (height - width) / torch.where(around > 0, around, 1.0)
    slope = unit(window[:, :, 4] - window[:, :, 0])
    way, squares = torch.zeros_like(width), torch.zeros_like(width)
    for number in range(1, 5):
        step_x, step_y = (window[:, :, number] - window[:, :, number - 1]).unbind(-1)
        way = way + (step_x * step_x + step_y * step_y).sqrt()
        squares = squares + _squared_distance(window[:, :, number] - window[:, :, 0], slope)
    curliness = way / torch.where(longest > 0, longest, 1.0)
    return torch.stack([aspect, *slope.unbind(-1), curliness, squares / 5], dim=2)


def _squared_distance(vectors: Tensor, directions: Tensor) -> Tensor:
    """Return the squared distance of points to a line through the origin; to the origin where it has no direction."""
    x, y = vectors.unbind(-1)
    cos, sin = directions.unbind(-1)
    across = x * sin - y * cos
    return torch.where((cos != 0) | (sin != 0), across * across, x * x + y * y)


def minus_moving_average(values: Tensor, lengths: Tensor, reach: int) -> Tensor:
    """Return values (B, T) less the mean of those up to `reach` frames before and after, inside the ink."""
    sums = functional.pad(to_units(values, UNITS).cumsum(dim=1), (1, 0))
    positions = torch.arange(values.shape[1], device=values.device)
    end = torch.minimum(positions + reach + 1, lengths[:, None])
    start = (positions - reach).clamp(min=0).expand_as(end)
    start = torch.minimum(start, end - 1).clamp(min=0)
    return values - from_units(sums.gather(1, end) - sums.gather(1, start), UNITS) / (end - start).clamp(min=1)


def context_map(points: Tensor, lengths: Tensor, counted: Tensor, cell: Tensor, above: Tensor, below: Tensor) -> Tensor:
    """Return (B, T, 11): how many points of (B, T, 2) that are `counted` lie where about each, y upwards.

    First those that are `above`, then those that are `below`, up to 1.5 cells to the left or right (all masks (B, T));
    then those in each of 3 x 3 squares of side `cell` (B, 1), row by row from the top left.
    """
    x, y = points.unbind(-1)
    ordered, order = x.masked_fill(~counted, torch.inf).sort(dim=1)
    start, end = (torch.searchsorted(ordered, x + edge * cell) for edge in (-1.5, 1.5))  # of those near
    sides = [
        sums.gather(1, end) - sums.gather(1, start)
        for sums in (_running_count(mask.gather(1, order)) for mask in (above & counted, below & counted))
    ]
    start = torch.where(length_mask(lengths, x.shape[1]), start, end)  # nothing for the padding
    squares = _count_squares(points, torch.stack([ordered, y.gather(1, order)], dim=2), cell, start, end)
    return torch.cat([torch.stack(sides, dim=2).double(), squares], dim=2)


def _running_count(mask: Tensor) -> Tensor:
    return functional.pad(mask.long().cumsum(dim=1), (1, 0))


def _count_squares(points: Tensor, ordered: Tensor, cell: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Count the points of `ordered` (B, T, 2) in the 3 x 3 squares about `points`, among those from start to end."""
    size = ordered.shape[1]
    frames = torch.nonzero(end > start)  # (M, 2): row, frame
    row, frame = frames.unbind(1)
    about, half = points[row, frame], cell[row] / 2
    first, last = row * size + start[row, frame], row * size + end[row, frame]
    width = int((last - first).max()) if len(frames) else 1
    pieces = max(1, _PAIRS // width)
    arguments = zip(*(part.split(pieces) for part in (about, half, first, last)), strict=True)
    counts = [_count_piece(ordered.flatten(0, 1), width, *piece) for piece in arguments]
    result = points.new_zeros(*points.shape[:2], 9)
    result[row, frame] = torch.cat(counts).to(result.dtype) if counts else result.new_zeros(0, 9)
    return result


def _count_piece(ordered: Tensor, width: int, about: Tensor, half: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """(M, 2) -> (M, 9)."""
    index = first[:, None] + torch.arange(width, device=about.device)  # (M, width)
    near = index.clamp(max=len(ordered) - 1)
    x, y = (ordered[:, axis][near] - about[:, axis, None] for axis in (X, Y))
    inside = (index < last[:, None]) & (y >= -3 * half) & (y < 3 * half)
    column = (x >= -half).to(torch.int8) + (x >= half).to(torch.int8)
    line = (y < half).to(torch.int8) + (y < -half).to(torch.int8)
    number = (3 * line + column).masked_fill(~inside, 9)
    return torch.stack([(number == square).float().sum(dim=1) for square in range(9)], dim=1)
