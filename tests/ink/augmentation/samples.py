"""Inks of all kinds, as signals."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqrec.formats.ink import Ink


def scribble(seed: int = 0, num_strokes: int = 4, times: bool = True, height: float | None = None) -> Tensor:
    """Return strokes of 1 to 30 points, about 100 high, from left to right; times from 0 on, known pressure."""
    random = np.random.default_rng(seed)
    strokes, time = [], 0.0
    for number in range(num_strokes):
        count = int(random.integers(1, 31)) if number else 30
        start = np.array([60 * number, random.uniform(-50, 50)])
        stamps = time + np.cumsum(random.uniform(0.005, 0.02, count))
        time = float(stamps[-1]) + 0.2
        points = start + random.normal(0, 4, (count, 2)).cumsum(axis=0)
        columns = [points, stamps[:, None] if times else np.full((count, 1), np.nan), np.ones((count, 1))]
        strokes.append(np.hstack(columns))
    return torch.from_numpy(Ink.from_strokes(strokes, height).to_signal())


def with_unknown_times(signal: Tensor) -> Tensor:
    signal = signal.clone()
    signal[::3, 2] = torch.nan
    return signal


def of_points(*strokes: list[list[float]]) -> Tensor:
    return torch.from_numpy(Ink.from_strokes(list(strokes)).to_signal())


def far_off(signal: Tensor, distance: float) -> Tensor:
    signal = signal.clone()
    signal[:, :2] += distance
    return signal


INKS = {
    "word": scribble(),
    "one stroke": scribble(1, num_strokes=1),
    "without times": scribble(2, times=False),
    "with some times": with_unknown_times(scribble(3)),
    "known height": scribble(4, height=150.0),
    "far off": far_off(scribble(5), 5000.0),
    "dot": of_points([[3, 4, 0.0]]),
    "dots": of_points([[3, 4]], [[3, 4]], [[3, 4]]),
    "dash": of_points([[0, 0, 0.0], [50, 0, 0.1], [90, 0, 0.1]]),
    "times run backwards": of_points([[0, 0, 1.0], [5, 5, 0.5], [9, 0, 0.2]]),
}
