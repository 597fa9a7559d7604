"""Options that layers share, or that each has for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Number = TypeVar("Number", int, float)


def per_layer(name: str, value: Number | Sequence[Number], num_layers: int) -> list[Number]:
    """Return an option's value for each of `num_layers` layers.

    Raises:
        ValueError: there is no layer, or not one value each.
    """
    values = list(value) if isinstance(value, Sequence) else [value] * num_layers
    if not values or len(values) != num_layers:
        raise ValueError(f"{name}={value} for {num_layers} layers: give one number, or one for each layer")
    return values
