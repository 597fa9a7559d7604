"""Changes of the pen's speed in training ink."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from seqrec.formats.ink import NUM_CHANNELS, TIME

if TYPE_CHECKING:
    from torch import Tensor


class TimeWarp:
    """Lets the pen write slower and faster: as a whole, and from place to place.

    Intervals between points are multiplied by positive factors, so that their order in time stays. Ink without times,
    and points whose time is unknown, stay as they are.

    Args:
        overall: factors of the whole ink lie between 1 / (1 + overall) and 1 + overall, evenly on a logarithmic scale.
        deviation: of the logarithm of factors within it.
        seconds: between two factors drawn for themselves; those of points in between are interpolated.

    Raises:
        ValueError: `overall` or `deviation` is negative, or `seconds` not positive.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, overall: float = 0.25, deviation: float = 0.2, seconds: float = 0.5) -> None:
        if overall < 0 or deviation < 0 or not seconds > 0:
            raise ValueError(
                f"overall={overall}, deviation={deviation}, seconds={seconds}: need at least 0 twice, and above 0"
            )
        self.most = log(1 + overall)
        self.deviation = deviation
        self.seconds = seconds

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        columns = signal.numpy().copy()
        known = np.flatnonzero(columns[:, TIME] == columns[:, TIME])  # false for NaN
        if len(known) > 1:
            times = columns[known, TIME].astype(np.float64)
            # Adding what changes: without any strength, every bit stays as it is.
            longer = np.diff(times) * (np.exp(self._log_factors(times, random)) - 1)
            columns[known[1:], TIME] = times[1:] + longer.cumsum()
        return torch.from_numpy(columns)

    def _log_factors(self, times: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return the logarithm of the factor of each interval (n - 1,) between times (n,)."""
        elapsed = times[1:] - times[0]
        longest = float(elapsed.max())
        seconds = max(self.seconds, longest / len(times))  # never more factors than points, whatever the clock says
        knots = np.arange(int(max(longest, 0.0) / seconds) + 2)
        local = random.standard_normal(len(knots)) * self.deviation
        return random.uniform(-self.most, self.most) + np.interp(elapsed / seconds, knots, local)
