"""Time-depth separable convolutions, then recurrent layers.

A frame of `channels` x `width` numbers is convolved over time alone, the same way at each place of the width, and then
mixed by itself through two linear layers: wide contexts for few weights (Hannun et al. 2019,
https://arxiv.org/abs/1904.02619). Norms are over each frame, as in emg2qwerty, so that examples stay independent.
"""

from __future__ import annotations

from torch import Tensor, nn

from seqrec.encoders.convolution import ConvolutionLayer, FrontLayer
from seqrec.encoders.convolutional import ConvolutionalEncoder
from seqrec.encoders.per_layer import per_layer
from seqrec.encoders.recurrent import RecurrentStack
from seqrec.encoders.recurrent_cells import Cell
from seqrec.encoders.recurrent_layer import Merge
from seqrec.encoders.valid_frames import gather_frames, scatter_frames
from seqrec.sequence import Features


class TDSEncoder(ConvolutionalEncoder):
    """Groups of TDS blocks, each behind a convolution that widens and strides, in front of a `RecurrentStack`.

    Args:
        input_size: features of a frame, the width throughout.
        channels: of each group; a group's frames have channels * input_size numbers.
        blocks: TDS blocks in a group; one number, or one for each group.
        kernel_size: frames each convolution sees; odd.
        strides: frames to one at the beginning of each group; one number, or one for each. T give ceil(T / stride).
        conv_dropout: share of the outputs of convolutions and linear layers zeroed in training.
        hidden_size: cells of a recurrent layer and direction; this and what follows is `RecurrentStack`'s.
        num_layers: recurrent layers.
        cell: the kind of cell.
        bidirectional: also read backwards.
        dropout: behind each recurrent layer; one number, or one for each.
        merge: both directions side by side, or added.
    """

    def __init__(
        self,
        input_size: int,
        channels: tuple[int, ...] = (10, 14),
        blocks: int | tuple[int, ...] = 2,
        kernel_size: int = 11,
        strides: int | tuple[int, ...] = 2,
        conv_dropout: float = 0.1,
        hidden_size: int = 256,
        num_layers: int = 2,
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float | list[float] = 0.1,
        merge: Merge = "concat",
    ) -> None:
        counts = per_layer("blocks", blocks, len(channels))
        steps = per_layer("strides", strides, len(channels))
        front: list[FrontLayer] = []
        before = 1
        for after, count, stride in zip(channels, counts, steps, strict=True):
            front.append(Widening((before, input_size), after, kernel_size, stride, conv_dropout))
            front.extend(TDSBlock((after, input_size), kernel_size, conv_dropout) for _ in range(count))
            before = after
        recurrent = RecurrentStack(
            before * input_size,
            hidden_size,
            num_layers,
            cell=cell,
            bidirectional=bidirectional,
            dropout=dropout,
            merge=merge,
        )
        super().__init__(front, recurrent)


class Widening(ConvolutionLayer):
    """The convolution before a group's blocks: more channels, fewer frames; ReLU, dropout, then the norm."""

    def __init__(self, shape: tuple[int, int], channels: int, kernel_size: int, stride: int, dropout: float) -> None:
        super().__init__(shape, channels, (kernel_size, 1), (stride, 1), "none", "relu", dropout)
        self.last_norm = nn.LayerNorm(self.output_shape)

    def valid_frames(self, features: Features) -> Tensor:
        """Return the valid frames (n, channels, width) that leave."""
        return self.last_norm(super().valid_frames(features))


class TDSBlock(FrontLayer):
    """A convolution over time, then two linear layers on each frame; both with their input added, and normed."""

    def __init__(self, shape: tuple[int, int], kernel_size: int, dropout: float) -> None:
        super().__init__(shape, shape, 1)
        size = shape[0] * shape[1]
        self.convolution = ConvolutionLayer(shape, shape[0], (kernel_size, 1), (1, 1), "none", "relu", dropout)
        self.convolution_norm = nn.LayerNorm(shape)
        self.mixing = nn.Sequential(
            nn.Linear(size, size), nn.ReLU(), nn.Dropout(dropout), nn.Linear(size, size), nn.Dropout(dropout)
        )
        self.mixing_norm = nn.LayerNorm(size)

    def forward(self, features: Features) -> Features:
        """Run over (B, T, channels, width), zero in the padding before and behind."""
        before = gather_frames(features.values, features.lengths)
        frames = self.convolution_norm(before + self.convolution.valid_frames(features)).flatten(1)
        frames = self.mixing_norm(frames + self.mixing(frames)).unflatten(1, self.shape)
        return Features(scatter_frames(frames, features.lengths, features.values.shape[1]), features.lengths)
