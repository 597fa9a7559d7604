"""Strokes of training ink left out, turned round and put in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from seqrec.formats.ink import NUM_CHANNELS, STROKE, TIME, X, Y
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
        starts = _starts(columns)
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


class StrokeOrder:
    """Draws strokes from their other end and in another order, as other writers do; each keeps its shape and place.

    For symbols and digits: what looks the same then reads the same. A text keeps its order of writing only where
    `shuffle` is 0. The pen rests between two strokes as long as it did, and needs as long for each of them.

    Args:
        reverse: probability of each stroke to be drawn from its other end.
        shuffle: probability of an ink to have its strokes in random order.

    Raises:
        ValueError: a probability lies outside [0, 1].
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = NUM_CHANNELS

    def __init__(self, reverse: float = 0.1, shuffle: float = 0.1) -> None:
        check_probability(reverse, "reverse")
        check_probability(shuffle, "shuffle")
        self.reverse = reverse
        self.shuffle = shuffle

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N, 6), its strokes numbered from 0 on; `signal` stays as it is."""
        columns = signal.numpy()
        starts = _starts(columns)
        is_shuffled, backwards = random.random() < self.shuffle, random.random(len(starts)) < self.reverse
        order = random.permutation(len(starts)) if is_shuffled else np.arange(len(starts))
        if not is_shuffled and not backwards.any():
            return signal
        counts = np.diff(starts, append=len(columns))[order]
        stroke = np.repeat(np.arange(len(order)), counts)  # of each new point
        place = np.arange(len(columns)) - (np.cumsum(counts) - counts)[stroke]  # within its stroke
        turned = backwards[order][stroke]
        changed = columns[starts[order][stroke] + np.where(turned, counts[stroke] - 1 - place, place)]
        changed[:, STROKE] = stroke
        changed[:, TIME] = _times(columns[:, TIME], starts, order, changed[:, TIME], turned, stroke)
        return torch.from_numpy(changed)


def _times(
    times: np.ndarray, starts: np.ndarray, order: np.ndarray, moved: np.ndarray, turned: np.ndarray, stroke: np.ndarray
) -> np.ndarray:
    """Return the times of the new points, from those they had: strokes and rests are as long as before."""
    first, last = np.fmin.reduceat(times, starts), np.fmax.reduceat(times, starts)  # of the known ones
    durations, rests = np.nan_to_num(last - first), np.nan_to_num(first[1:] - last[:-1])  # unknown: none
    begins = np.nan_to_num(first[0]) + np.append(0.0, np.cumsum(durations[order][:-1] + rests))
    since = np.where(turned, last[order][stroke] - moved, moved - first[order][stroke])
    return begins[stroke] + since


def _starts(columns: np.ndarray) -> np.ndarray:
    """Return the first point of each stroke."""
    return np.concatenate([[0], np.flatnonzero(np.diff(columns[:, STROKE])) + 1])


def _sizes(columns: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the larger of the ranges of x and y of each stroke."""
    points = columns[:, [X, Y]]
    return (np.maximum.reduceat(points, starts) - np.minimum.reduceat(points, starts)).max(axis=1)
