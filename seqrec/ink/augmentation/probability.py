"""Probabilities among the options of ink's augmentations."""

from __future__ import annotations


def check_probability(probability: float, name: str = "probability") -> None:
    """Refuse what is no probability; `name` is the option's.

    Raises:
        ValueError: it lies outside [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"{name}={probability} must lie between 0 and 1")
