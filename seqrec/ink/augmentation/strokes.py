"""Strokes left out of training ink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from seqrec.formats.ink import NUM_CHANNELS, STROKE, X, Y
from seqrec.ink.augmentation.probability import check_probability
from seqrec.ink.writing_height import writing_height

if TYPE_CHECKING:
    from torch import Tensor


class StrokeDrop:
    """Leaves small strokes out, as hasty writers do with dots and bars; never the last one.

    Args:
        probability: of each small stroke to be left out.
        max_size: strokes of more heights of the writing area, along x or y, are never left out.

    Raises:
        ValueError: `probability` lies outside [0, 1], or `max_size` is negative.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, probability: float = 0.03, max_size: float = 0.3) -> None:
        check_probability(probability)
        if max_size < 0:
            raise ValueError(f"max_size={max_size} must be at least 0, such as 0.3")
        self.probability = probability
        self.max_size = max_size

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N', 6), its strokes numbered from 0 on; `signal` stays as it is."""
        columns = signal.numpy()
        starts = np.concatenate([[0], np.flatnonzero(np.diff(columns[:, STROKE])) + 1])
        left_out = random.random(len(starts)) < self.probability
        if not left_out.any():
            return signal
        sizes = _sizes(columns, starts)
        left_out &= sizes <= self.max_size * writing_height(columns)
        left_out[sizes.argmax()] = False  # one stays in any case
        counts = np.diff(starts, append=len(columns))
        kept = columns[np.repeat(~left_out, counts)]
        kept[:, STROKE] = np.repeat(np.arange((~left_out).sum()), counts[~left_out])
        return torch.from_numpy(kept)


def _sizes(columns: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the larger of the ranges of x and y of each stroke."""
    points = columns[:, [X, Y]]
    return (np.maximum.reduceat(points, starts) - np.minimum.reduceat(points, starts)).max(axis=1)
