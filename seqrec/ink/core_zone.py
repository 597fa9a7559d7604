"""The lines between which lower-case letters without ascender or descender stand."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.formats.ink import STROKE, Y
from seqrec.ink.resampling import latest_index, least_and_range, stroke_ends

_THINNEST = 0.15  # of the ink's y-range: a zone below it is chance


def core_zone(signals: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return y of the corpus line (above) and of the baseline (below) of signals (B, N, 6), both (B, 1), y downwards.

    They are the medians of the points where strokes turn downwards and upwards, ends of strokes among them (after
    Liwicki & Bunke 2006, who lay regression lines through these); the ink's least and greatest y where that makes no
    zone, as for a dot.
    """
    y = signals[..., Y]
    tops, bottoms = _turns(y, valid, *stroke_ends(signals[..., STROKE], valid))
    corpus_line, baseline = _lower_median(y, tops), _lower_median(y, bottoms)
    least, y_range = least_and_range(y, valid)
    height = baseline - corpus_line
    is_zone = (height > _THINNEST * y_range) & height.isfinite()  # not finite where there is no turn
    return torch.where(is_zone, corpus_line, least), torch.where(is_zone, baseline, least + y_range)


def _turns(y: Tensor, valid: Tensor, is_first: Tensor, is_last: Tensor) -> tuple[Tensor, Tensor]:
    """Return masks (B, N) of the upper and the lower turning points of strokes; of a level run, its first point."""
    steps = functional.pad(y.diff(dim=1), (1, 0)).sign().masked_fill(is_first, 0.0)  # to the point
    moves = steps != 0
    before = steps.gather(1, latest_index(moves | is_first))
    next_steps = functional.pad(steps[:, 1:], (0, 1)).masked_fill(is_last, 0.0)  # from the point
    after = next_steps.flip(1).gather(1, latest_index(((next_steps != 0) | is_last).flip(1))).flip(1)
    turns = valid & (moves | is_first) & ((before != 0) | (after != 0))
    return turns & (before <= 0) & (after >= 0), turns & (before >= 0) & (after <= 0)


def _lower_median(values: Tensor, mask: Tensor) -> Tensor:
    """Return the lower median of the values where `mask` (B, N) is true, (B, 1); infinite where nowhere."""
    ordered = values.masked_fill(~mask, torch.inf).sort(dim=1).values
    return ordered.gather(1, ((mask.sum(dim=1, keepdim=True) - 1) // 2).clamp(min=0))
