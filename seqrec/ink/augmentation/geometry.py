"""Linear maps of training ink about its own centre: scale, rotate, shear, or any of them at once.

All of them keep the known height of the writing area as it is. So where it is known, a change of size stays one: a
front-end divides by that height. Where it is not, a front-end that divides by the range of y sees a change of
proportions alone, as it does in test ink of another size.
"""

from __future__ import annotations

from math import log, radians, tan
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from seqrec.formats.ink import NUM_CHANNELS, X, Y

if TYPE_CHECKING:
    from torch import Tensor

_MOST_DEVIATIONS = 2.0  # normal noise beyond it is cut, lest an ink collapse to a line


class Scale:
    """Stretches ink along x and along y, each by a factor of its own.

    Args:
        x: factors lie between 1 / (1 + x) and 1 + x, evenly on a logarithmic scale.
        y: the same for y.

    Raises:
        ValueError: one of them is negative.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, x: float = 0.2, y: float = 0.2) -> None:
        if x < 0 or y < 0:
            raise ValueError(f"x={x}, y={y} must be at least 0, such as 0.2 for a fifth more or less")
        self.most = np.array([log(1 + x), log(1 + y)])

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        return map_points(signal, np.diag(np.exp(random.uniform(-self.most, self.most))))


class Rotate:
    """Turns ink by an angle, even between -`degrees` and `degrees`.

    Raises:
        ValueError: `degrees` lies outside [0, 180].
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, degrees: float = 3.0) -> None:
        if not 0 <= degrees <= 180:
            raise ValueError(f"degrees={degrees} must lie between 0 and 180, such as 3")
        self.most = radians(degrees)

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        angle = random.uniform(-self.most, self.most)
        cosine, sine = np.cos(angle), np.sin(angle)
        return map_points(signal, np.array([[cosine, -sine], [sine, cosine]]))


class Shear:
    """Slants ink: an upright stroke leans to the left or the right, by up to `degrees`.

    The tangent of the angle is what is even, between those of -`degrees` and `degrees`.

    Raises:
        ValueError: `degrees` lies outside [0, 80].
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, degrees: float = 15.0) -> None:
        if not 0 <= degrees <= 80:
            raise ValueError(f"degrees={degrees} must lie between 0 and 80, such as 15")
        self.most = tan(radians(degrees))

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        return map_points(signal, np.array([[1.0, random.uniform(-self.most, self.most)], [0.0, 1.0]]))


class LinearMap:
    """Stretches, slants and turns ink at once: the identity plus `deviation` times normal noise is its matrix.

    Noise beyond two deviations is cut.

    Raises:
        ValueError: `deviation` lies outside [0, 0.5), beyond which ink may be mirrored.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, deviation: float = 0.1) -> None:
        if not 0 <= deviation < 1 / _MOST_DEVIATIONS:
            raise ValueError(f"deviation={deviation} must be at least 0 and below {1 / _MOST_DEVIATIONS}, such as 0.1")
        self.deviation = deviation

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6); `signal` stays as it is."""
        noise = np.clip(random.standard_normal((2, 2)), -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
        return map_points(signal, np.eye(2) + self.deviation * noise)


def map_points(signal: Tensor, matrix: np.ndarray) -> Tensor:
    """Return `signal` (N, 6) with the places of its points, seen from their mean, multiplied by `matrix` (2, 2)."""
    columns = signal.numpy().copy()
    points = columns[:, [X, Y]]
    # Adding what changes, not mapping the whole: the identity leaves every bit as it is.
    change = (matrix - np.eye(2)).T.astype(np.float32)
    columns[:, [X, Y]] = points + (points - points.mean(axis=0)) @ change
    return torch.from_numpy(columns)
