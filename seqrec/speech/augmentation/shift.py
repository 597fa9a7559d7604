"""Time shift: some quiet before and after a recording."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

_BLOCK_MS = 10
_QUIET = 0.1  # share of blocks that are as soft as the quiet that is put around


class TimeShift:
    """Put random stretches of quiet before and after a recording, so that no speech is lost.

    The quiet is white noise as loud as the recording's softest tenth: zeros would be a sound that no microphone makes,
    and weigh on an utterance's mean.

    Args:
        max_ms: milliseconds put at either end, at most; each is uniform from 0 on.
        sample_rate: hertz of the signals.

    Raises:
        ValueError: `max_ms` is negative, or the rate not positive.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = 1

    def __init__(self, max_ms: float = 100.0, sample_rate: int = 16000) -> None:
        if not 0 <= max_ms < float("inf") or sample_rate < 1:
            raise ValueError(f"max_ms={max_ms}, sample_rate={sample_rate}: need at least 0 and at least 1")
        self.greatest = round(max_ms * sample_rate / 1000)  # samples
        self.block = max(1, _BLOCK_MS * sample_rate // 1000)  # samples

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return a signal (N + what is put around it, C)."""
        before, after = (int(number) for number in random.integers(self.greatest + 1, size=2))
        noise = random.standard_normal((before + after, signal.shape[1]), dtype=np.float32)
        quiet = torch.from_numpy(noise) * self._quiet(signal)
        return torch.cat([quiet[:before], signal, quiet[before:]])

    def _quiet(self, signal: Tensor) -> Tensor:
        """Return the deviation (C,) of the softest blocks of a signal (N, C)."""
        block = min(self.block, len(signal))
        blocks = signal[: len(signal) // block * block].unflatten(0, (-1, block))  # (N, C) -> (blocks, block, C)
        variances = (blocks.square().mean(dim=1) - blocks.mean(dim=1).square()).clamp(min=0)
        return torch.quantile(variances, _QUIET, dim=0, interpolation="lower").sqrt()
