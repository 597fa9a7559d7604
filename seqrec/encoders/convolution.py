"""Convolutions over time, or over time and features, that keep count of every frame and never see padding.

Values are (B, T, C) or (B, T, C, F), zero in the padding before each layer and behind it. Windows are centred on
frames 0, stride, 2 * stride, ..., whatever the length, so that T frames give ceil(T / stride).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from seqrec.encoders.valid_frames import Norm, frame_norm, gather_frames, scatter_frames, without_padding
from seqrec.sequence import Features, length_mask, map_lengths

Activation = Literal["relu", "gelu", "hardtanh"]


def strided(length: Tensor, stride: int) -> Tensor:
    """Return ceil(length / stride)."""
    return (length + stride - 1) // stride


class FrontLayer(nn.Module):
    """Turns frames of `shape` into fewer of `output_shape`, one for each `time_stride`, the last for the rest."""

    def __init__(self, shape: tuple[int, ...], output_shape: tuple[int, ...], time_stride: int) -> None:
        super().__init__()
        self.shape = shape
        self.output_shape = output_shape
        self.time_stride = time_stride

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave for `lengths` (B,) that enter."""
        return strided(lengths, self.time_stride)


class ConvolutionLayer(FrontLayer):
    """Convolution, norm, activation and dropout; all but the first see valid frames alone.

    Args:
        shape: of a frame that enters: channels, or channels and features.
        channels: of a frame that leaves; its whole shape is `output_shape`.
        kernel: frames of a window, or frames and features; odd.
        stride: from one window to the next, in the same order; at most half the kernel, rounded up, so that every frame
            is in a window.
        norm: over each channel of the batch's valid frames, over each frame by itself, or none.
        activation: `hardtanh` is cut to 0 ... 20, as in Deep Speech 2.
        dropout: share of the outputs zeroed in training.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: int,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        norm: Norm = "batch",
        activation: Activation = "relu",
        dropout: float = 0.0,
    ) -> None:
        if channels < 1 or not 0 <= dropout < 1:
            raise ValueError(f"channels={channels}, dropout={dropout}: need at least 1 channel and 0 <= dropout < 1")
        for size, step in zip(kernel, stride, strict=True):
            if size < 1 or size % 2 == 0 or not 1 <= step <= (size + 1) // 2:
                raise ValueError(
                    f"kernel size {size}, stride {step}: the kernel must be odd, and the stride 1 to half of it, "
                    "rounded up; else frames are lost"
                )
        rest = (-(-size // step) for size, step in zip(shape[1:], stride[1:], strict=True))
        super().__init__(shape, (channels, *rest), stride[0])
        padding = tuple(size // 2 for size in kernel)
        convolution = nn.Conv1d if len(shape) == 1 else nn.Conv2d
        self.convolution = convolution(shape[0], channels, kernel, stride, padding, bias=norm != "batch")  # type: ignore[arg-type]
        self.norm = frame_norm(norm, self.output_shape)
        self.activation = _activation(activation)
        self.dropout = nn.Dropout(dropout)
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")  # He et al. 2015
        if self.convolution.bias is not None:
            nn.init.zeros_(self.convolution.bias)

    def valid_frames(self, features: Features) -> Tensor:
        """Return the valid frames (n, *output_shape) that leave."""
        values = self.convolution(features.values.movedim(1, 2)).movedim(2, 1)  # (B, T, C, ...) -> (B, T', C', ...)
        frames = gather_frames(values, map_lengths(self.output_lengths, features.lengths))
        return self.dropout(self.activation(self.norm(frames)))

    def forward(self, features: Features) -> Features:
        """Convolve (B, T, *shape), zero in the padding, to (B, T', *output_shape), zero in the padding."""
        lengths = map_lengths(self.output_lengths, features.lengths)
        size = -(-features.values.shape[1] // self.time_stride)
        return Features(scatter_frames(self.valid_frames(features), lengths, size), lengths)


class MaxPooling(FrontLayer):
    """The largest of each `pool` frames and features, over valid frames alone; the last window may be smaller."""

    def __init__(self, shape: tuple[int, int], pool: tuple[int, int]) -> None:
        if min(pool) < 1:
            raise ValueError(f"pooling over {pool[0]} frames, {pool[1]} features: both must be at least 1")
        super().__init__(shape, (shape[0], -(-shape[1] // pool[1])), pool[0])
        self.pool = pool

    def forward(self, features: Features) -> Features:
        """Pool (B, T, C, F) to (B, T', C, F'), zero in the padding."""
        outside = ~length_mask(features.lengths, features.values.shape[1])
        values = features.values.masked_fill(outside[:, :, None, None], -torch.inf)
        values = nn.functional.max_pool2d(values.movedim(1, 2), self.pool, ceil_mode=True).movedim(2, 1)
        pooled = Features(values, map_lengths(self.output_lengths, features.lengths))
        return Features(without_padding(pooled), pooled.lengths)


def _activation(name: Activation) -> nn.Module:
    activations = {"relu": nn.ReLU(), "gelu": nn.GELU(), "hardtanh": nn.Hardtanh(0.0, 20.0)}
    if name not in activations:
        raise ValueError(f"activation={name}: choose one of {', '.join(activations)}")
    return activations[name]
