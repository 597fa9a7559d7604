"""The valid frames of a ragged batch, one behind the other: what is done to them cannot see padding.

    (B, T, ...)  gather_frames  ->  (n, ...)  scatter_frames  ->  (B, T, ...), zero in the padding

n is the sum of the lengths. A norm over (n, ...) is torch's own, over valid frames alone.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from seqrec.sequence import Features, length_mask, on_cpu

Norm = Literal["batch", "layer", "none"]


def without_padding(features: Features) -> Tensor:
    """Return the values (B, T, ...) with zeros for whatever stands in the padding, NaN included."""
    outside = ~length_mask(features.lengths, features.values.shape[1])
    return features.values.masked_fill(outside.reshape(*outside.shape, *[1] * (features.values.dim() - 2)), 0.0)


def gather_frames(values: Tensor, lengths: Tensor) -> Tensor:
    """Return the valid frames (n, ...) of values (B, T, ...)."""
    return values.reshape(-1, *values.shape[2:]).index_select(0, _places(lengths, values.shape[1]))


def scatter_frames(frames: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Put valid frames (n, ...) back to (B, size, ...), among zeros."""
    values = frames.new_zeros(len(lengths) * size, *frames.shape[1:])
    return values.index_copy(0, _places(lengths, size), frames).reshape(len(lengths), size, *frames.shape[1:])


def _places(lengths: Tensor, size: int) -> Tensor:
    """Return where the valid frames (n,) lie among all B * size; n comes from the CPU, lest a GPU be waited for."""
    count = int(on_cpu(lengths).sum())
    padding_before = size * torch.arange(len(lengths), device=lengths.device) - (lengths.cumsum(0) - lengths)
    places = torch.arange(count, device=lengths.device)
    return places + padding_before.repeat_interleave(lengths, output_size=count)


class FrameBatchNorm(nn.BatchNorm1d):
    """Batch norm of valid frames (n, C) or (n, C, F) over frames and features (Ioffe and Szegedy 2015).

    In training its statistics are the batch's, so an example's outputs depend on the others; in evaluation they do not.
    With several processes each takes its own batch's statistics, unless `trainer.sync_batchnorm=true`.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise; a single value a channel has no variance, so there the running statistics serve."""
        if self.training and input.numel() == self.num_features:
            mean, variance = self.running_mean, self.running_var
            return nn.functional.batch_norm(input, mean, variance, self.weight, self.bias, eps=self.eps)
        return super().forward(input)


def frame_norm(kind: Norm, shape: tuple[int, ...]) -> nn.Module:
    """Return a norm of frames (n, *shape): by channel over the batch, by frame over its whole shape, or none."""
    if kind not in get_args(Norm):
        raise ValueError(f"norm={kind}: choose one of {', '.join(get_args(Norm))}")
    if kind == "batch":
        return FrameBatchNorm(shape[0])
    return nn.LayerNorm(shape) if kind == "layer" else nn.Identity()
