"""Displacements of the points of training ink: noise along the pen's way, and a smooth warp of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from seqrec.formats.ink import NUM_CHANNELS, X, Y
from seqrec.ink.augmentation.probability import check_probability
from seqrec.ink.writing_height import writing_height

if TYPE_CHECKING:
    from torch import Tensor

_NUM_WAVES = 16  # of a warp; their sum is nearly normal


class Jitter:
    """Displaces points by normal noise, as an unsteady hand or a coarse tablet does.

    Args:
        deviation: of the noise along x and along y, in heights of the writing area.
        window: points whose noise is averaged, so that neighbours move together; 1: each on its own. The deviation
            stays the same.
        probability: how often ink is changed at all.

    Raises:
        ValueError: `deviation` is negative, `window` below 1, or `probability` outside [0, 1].
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, deviation: float = 0.01, window: int = 3, probability: float = 1.0) -> None:
        if deviation < 0 or window < 1:
            raise ValueError(f"deviation={deviation}, window={window}: need at least 0, and at least 1 point")
        check_probability(probability)
        self.deviation = deviation
        self.window = window
        self.probability = probability

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        if random.random() >= self.probability:
            return signal
        columns = signal.numpy().copy()
        sums = np.zeros((len(columns) + self.window, 2))
        np.cumsum(random.standard_normal((len(columns) + self.window - 1, 2)), axis=0, out=sums[1:])
        noise = (sums[self.window :] - sums[: -self.window]) / self.window**0.5
        columns[:, [X, Y]] += (self.deviation * writing_height(columns)) * noise
        return torch.from_numpy(columns)


class ElasticWarp:
    """Bends the paper under the ink: points near one another move alike, far ones on their own.

    The displacement is a field of normal noise that a Gaussian has smoothed, as of Simard, Steinkraus, Platt 2003
    (DOI 10.1109/ICDAR.2003.1227801). It is never drawn on a grid, but as a sum of plane waves at the points alone
    (Rahimi, Recht 2007, "Random features for large-scale kernel machines"): the displacements of two points at a
    distance d have the correlation exp(-(d / smoothness)^2 / 2).

    Args:
        deviation: of the displacement along x and along y, in heights of the writing area.
        smoothness: in heights of the writing area; deviation / smoothness is the deviation of local stretches.
        probability: how often ink is changed at all.

    Raises:
        ValueError: `deviation` is negative, `smoothness` not positive, or `probability` outside [0, 1].
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, deviation: float = 0.05, smoothness: float = 0.5, probability: float = 1.0) -> None:
        if deviation < 0 or not smoothness > 0:
            raise ValueError(f"deviation={deviation}, smoothness={smoothness}: need at least 0, and above 0")
        check_probability(probability)
        self.deviation = deviation
        self.smoothness = smoothness
        self.probability = probability

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        if random.random() >= self.probability:
            return signal
        columns = signal.numpy().copy()
        height = writing_height(columns)
        if height > 0:
            points = columns[:, [X, Y]]
            directions = random.standard_normal((2, _NUM_WAVES)) / (self.smoothness * height)
            phases = random.uniform(0, 2 * np.pi, _NUM_WAVES)
            heights = random.standard_normal((_NUM_WAVES, 2)) * (self.deviation * height * (2 / _NUM_WAVES) ** 0.5)
            inner = (points - points[0]) @ directions.astype(np.float32)  # float32 holds no phase of a far-off point
            waves = np.cos(inner + phases.astype(np.float32))  # (N, waves)
            columns[:, [X, Y]] = points + waves @ heights.astype(np.float32)
        return torch.from_numpy(columns)
