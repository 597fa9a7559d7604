"""Delayed strokes, such as the dot of an i and the bar of a t: written above what stands already."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.formats.ink import STROKE, X, Y
from seqrec.ink.core_zone import core_zone
from seqrec.ink.resampling import stroke_ends


@dataclass(frozen=True)
class DelayedStrokes:
    """Which strokes (B, S) of a batch are delayed, and where they lie."""

    of_point: Tensor  # (B, N) bool, true on the valid points of delayed strokes
    is_delayed: Tensor  # (B, S) bool
    left: Tensor  # (B, S) float64, least x of each stroke
    right: Tensor  # (B, S) float64, greatest x of each stroke

    def lie_above(self, x: Tensor) -> Tensor:
        """Return whether a delayed stroke lies at each x (B, T)."""
        inside = (x[:, :, None] >= self.left[:, None]) & (x[:, :, None] <= self.right[:, None])  # (B, T, S)
        return (inside & self.is_delayed[:, None]).any(dim=2)


def find_delayed_strokes(signals: Tensor, valid: Tensor) -> DelayedStrokes:
    """Find the delayed strokes of signals (B, N, 6).

    After Liwicki & Bunke 2006: a stroke wholly above the corpus line, that ends left of the right edge of what was
    written before it, and after which the pen goes on to the right of it, or no more.
    """
    is_first, _ = stroke_ends(signals[..., STROKE], valid)
    numbers = (is_first.cumsum(dim=1) - 1).clamp(min=0)
    size = int(numbers.max()) + 1
    left = _extremes(signals[..., X], numbers, valid, size, "amin")
    right = _extremes(signals[..., X], numbers, valid, size, "amax")
    lowest = _extremes(signals[..., Y], numbers, valid, size, "amax")
    earlier = functional.pad(right.cummax(dim=1).values, (1, 0), value=-torch.inf)[:, :-1]
    later = functional.pad(right, (0, 1), value=-torch.inf)[:, 1:]
    is_above = lowest < core_zone(signals, valid)[0]
    is_delayed = is_above & (right < earlier) & ((later > right) | later.isinf()) & right.isfinite()
    return DelayedStrokes(valid & is_delayed.gather(1, numbers), is_delayed, left, right)


def _extremes(values: Tensor, numbers: Tensor, valid: Tensor, size: int, reduce: str) -> Tensor:
    """Return the least or the greatest value of each stroke, (B, S); infinite where there is no such stroke."""
    worst = torch.inf if reduce == "amin" else -torch.inf
    start = values.new_full((len(values), size), worst)
    return start.scatter_reduce(1, numbers, values.masked_fill(~valid, worst), reduce)
