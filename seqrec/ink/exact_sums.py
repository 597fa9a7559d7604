"""Sums of floating-point numbers that are the same in any order, on any device and beside any padding.

Whole numbers of small units are added, which is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

UNITS = 1 << 32  # of 1; leaves room for 2^31 addends up to 1
FINE_UNITS = 1 << 40  # of 1; leaves room for 2^23 addends up to 1


def to_units(values: Tensor, units: float) -> Tensor:
    """Return floating-point values as whole numbers (int64) of `units` to 1."""
    return (values * float(units)).round().long()


def from_units(sums: Tensor, units: float) -> Tensor:
    """Return sums of what `to_units` gave as float64."""
    return sums.double() / float(units)


def exact_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Return the sums (B, 1) of the values (B, N) where `mask` is true, to 2^-40 of the largest of them."""
    values = values.masked_fill(~mask, 0.0)
    scale = values.abs().amax(dim=1, keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    return from_units(to_units(values / scale, FINE_UNITS).sum(dim=1, keepdim=True), FINE_UNITS) * scale
