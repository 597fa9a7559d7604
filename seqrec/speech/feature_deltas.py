"""Deltas: how features change over time, beside the features themselves."""

from __future__ import annotations

import torch
from torch import Tensor

from seqrec.sequence import Features

DELTA_REACH = 2  # frames to either side, as HTK's DELTAWINDOW and ACCWINDOW


def stack_deltas(features: Features, order: int) -> Features:
    """Put the first `order` deltas of features (B, T, F) behind them: (B, T, (1 + order) * F).

    A delta is the slope of a regression over two frames to either side (HTK book 3.4, equation 5.16):
    d_t = sum over k = 1, 2 of k (c_{t+k} - c_{t-k}) / 10, the first and the last valid frame standing for those beyond;
    the second delta is the first one's delta.
    """
    stack = [features.values]
    for _ in range(order):
        stack.append(_deltas(stack[-1], features.lengths))
    return Features(torch.cat(stack, dim=2), features.lengths)


def _deltas(values: Tensor, lengths: Tensor) -> Tensor:
    count = values.shape[1]
    places = torch.arange(-DELTA_REACH, count + DELTA_REACH, device=values.device).clamp(min=0)
    places = places.minimum(lengths[:, None] - 1)  # (T + 4,) -> (B, T + 4)
    values = values.gather(1, places[..., None].expand(-1, -1, values.shape[2]))
    steps = range(1, DELTA_REACH + 1)
    slopes = [k * (values[:, DELTA_REACH + k :][:, :count] - values[:, DELTA_REACH - k :][:, :count]) for k in steps]
    return torch.stack(slopes).sum(dim=0) / (2 * sum(k * k for k in steps))
