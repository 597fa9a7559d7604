"""Probabilities among the options of speech's augmentations."""

from __future__ import annotations


def check_probability(probability: float) -> None:
    """Refuse what is no probability.

    Raises:
        ValueError: it lies outside [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability={probability} must lie between 0 and 1")
