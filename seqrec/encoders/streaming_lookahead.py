"""A forward LSTM that looks a few frames ahead: a row convolution above its layers stands in for a backward direction.

Source: Wang et al. 2016, "Lookahead convolution layer for unidirectional recurrent neural networks", and Deep Speech 2
(Amodei et al. 2016, https://arxiv.org/abs/1512.02595), section 3.6.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.sequence import Features


class LookaheadLSTMEncoder(RecurrentEncoder):
    """Forward LSTM layers, then a weighted sum of each output with those of the next `lookahead` frames.

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer.
        num_layers: stacked layers.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        lookahead: stacked frames that are seen ahead of the present one.
        stack_size: neighbouring frames joined to one before the first layer.
        stack_stride: frames from one joined frame to the next.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 256,
        num_layers: int = 3,
        dropout: float | list[float] = 0.1,
        lookahead: int = 20,
        stack_size: int = 1,
        stack_stride: int = 1,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bidirectional=False,
            dropout=dropout,
            stack_size=stack_size,
            stack_stride=stack_stride,
        )
        self.lookahead = RowConvolution(hidden_size, lookahead)

    @property
    def lookahead_frames(self) -> int:
        """The input frames that an output sees behind the first one joined to its own frame.

        Output t sees none behind input frame t * stack_stride + `lookahead_frames`.
        """
        return self.lookahead.num_ahead * self.stacking.stride + self.stacking.size - 1

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each LSTM layer gives, behind its dropout, the last with the convolution above it."""
        *lower, top = super().layer_outputs(features)
        return [*lower, Features(self.lookahead(top.values), top.lengths)]


class RowConvolution(nn.Module):
    """Sums each feature over the present frame and the next `num_ahead`, with weights of its own.

    It begins as the identity, so that an encoder begins as its LSTM.
    """

    def __init__(self, num_features: int, num_ahead: int) -> None:
        super().__init__()
        if num_ahead < 1:
            raise ValueError(f"lookahead={num_ahead}: must be at least 1; without it, choose encoder=lstm")
        self.num_ahead = num_ahead
        self.weight = nn.Parameter(torch.zeros(num_features, 1, num_ahead + 1))
        nn.init.ones_(self.weight.data[..., 0])

    def forward(self, values: Tensor) -> Tensor:
        """Convolve (B, T, H), zero in the padding, as it then is again: behind the end there are zeros to be seen."""
        ahead = nn.functional.pad(values.transpose(1, 2), (0, self.num_ahead))  # (B, T, H) -> (B, H, T + num_ahead)
        return nn.functional.conv1d(ahead, self.weight, groups=len(self.weight)).transpose(1, 2)
