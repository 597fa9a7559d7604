"""Two-dimensional convolutions over time and features, with max pooling, then recurrent layers."""

from __future__ import annotations

from seqrec.encoders.convolution import Activation, ConvolutionLayer, FrontLayer, MaxPooling
from seqrec.encoders.convolutional import ConvolutionalEncoder
from seqrec.encoders.per_layer import per_layer
from seqrec.encoders.recurrent import RecurrentStack
from seqrec.encoders.recurrent_cells import Cell
from seqrec.encoders.recurrent_layer import Merge
from seqrec.encoders.valid_frames import Norm


class ConvEncoder(ConvolutionalEncoder):
    """Blocks of convolutions and one pooling each, in front of a `RecurrentStack`.

    The front is VGG's (Simonyan and Zisserman 2015), as Hori et al. 2017 (https://arxiv.org/abs/1706.02737) put it
    before a BiLSTM with CTC.

    Args:
        input_size: features of a frame, neighbours of one another, such as mel bands.
        channels: planes of each block.
        block_size: convolutions of a block, before its pooling.
        kernel_size: frames and features each convolution sees; odd.
        time_pools: frames pooled to one behind each block; one number, or one for each. T frames give ceil(T / pool).
        feature_pools: features pooled to one behind each block; one number, or one for each.
        norm: behind each convolution, over the batch's valid frames, over the planes of each frame, or none.
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
        channels: tuple[int, ...] = (32, 64),
        block_size: int = 2,
        kernel_size: int = 3,
        time_pools: int | tuple[int, ...] = 2,
        feature_pools: int | tuple[int, ...] = 2,
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
        if block_size < 1:
            raise ValueError(f"block_size={block_size}: must be at least 1")
        time_sizes = per_layer("time_pools", time_pools, len(channels))
        feature_sizes = per_layer("feature_pools", feature_pools, len(channels))
        front: list[FrontLayer] = []
        shape: tuple[int, ...] = (1, input_size)
        for planes, *pool in zip(channels, time_sizes, feature_sizes, strict=True):
            for _ in range(block_size):
                kernel = (kernel_size, kernel_size)
                layer = ConvolutionLayer(shape, planes, kernel, (1, 1), norm, activation, conv_dropout)
                front.append(layer)
                shape = layer.output_shape
            front.append(MaxPooling((planes, shape[1]), (pool[0], pool[1])))
            shape = front[-1].output_shape
        recurrent = RecurrentStack(
            shape[0] * shape[1],
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
