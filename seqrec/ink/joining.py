"""Inks of one word each, joined to a line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from seqrec.formats.ink import HEIGHT, NUM_CHANNELS, STROKE, TIME, X, Y
from seqrec.ink.augmentation.probability import check_probability
from seqrec.ink.writing_height import writing_height

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class JoinInks:
    """Joins training inks of one writer to lines, written from left to right; each keeps its size.

    A word's gap to the one before is drawn in writing heights: the median of those of the words of the line. The words
    stand on one line by the medians of y of their points, most of which lie in the core zone. Strokes are numbered on,
    and times go on after a pause. The line's known height of the writing area is the largest of its words'; where one
    does not know it, it is unknown.

    Args:
        max_words: of a line, at most; lines begin with 2 to `max_words` in mind, each number as often.
        min_gap: between words, in writing heights; nine of ten gaps in UNIPEN's lines lie between the defaults.
        max_gap: the same.
        max_pause_seconds: between words; the least is 0.
        probability: how often a word begins a line, rather than staying alone.
        by: key of a manifest's rows; inks with the same value of it are joined.

    Raises:
        ValueError: an argument lies outside its range.
    """

    acts_on: Literal["examples"] = "examples"
    num_channels = NUM_CHANNELS

    def __init__(
        self,
        max_words: int = 4,
        min_gap: float = 0.2,
        max_gap: float = 0.9,
        max_pause_seconds: float = 0.3,
        probability: float = 0.5,
        by: str = "writer",
    ) -> None:
        if max_words < 2:
            raise ValueError(f"max_words={max_words} must be at least 2, such as 4")
        check_probability(probability)
        if not 0 <= min_gap <= max_gap or max_pause_seconds < 0:
            raise ValueError(
                f"min_gap={min_gap}, max_gap={max_gap}, max_pause_seconds={max_pause_seconds}: give gaps from 0 up, "
                "the least first, and a pause of at least 0"
            )
        self.max_words = max_words
        self.gaps = (min_gap, max_gap)
        self.max_pause_seconds = max_pause_seconds
        self.probability = probability
        self.by = by

    def __call__(self, signals: Sequence[Tensor], random: np.random.Generator) -> Tensor:
        """Return the line (N, 6) of the words `signals`, in their order; they stay as they are."""
        words = [signal.numpy().astype(np.float64) for signal in signals]
        height = float(np.median([writing_height(word) for word in words]))
        area = max(word[0, HEIGHT] for word in words) if _all_heights_known(words) else np.nan
        for before, word in pairwise(words):
            gap, pause = random.uniform(*self.gaps) * height, random.uniform(0, self.max_pause_seconds)
            word[:, X] += before[:, X].max() + gap - word[:, X].min()
            word[:, Y] += np.median(before[:, Y]) - np.median(word[:, Y])
            word[:, STROKE] += before[-1, STROKE] + 1 - word[0, STROKE]
            _let_time_go_on(word[:, TIME], before[:, TIME], pause)
        line = np.concatenate(words)
        line[:, HEIGHT] = area
        return torch.from_numpy(line.astype(np.float32))


def _all_heights_known(words: Sequence[np.ndarray]) -> bool:
    return all(word[0, HEIGHT] > 0 for word in words)  # false for NaN


def _let_time_go_on(times: np.ndarray, before: np.ndarray, pause: float) -> None:
    """Let `times` start `pause` seconds after the last of `before`, in place; unknown ones stay so."""
    known, known_before = times[~np.isnan(times)], before[~np.isnan(before)]
    if len(known):
        times += (known_before.max() + pause if len(known_before) else 0.0) - known[0]
