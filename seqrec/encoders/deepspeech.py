"""The encoder of Deep Speech 2 in the shape that deepspeech.pytorch made known, for comparison."""

from __future__ import annotations

from torch import Tensor, nn

from seqrec.encoders.convolution import ConvolutionLayer, strided
from seqrec.encoders.recurrent_layer import RecurrentLayer
from seqrec.encoders.valid_frames import FrameBatchNorm, gather_frames, scatter_frames, without_padding
from seqrec.sequence import Features

TIME_STRIDE = 2  # of the first convolution, and of the whole


class DeepSpeechEncoder(nn.Module):
    """Two convolutions over spectrograms, then bidirectional layers whose directions are added; no dropout.

    Batch norm stands behind each convolution, before each recurrent layer but the first, and before the head. Windows,
    strides and sizes are those of Amodei et al. 2016 (https://arxiv.org/abs/1512.02595) as in deepspeech.pytorch:
    11 x 41 and 11 x 21 (frames x features), 32 planes, every second frame. Its norms also see padding in training; ours
    do not, and first weights are those of our other encoders.

    Args:
        input_size: features of a frame, neighbours of one another: frequencies, or mel bands.
        hidden_size: cells of a recurrent layer and direction; what leaves is as wide.
        num_layers: recurrent layers.
    """

    def __init__(self, input_size: int, hidden_size: int = 1024, num_layers: int = 5) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"num_layers={num_layers}: must be at least 1")
        first = ConvolutionLayer((1, input_size), 32, (11, 41), (TIME_STRIDE, 2), activation="hardtanh")
        second = ConvolutionLayer(first.output_shape, 32, (11, 21), (1, 2), activation="hardtanh")
        self.front = nn.Sequential(first, second)
        sizes = [32 * second.output_shape[1]] + [hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList(RecurrentLayer(size, hidden_size, merge="sum") for size in sizes)
        self.norms = nn.ModuleList(FrameBatchNorm(hidden_size) for _ in sizes)
        self.output_size = hidden_size

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave the encoder for `lengths` (B,) that enter it."""
        return strided(lengths, TIME_STRIDE)

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each recurrent layer gives, normalised, zero in the padding; the last is the encoder's output."""
        features = self.front(Features(without_padding(features)[:, :, None], features.lengths))
        values, lengths = features.values.flatten(2), features.lengths  # (B, T, C, F) -> (B, T, C * F)
        outputs = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            frames = norm(gather_frames(layer(values, lengths), lengths))
            values = scatter_frames(frames, lengths, values.shape[1])
            outputs.append(Features(values, lengths))
        return outputs

    def forward(self, features: Features) -> Features:
        """Encode features (B, T, F) to (B, T', H), zero in the padding."""
        return self.layer_outputs(features)[-1]
