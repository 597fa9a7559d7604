"""Cubic Bezier curves through strokes: all the strokes of a batch at once, points laid end to end.

A curve goes from one point of a stroke to another and meets both; its two inner control points are fitted. Sums are
taken over whole numbers, so that a curve is the same whatever else is fitted beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqrec.ink.exact_sums import FINE_UNITS, from_units, to_units
from seqrec.ink.resampling import STEP_UNITS

ITERATIONS = 4  # least squares for a curve and a Newton step for its points' parameters take turns that often
_RIDGE = 1e-6  # of the normal equations' trace: too few points for two controls share the bend among them
_LONGEST = 3.0  # chords: longer arcs and control distances are no single curve
_REACH = 2  # points to each side of one whose angle is taken
_INNER = 0.75  # of a curve's points, about its middle: where it may be parted
_ANGLE_STEPS = 64  # cosines of angles that are this alike count as equal: the one nearest to the middle is taken


@dataclass(frozen=True)
class Points:
    """The points (M,) of the strokes of a batch, one after the other."""

    values: Tensor  # (M, 3) float64: x, y, t
    arcs: Tensor  # (M,) int64, along the strokes, in `STEP_UNITS` of a height
    strokes: Tensor  # (M,) int64, number of the point's stroke in the batch


@dataclass(frozen=True)
class Curves:
    """Curves (K,) between points, in order."""

    first: Tensor  # (K,) int64, index of the first point
    last: Tensor  # (K,) int64
    bends: Tensor  # (K, 2, 3) float64, of the inner control points in x, y, t: how far they lie off the thirds of
    # the straight line from the first point to the last

    def select(self, chosen: Tensor) -> Curves:
        """Return some of the curves, by a mask or by indices."""
        return Curves(self.first[chosen], self.last[chosen], self.bends[chosen])


def fit_strokes(points: Points, tolerance: float, iterations: int = ITERATIONS) -> Curves:
    """Return the curves of all strokes, none farther than `tolerance` from a point of its own."""
    starts = torch.ones_like(points.strokes, dtype=torch.bool)
    starts[1:] = points.strokes[1:] != points.strokes[:-1]
    first = torch.nonzero(starts)[:, 0]
    last = torch.cat([first[1:] - 1, first.new_tensor([len(starts) - 1])])
    done = []
    while len(first):
        curves, passes = fit_curves(points, first, last, tolerance, iterations)
        done.append(curves.select(passes))
        first, last = first[~passes], last[~passes]
        middle = _sharpest(points, first, last) if len(first) else first
        first, last = torch.cat([first, middle]), torch.cat([middle, last])
    order = torch.cat([curves.first for curves in done]).argsort()
    curves = Curves(*(torch.cat([getattr(part, name) for part in done])[order] for name in ("first", "last", "bends")))
    return _merge(points, curves, tolerance, iterations)


def _merge(points: Points, curves: Curves, tolerance: float, iterations: int) -> Curves:
    """Join neighbours of a stroke that one curve describes as well, until there are none."""
    open_pairs = torch.ones_like(curves.first, dtype=torch.bool)  # a curve with the next one
    parity = 0
    while True:
        strokes = points.strokes[curves.first]
        open_pairs[:-1] &= strokes[1:] == strokes[:-1]
        open_pairs[-1] = False
        if not bool(open_pairs.any()):
            return curves
        numbers = torch.arange(len(strokes), device=strokes.device) - torch.searchsorted(strokes, strokes)
        left = torch.nonzero(open_pairs & (numbers % 2 == parity))[:, 0]
        parity = 1 - parity
        if len(left):
            joined, passes = fit_curves(points, curves.first[left], curves.last[left + 1], tolerance, iterations)
            open_pairs[left[~passes]] = False
            curves, open_pairs = _replace(curves, open_pairs, left[passes], joined.select(passes))


def _replace(curves: Curves, open_pairs: Tensor, left: Tensor, joined: Curves) -> tuple[Curves, Tensor]:
    """Put `joined` in the place of the curves `left` and of those after them."""
    last, bends, open_pairs = curves.last.clone(), curves.bends.clone(), open_pairs.clone()
    last[left], bends[left] = joined.last, joined.bends
    open_pairs[left] = True
    open_pairs[(left - 1).clamp(min=0)] = True
    kept = torch.ones_like(open_pairs)
    kept[left + 1] = False
    return Curves(curves.first, last, bends).select(kept), open_pairs[kept]


@dataclass(frozen=True)
class _Inner:
    """The points (P,) that lie inside curves (K,), each once for its curve."""

    index: Tensor  # int64, of the point
    owner: Tensor  # int64, of the curve
    number: Tensor  # int64, from 1, of the point in the curve


def _inner_points(first: Tensor, last: Tensor) -> _Inner:
    counts = (last - first - 1).clamp(min=0)
    owner = torch.repeat_interleave(counts)
    number = 1 + torch.arange(len(owner), device=first.device) - (counts.cumsum(0) - counts)[owner]
    return _Inner(first[owner] + number, owner, number)


def fit_curves(points: Points, first: Tensor, last: Tensor, tolerance: float, iterations: int) -> tuple[Curves, Tensor]:
    """Fit curves from `first` to `last` points (K,); return them and whether they are near enough and bent little.

    The points' parameters s begin as shares of the arc; least squares for the bends and one Newton step on s take
    turns (Carbune et al. 2020, section 2.1.2).
    """
    inner = _inner_points(first, last)
    spans = points.arcs[last] - points.arcs[first]
    by_arc = (points.arcs[inner.index] - points.arcs[first][inner.owner]).double() / spans[inner.owner]
    s = torch.where(spans[inner.owner] > 0, by_arc, inner.number.double() / (last - first)[inner.owner])
    offsets = points.values[inner.index] - points.values[first][inner.owner]  # (P, 3)
    chords = points.values[last] - points.values[first]  # (K, 3)
    scale = _greatest(offsets.abs(), inner.owner, chords.abs())
    scale[:, :2] = scale[:, :2].amax(dim=1, keepdim=True)  # x and y in one unit: the Newton step needs distances
    scale = torch.where(scale > 0, scale, 1.0)
    offsets, lines = offsets / scale[inner.owner], (chords / scale)[inner.owner]
    for _ in range(iterations):
        bends = _solve(offsets[:, :2] - lines[:, :2] * s[:, None], s, inner.owner, len(first))
        s = _newton(s, offsets, lines, bends[inner.owner])
    bends = _solve(offsets - lines * s[:, None], s, inner.owner, len(first)) * scale[:, None]
    missed = _curve(s, chords[inner.owner], bends[inner.owner]) - offsets * scale[inner.owner]
    squares = missed[:, :2].square().sum(dim=1, keepdim=True)
    error = _greatest(squares, inner.owner, squares.new_zeros(len(first), 1))[:, 0]
    simple = _is_simple(spans, chords, bends)
    return Curves(first, last, bends), (last - first <= 1) | (spans == 0) | (simple & (error <= tolerance**2))


def _is_simple(spans: Tensor, chords: Tensor, bends: Tensor) -> Tensor:
    """Return whether the way from end to end, and both control distances, are at most three chords."""
    near, far = chords / 3 + bends[:, 0], -chords / 3 + bends[:, 1]
    ways = [spans.double() / STEP_UNITS, planar_length(near), planar_length(far)]
    return torch.stack(ways).amax(dim=0) <= _LONGEST * planar_length(chords)


def planar_length(vectors: Tensor) -> Tensor:
    """Return the lengths (K,) in x and y of vectors (K, 2 or 3)."""
    x, y = vectors[:, 0], vectors[:, 1]
    return (x * x + y * y).sqrt()


def _greatest(values: Tensor, owner: Tensor, start: Tensor) -> Tensor:
    """Return the greatest of each curve's values (P, C), and of `start`, (K, C)."""
    return start.scatter_reduce(0, owner[:, None].expand_as(values), values, "amax")


def _basis(s: Tensor) -> tuple[Tensor, Tensor]:
    return 3 * s * (1 - s) * (1 - s), 3 * s * s * (1 - s)


def _curve(s: Tensor, lines: Tensor, bends: Tensor) -> Tensor:
    """Return the curves' points (P, C) at s, from their first points."""
    near, far = _basis(s)
    return lines * s[:, None] + bends[:, 0] * near[:, None] + bends[:, 1] * far[:, None]


def _solve(rest: Tensor, s: Tensor, owner: Tensor, size: int) -> Tensor:
    """Return the bends (K, 2, C) of least squares for what the straight lines leave, (P, C), at most about 1."""
    near, far = _basis(s)
    products = [torch.stack([near * near, near * far, far * far], dim=1), rest * near[:, None], rest * far[:, None]]
    columns = to_units(torch.cat(products, dim=1), FINE_UNITS)
    sums = from_units(columns.new_zeros(size, columns.shape[1]).index_add_(0, owner, columns), FINE_UNITS)
    width = rest.shape[1]
    a, b, c = sums[:, :3, None].unbind(1)  # (K, 1) each
    right_near, right_far = sums[:, 3 : 3 + width], sums[:, 3 + width :]
    ridge = _RIDGE * (a + c) + 1e-12
    a, c = a + ridge, c + ridge
    determinant = a * c - b * b
    return torch.stack([c * right_near - b * right_far, a * right_far - b * right_near], dim=1) / determinant[:, None]


def _newton(s: Tensor, offsets: Tensor, lines: Tensor, bends: Tensor) -> Tensor:
    """Move each s one Newton step towards the point of its curve nearest to its own point."""
    r, near, far = 1 - s, bends[:, 0], bends[:, 1]
    offsets, lines = offsets[:, :2], lines[:, :2]
    missed = _curve(s, lines, bends) - offsets
    slope = lines + near * (3 * r * (1 - 3 * s))[:, None] + far * (3 * s * (2 - 3 * s))[:, None]
    bend = near * (18 * s - 12)[:, None] + far * (6 - 18 * s)[:, None]
    first, second = _dot(missed, slope), _dot(slope, slope) + _dot(missed, bend)
    step = torch.where(second > 0, first / torch.where(second > 0, second, 1.0), 0.0)
    return (s - step).clamp(0, 1)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1]


def _sharpest(points: Points, first: Tensor, last: Tensor) -> Tensor:
    """Return the inner point (K,) of each curve at which its way turns most, an eighth of its points from either end.

    Were it nearer, a long zigzag would be parted point by point; what is cut too early is joined again.
    """
    inner = _inner_points(first, last)
    at = points.values[inner.index]
    before = at - points.values[torch.maximum(inner.index - _REACH, first[inner.owner])]
    after = points.values[torch.minimum(inner.index + _REACH, last[inner.owner])] - at
    lengths = planar_length(before) * planar_length(after)
    cosine = torch.where(lengths > 0, _dot(before, after) / torch.where(lengths > 0, lengths, 1.0), 1.0)
    middle = (2 * inner.index - first[inner.owner] - last[inner.owner]).abs()
    at_end = middle > (last - first)[inner.owner] * _INNER
    rank = (((cosine + 2) * _ANGLE_STEPS).round().long() << 32) + middle
    rank = rank.masked_fill(at_end, torch.iinfo(torch.int64).max)
    best = rank.new_full((len(first),), torch.iinfo(torch.int64).max).scatter_reduce(0, inner.owner, rank, "amin")
    chosen = torch.where(rank == best[inner.owner], inner.index, torch.iinfo(torch.int64).max)
    return last.scatter_reduce(0, inner.owner, chosen, "amin", include_self=True)
