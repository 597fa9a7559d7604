"""Gain: recordings louder and softer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from torch import Tensor


class Gain:
    """Change a recording's level by decibels uniform in a range.

    A front-end that normalises by the utterance takes it back; `global` and `none` let it through.

    Args:
        low_db: least change, decibels.
        high_db: greatest.
        clip: keep samples within full scale, as a recorder that is driven too hard.

    Raises:
        ValueError: the range is none.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = 1

    def __init__(self, low_db: float = -10.0, high_db: float = 6.0, clip: bool = False) -> None:
        if not -200 <= low_db <= high_db <= 200:
            raise ValueError(f"low_db={low_db}, high_db={high_db}: need -200 <= low_db <= high_db <= 200")
        self.low_db = low_db
        self.high_db = high_db
        self.clip = clip

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return a signal of the shape of `signal` (N, C)."""
        louder = signal * 10 ** (random.uniform(self.low_db, self.high_db) / 20)
        return louder.clamp(-1, 1) if self.clip else louder
