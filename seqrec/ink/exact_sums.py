"""Sums of floating-point numbers that are the same in any order, on any device and beside any padding."""

from __future__ import annotations

import torch
from torch import Tensor

_UNITS = float(1 << 40)  # of the largest addend; leaves room for 2^22 addends


def exact_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Return the sums (B, 1) of the values (B, N) where `mask` is true, to 2^-40 of the largest of them."""
    values = values.masked_fill(~mask, 0.0)
    scale = values.abs().amax(dim=1, keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    return (values / scale * _UNITS).round().long().sum(dim=1, keepdim=True).double() / _UNITS * scale
