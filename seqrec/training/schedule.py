"""Learning-rate schedules as functions of the progress of training, so that resuming needs no state of theirs."""

from __future__ import annotations

from math import cos, pi


class Constant:
    """The optimiser's own learning rate, always."""

    def factor(self, progress: float) -> float:
        """Return what the learning rate is multiplied by at `progress` in [0, 1]."""
        return 1.0


class WarmupCosine:
    """Rises linearly, then falls along a half cosine (Loshchilov and Hutter 2017).

    Args:
        warmup: share of training in which the rate rises.
        start: first rate, as a fraction of the optimiser's.
        end: last rate, as a fraction of the optimiser's.
    """

    def __init__(self, warmup: float = 0.1, start: float = 0.05, end: float = 0.01) -> None:
        if not 0 <= warmup < 1:
            raise ValueError(f"warmup={warmup}: a share of training in [0, 1)")
        self.warmup = warmup
        self.start = start
        self.end = end

    def factor(self, progress: float) -> float:
        """Return what the learning rate is multiplied by at `progress` in [0, 1]."""
        progress = min(max(progress, 0.0), 1.0)
        if progress < self.warmup:
            return self.start + (1 - self.start) * progress / self.warmup
        done = (progress - self.warmup) / (1 - self.warmup)
        return self.end + (1 - self.end) * (1 + cos(pi * done)) / 2
