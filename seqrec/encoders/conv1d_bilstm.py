"""One-dimensional convolutions over time, then recurrent layers: short contexts are learned, and frames get fewer."""

from __future__ import annotations

from seqrec.encoders.convolution import Activation, ConvolutionLayer
from seqrec.encoders.convolutional import ConvolutionalEncoder
from seqrec.encoders.per_layer import per_layer
from seqrec.encoders.recurrent import RecurrentStack
from seqrec.encoders.recurrent_cells import Cell
from seqrec.encoders.recurrent_layer import Merge
from seqrec.encoders.valid_frames import Norm


class Conv1dEncoder(ConvolutionalEncoder):
    """`len(channels)` convolutions over time in front of a `RecurrentStack`.

    Args:
        input_size: features of a frame.
        channels: outputs of each convolution.
        kernel_sizes: frames each convolution sees, odd; one number, or one for each convolution.
        strides: frames from one window to the next; one number, or one for each. T frames give ceil(T / stride).
        norm: behind each convolution, over the batch's valid frames, over the channels of each frame, or none.
        activation: behind each norm.
        conv_dropout: share of each convolution's outputs zeroed in training.
        hidden_size: cells of a recurrent layer and direction; this and what follows is `RecurrentStack`'s.
        num_layers: recurrent layers.
        cell: the kind of cell.
        bidirectional: also read backwards.
        dropout: behind each recurrent layer; one number, or one for each.
        projection: outputs of a linear layer behind each recurrent layer; null: none.
        layer_norm: normalise what each recurrent layer gives.
        residual: add what enters a recurrent layer to what leaves it, where the sizes agree.
        merge: both directions side by side, or added.
        locked_dropout: draw `dropout` once for all frames of an example.
        weight_dropout: share of the recurrent weights zeroed in training.
    """

    def __init__(
        self,
        input_size: int,
        channels: tuple[int, ...] = (64, 128),
        kernel_sizes: int | tuple[int, ...] = 5,
        strides: int | tuple[int, ...] = 2,
        norm: Norm = "batch",
        activation: Activation = "relu",
        conv_dropout: float = 0.0,
        hidden_size: int = 256,
        num_layers: int = 3,
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float | list[float] = 0.1,
        projection: int | None = None,
        layer_norm: bool = False,
        residual: bool = False,
        merge: Merge = "concat",
        locked_dropout: bool = False,
        weight_dropout: float = 0.0,
    ) -> None:
        kernels = per_layer("kernel_sizes", kernel_sizes, len(channels))
        steps = per_layer("strides", strides, len(channels))
        sizes = (input_size, *channels)
        front = [
            ConvolutionLayer((size,), after, (kernel,), (step,), norm, activation, conv_dropout)
            for size, after, kernel, step in zip(sizes, channels, kernels, steps, strict=False)
        ]
        recurrent = RecurrentStack(
            sizes[-1],
            hidden_size,
            num_layers,
            cell=cell,
            bidirectional=bidirectional,
            dropout=dropout,
            projection=projection,
            layer_norm=layer_norm,
            residual=residual,
            merge=merge,
            locked_dropout=locked_dropout,
            weight_dropout=weight_dropout,
        )
        super().__init__(front, recurrent)
