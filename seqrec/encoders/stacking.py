"""Frame stacking and subsampling: neighbouring frames side by side, fewer steps for the encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrec.encoders.valid_frames import without_padding
from seqrec.sequence import Features, map_lengths, num_windows, on_cpu


class FrameStacking(nn.Module):
    """Joins `size` neighbouring frames to one, every `stride` frames.

    The last window may reach past an example's end, where it sees zeros, so that no frame is lost; T frames give
    ceil(max(T - size, 0) / stride) + 1.
    """

    def __init__(self, size: int = 1, stride: int = 1) -> None:
        super().__init__()
        if size < 1 or not 1 <= stride <= size:
            raise ValueError(f"stack_size={size}, stack_stride={stride}: need 1 <= stack_stride <= stack_size")
        self.size = size
        self.stride = stride

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of stacked frames for `lengths` (B,)."""
        return num_windows(lengths + self.stride - 1, self.size, self.stride)

    def forward(self, features: Features) -> Features:
        """Stack features (B, T, F) to (B, T', F * size)."""
        if self.size == 1:
            return features
        lengths = map_lengths(self.output_lengths, features.lengths)
        num_frames = int(on_cpu(lengths).max())
        needed = (num_frames - 1) * self.stride + self.size
        values = without_padding(features)[:, :needed]
        values = nn.functional.pad(values, (0, 0, 0, needed - values.shape[1]))
        windows = values.unfold(1, self.size, self.stride)  # (B, T, F) -> (B, T', F, size)
        return Features(torch.flatten(windows.transpose(2, 3), 2), lengths)
