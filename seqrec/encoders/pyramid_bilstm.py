"""A pyramid of recurrent layers: neighbouring frames are joined between layers, each has fewer than the last."""

from __future__ import annotations

from torch import Tensor, nn

from seqrec.encoders.recurrent_cells import Cell
from seqrec.encoders.recurrent_dropout import make_dropouts
from seqrec.encoders.recurrent_layer import Merge, RecurrentLayer
from seqrec.encoders.stacking import FrameStacking
from seqrec.encoders.valid_frames import without_padding
from seqrec.sequence import Features


class PyramidEncoder(nn.Module):
    """Recurrent layers over ever fewer frames (Chan et al. 2016, https://arxiv.org/abs/1508.01211, section 3.1).

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer and direction.
        strides: for each layer, the frames put side by side to one before it; T frames give ceil(T / stride).
        cell: the kind of cell.
        bidirectional: also read backwards.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        projection: outputs of a linear layer behind each layer; null: none.
        layer_norm: normalise what each layer gives.
        merge: both directions side by side, or added.
        locked_dropout: draw `dropout` once for all frames of an example.
        weight_dropout: share of the recurrent weights zeroed in training.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 256,
        strides: tuple[int, ...] = (1, 2, 2),
        cell: Cell = "lstm",
        bidirectional: bool = True,
        dropout: float | list[float] = 0.1,
        projection: int | None = None,
        layer_norm: bool = False,
        merge: Merge = "concat",
        locked_dropout: bool = False,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not strides or min(strides) < 1:
            raise ValueError(f"strides={list(strides)}: needs a number for each layer, all at least 1")
        layers: list[RecurrentLayer] = []
        for stride in strides:
            size = (layers[-1].output_size if layers else input_size) * stride
            layers.append(
                RecurrentLayer(size, hidden_size, bidirectional, cell, merge, projection, layer_norm, weight_dropout)
            )
        self.stackings = nn.ModuleList(FrameStacking(stride, stride) for stride in strides)
        self.layers = nn.ModuleList(layers)
        self.dropouts = make_dropouts(dropout, len(strides), locked_dropout)
        self.output_size = layers[-1].output_size

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave the encoder for `lengths` (B,) that enter it."""
        for stacking in self.stackings:
            lengths = stacking.output_lengths(lengths)  # type: ignore[operator]
        return lengths

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each layer gives, with its own lengths, zero in the padding; the last is the encoder's output."""
        features = Features(without_padding(features), features.lengths)
        outputs = []
        for stacking, layer, dropout in zip(self.stackings, self.layers, self.dropouts, strict=True):
            stacked = stacking(features)
            features = Features(dropout(layer(stacked.values, stacked.lengths)), stacked.lengths)
            outputs.append(features)
        return outputs

    def forward(self, features: Features) -> Features:
        """Encode features (B, T, F) to (B, T', H), zero in the padding."""
        return self.layer_outputs(features)[-1]
