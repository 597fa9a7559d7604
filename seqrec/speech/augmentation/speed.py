"""Speed perturbation: recordings played slower and faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from torch import Tensor

from seqrec.speech.portable_torchaudio import torchaudio

_HUNDREDTHS = 100
_SLOWEST, _FASTEST = 0.5, 2.0


class SpeedPerturbation:
    """Play a recording faster by a random factor, pitch and all, by resampling it (Ko et al. 2015).

    A recording of N samples gets the ceiling of N / factor. Mind targets that hardly fit their frames.

    Args:
        factors: speeds, each as likely as the others; hundredths, so that a few small filters serve them all.
        uniform: draw any hundredth from the least to the greatest of `factors` instead.

    Raises:
        ValueError: there is no factor, or one is no hundredth from 0.5 to 2.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = 1

    def __init__(self, factors: tuple[float, ...] = (0.9, 1.0, 1.1), uniform: bool = False) -> None:
        if not factors:
            raise ValueError("factors is empty; give at least one speed, such as 1.0")
        for factor in factors:
            if not (_SLOWEST <= factor <= _FASTEST and abs(factor - round(factor, 2)) < 1e-9):
                raise ValueError(f"factors has {factor}; give hundredths from {_SLOWEST} to {_FASTEST}, such as 0.95")
        hundredths = [round(factor * _HUNDREDTHS) for factor in factors]
        self.speeds = list(range(min(hundredths), max(hundredths) + 1)) if uniform else hundredths
        self._resamplers: dict[int, Callable[[Tensor], Tensor]] = {}  # with their filters

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return a signal (N', C) of N (N, C) samples at one of the speeds."""
        speed = self.speeds[int(random.integers(len(self.speeds)))]
        if speed == _HUNDREDTHS:
            return signal
        if speed not in self._resamplers:
            self._resamplers[speed] = torchaudio.transforms.Resample(speed, _HUNDREDTHS)
        return self._resamplers[speed](signal.T).T.contiguous()  # (N, C) -> (C, N) -> (C, N') -> (N', C)
