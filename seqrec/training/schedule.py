"""Learning-rate schedules as functions of how far training is, so that resuming needs no state of most of them."""

from __future__ import annotations

from math import cos, inf, pi, sqrt
from typing import Any


class Schedule:
    """Says what the optimiser's own learning rate is multiplied by; asked anew before each step."""

    def factor(self, progress: float, step: int = 0) -> float:
        """Return the factor at `progress` in [0, 1] of training, before optimiser step `step`, counted from 0."""
        raise NotImplementedError

    def observe(self, dev_cer: float) -> None:
        """Hear the score of a validation; most schedules do not care."""

    def state_dict(self) -> dict[str, Any]:
        """Return what `observe` has left, as plain data for the checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""


class Constant(Schedule):
    """The optimiser's own learning rate, always."""

    def factor(self, progress: float, step: int = 0) -> float:
        """Return 1."""
        return 1.0


class WarmupCosine(Schedule):
    """Rises linearly, then falls along a half cosine (Loshchilov and Hutter 2017).

    Args:
        warmup: share of training in which the rate rises.
        start: first rate, as a fraction of the optimiser's.
        end: last rate, as a fraction of the optimiser's.
    """

    def __init__(self, warmup: float = 0.1, start: float = 0.05, end: float = 0.01) -> None:
        _check_share(warmup)
        self.warmup = warmup
        self.start = start
        self.end = end

    def factor(self, progress: float, step: int = 0) -> float:
        """Return the factor at `progress` in [0, 1]."""
        progress = min(max(progress, 0.0), 1.0)
        if progress < self.warmup:
            return self.start + (1 - self.start) * progress / self.warmup
        done = (progress - self.warmup) / (1 - self.warmup)
        return self.end + (1 - self.end) * (1 + cos(pi * done)) / 2


class OneCycle(Schedule):
    """Rises and falls along half cosines (Smith and Topin 2019, https://arxiv.org/abs/1708.07120).

    As torch.optim.lr_scheduler.OneCycleLR anneals the rate, momentum left alone.

    Args:
        warmup: share of training in which the rate rises.
        start: first rate, as a fraction of the optimiser's.
        end: last rate, as a fraction of the optimiser's.
    """

    def __init__(self, warmup: float = 0.3, start: float = 0.04, end: float = 4e-6) -> None:
        _check_share(warmup)
        self.warmup = warmup
        self.start = start
        self.end = end

    def factor(self, progress: float, step: int = 0) -> float:
        """Return the factor at `progress` in [0, 1]."""
        progress = min(max(progress, 0.0), 1.0)
        if progress < self.warmup:
            return _half_cosine(self.start, 1.0, progress / self.warmup)
        return _half_cosine(1.0, self.end, (progress - self.warmup) / (1 - self.warmup))


class Noam(Schedule):
    """Rises linearly to the optimiser's rate, then falls with the square root of the steps (Vaswani et al. 2017).

    Args:
        warmup_steps: optimiser steps in which the rate rises.
    """

    def __init__(self, warmup_steps: int = 1000) -> None:
        if warmup_steps < 1:
            raise ValueError(f"warmup_steps={warmup_steps}: must be at least 1")
        self.warmup_steps = warmup_steps

    def factor(self, progress: float, step: int = 0) -> float:
        """Return the factor before optimiser step `step`."""
        return min((step + 1) / self.warmup_steps, sqrt(self.warmup_steps / (step + 1)))


class Plateau(Schedule):
    """Lowers the rate when dev CER no longer falls, as torch.optim.lr_scheduler.ReduceLROnPlateau does.

    Args:
        reduction: what the rate is multiplied by.
        patience: validations without a new least CER that are let pass.
        threshold: share of the least CER by which a new one must be below it.
        end: the rate goes no lower than this fraction of the optimiser's.
        warmup_steps: optimiser steps in which the rate first rises linearly.
    """

    def __init__(
        self,
        reduction: float = 0.5,
        patience: int = 3,
        threshold: float = 0.005,
        end: float = 0.001,
        warmup_steps: int = 200,
    ) -> None:
        if not 0 < reduction < 1 or patience < 0 or warmup_steps < 1:
            raise ValueError(
                f"reduction={reduction}, patience={patience}, warmup_steps={warmup_steps}: need a number between 0 "
                "and 1, at least 0, and at least 1"
            )
        self.reduction = reduction
        self.patience = patience
        self.threshold = threshold
        self.end = end
        self.warmup_steps = warmup_steps
        self._scale = 1.0
        self._least = inf
        self._waited = 0

    def factor(self, progress: float, step: int = 0) -> float:
        """Return the factor before optimiser step `step`."""
        return self._scale * min((step + 1) / self.warmup_steps, 1.0)

    def observe(self, dev_cer: float) -> None:
        """Lower the rate when patience has come to its end."""
        if dev_cer < self._least * (1 - self.threshold):
            self._least, self._waited = dev_cer, 0
        else:
            self._waited += 1
        if self._waited > self.patience:
            self._scale, self._waited = max(self._scale * self.reduction, self.end), 0

    def state_dict(self) -> dict[str, Any]:
        """Return the rate's factor, the least CER and how long it has stood."""
        return {"scale": self._scale, "least": self._least, "waited": self._waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._scale, self._least, self._waited = state["scale"], state["least"], state["waited"]


def _half_cosine(first: float, last: float, done: float) -> float:
    return last + (first - last) * (1 + cos(pi * done)) / 2


def _check_share(warmup: float) -> None:
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup={warmup}: a share of training in [0, 1)")
