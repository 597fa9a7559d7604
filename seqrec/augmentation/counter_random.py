"""Random numbers of a batch, each a function of its example's seed and a counter alone, computed on any device.

A generator that holds a state would give an example other numbers beside other batch-mates; here it cannot.
"""

from __future__ import annotations

import torch
from torch import Tensor

_BITS = 31  # so that a product with a bound up to 2**32 fits int64
_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)  # as signed numbers, which multiply alike
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)


def splitmix64(seeds: Tensor, count: int) -> Tensor:
    """Return the first `count` numbers (B, count) int64, of 64 random bits, of each seed (B,) int64.

    SplitMix64 of Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
    """
    counters = torch.arange(1, count + 1, device=seeds.device)
    bits = seeds[:, None] + counters * _GAMMA  # (B,) -> (B, count); wraps around
    bits = (bits ^ _shifted(bits, 30)) * _FIRST
    bits = (bits ^ _shifted(bits, 27)) * _SECOND
    return bits ^ _shifted(bits, 31)


def whole_numbers(bits: Tensor, bounds: Tensor | int) -> Tensor:
    """Turn 64 random bits into whole numbers, uniform from 0 to `bounds` - 1; in integers, so alike on all devices."""
    return _shifted(bits, 64 - _BITS) * bounds >> _BITS


def _shifted(bits: Tensor, places: int) -> Tensor:
    """Shift to the right, zeros coming in: `>>` alone would bring the sign."""
    return (bits >> places) & ((1 << (64 - places)) - 1)
