"""What encoders of convolutions before recurrent layers have in common."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from seqrec.encoders.convolution import FrontLayer, strided
from seqrec.encoders.recurrent import RecurrentStack
from seqrec.encoders.valid_frames import without_padding
from seqrec.sequence import Features


class ConvolutionalEncoder(nn.Module):
    """Runs `front` over frames seen as (B, T, *front[0].shape), then `recurrent` over what leaves, a vector a frame."""

    def __init__(self, front: Sequence[FrontLayer], recurrent: RecurrentStack) -> None:
        super().__init__()
        self.front = nn.Sequential(*front)
        self._shape = front[0].shape
        self._strides = [layer.time_stride for layer in front]
        self.recurrent = recurrent
        self.output_size = recurrent.output_size

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave the encoder for `lengths` (B,) that enter it."""
        for stride in self._strides:
            lengths = strided(lengths, stride)
        return lengths

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each recurrent layer gives, zero in the padding; the last is the encoder's output."""
        values = without_padding(features)
        features = Features(values.reshape(*values.shape[:2], *self._shape), features.lengths)
        features = self.front(features)
        return self.recurrent.layer_outputs(Features(features.values.flatten(2), features.lengths))

    def forward(self, features: Features) -> Features:
        """Encode features (B, T, F) to (B, T', H), zero in the padding."""
        return self.layer_outputs(features)[-1]
