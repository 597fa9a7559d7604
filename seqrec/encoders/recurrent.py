"""Stacked recurrent layers of LSTM, GRU or tanh cells, and the encoder that is made of nothing else."""

from __future__ import annotations

from torch import Tensor, nn

from seqrec.encoders.recurrent_cells import Cell
from seqrec.encoders.recurrent_dropout import make_dropouts
from seqrec.encoders.recurrent_layer import Merge, RecurrentLayer
from seqrec.encoders.stacking import FrameStacking
from seqrec.encoders.valid_frames import without_padding
from seqrec.sequence import Features


class RecurrentStack(nn.Module):
    """`num_layers` recurrent layers with dropout behind each; as many frames come out as go in.

    A layer gives x' = dropout(norm(project(cells(x)))), and x' + x where it is residual (He et al. 2015; Wu et al.
    2016 for LSTM). The sum stands wherever both sizes agree, as they do from the second layer on; a first layer of
    another size goes without rather than with a projection.

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer and direction.
        num_layers: stacked layers.
        cell: lstm, gru, or rnn for the simple tanh network.
        bidirectional: also read backwards.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        projection: outputs of a linear layer behind the cells of each layer; None: no such layer.
        layer_norm: normalise the outputs of each layer, frame by frame.
        residual: add a layer's input to its output.
        merge: put the outputs of both directions side by side (concat), or add them (sum).
        locked_dropout: drop the same outputs in all frames of an example.
        weight_dropout: share of the recurrent weights zeroed in training, drawn once a batch and layer.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
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
        super().__init__()
        if hidden_size < 1 or num_layers < 1:
            raise ValueError(f"hidden_size={hidden_size}, num_layers={num_layers}: both must be at least 1")
        layers: list[RecurrentLayer] = []
        for _ in range(num_layers):
            size = layers[-1].output_size if layers else input_size
            layers.append(
                RecurrentLayer(size, hidden_size, bidirectional, cell, merge, projection, layer_norm, weight_dropout)
            )
        self.layers = nn.ModuleList(layers)
        self.dropouts = make_dropouts(dropout, num_layers, locked_dropout)
        self.residual = residual
        self.output_size = layers[-1].output_size

    def forward(self, features: Features) -> Features:
        """Run features (B, T, F), anything in their padding, to (B, T, H), zero in the padding."""
        return self.layer_outputs(features)[-1]

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each layer gives for features (B, T, F), behind its dropout; the last is the stack's output."""
        values = without_padding(features)  # NaN in it would reach the weights' gradients
        outputs = []
        for layer, dropout in zip(self.layers, self.dropouts, strict=True):
            output = dropout(layer(values, features.lengths))
            values = output + values if self.residual and output.shape == values.shape else output
            outputs.append(Features(values, features.lengths))
        return outputs


class RecurrentEncoder(RecurrentStack):
    """A stack of recurrent layers over stacked frames.

    It is a stack rather than holding one, so that its weights keep the names that checkpoints know.

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer and direction.
        num_layers: stacked layers.
        cell: lstm, gru, or rnn for the simple tanh network.
        bidirectional: also read backwards.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        projection: outputs of a linear layer behind the cells of each layer; None: no such layer.
        layer_norm: normalise the outputs of each layer, frame by frame.
        residual: add a layer's input to its output, where both are of one size.
        merge: put the outputs of both directions side by side (concat), or add them (sum).
        locked_dropout: drop the same outputs in all frames of an example.
        weight_dropout: share of the recurrent weights zeroed in training, drawn once a batch and layer.
        stack_size: neighbouring frames joined to one before the first layer.
        stack_stride: frames from one joined frame to the next.
    """

    def __init__(
        self,
        input_size: int,
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
        stack_size: int = 1,
        stack_stride: int = 1,
    ) -> None:
        stacking = FrameStacking(stack_size, stack_stride)
        super().__init__(
            input_size * stack_size,
            hidden_size,
            num_layers,
            cell,
            bidirectional,
            dropout,
            projection,
            layer_norm,
            residual,
            merge,
            locked_dropout,
            weight_dropout,
        )
        self.stacking = stacking

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave the encoder for `lengths` (B,) that enter it."""
        return self.stacking.output_lengths(lengths)

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each layer gives for features (B, T, F), behind its dropout; the last is the encoder's output."""
        return super().layer_outputs(self.stacking(features))
