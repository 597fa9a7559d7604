"""A bidirectional LSTM of bounded latency: the backward direction sees a chunk and a little of what follows it.

Source: the latency-controlled BLSTM of Zhang et al. 2016 (https://arxiv.org/abs/1510.08983), section 3. The frames are
cut into chunks. Each goes through all layers together with the frames that follow it, its right context. Forward, the
state at a chunk's end is where the next one begins; backward, every chunk begins anew at the end of its right context.
What a right context gives only serves the chunk before it, so that the look-ahead does not grow with the layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqrec.encoders.recurrent_cells import State
from seqrec.encoders.recurrent_dropout import make_dropouts
from seqrec.encoders.recurrent_layer import RecurrentLayer, Weights
from seqrec.encoders.stacking import FrameStacking
from seqrec.encoders.valid_frames import without_padding
from seqrec.sequence import Features, length_mask


@dataclass(frozen=True)
class Chunks:
    """Features cut into chunks, each with its right context behind it."""

    values: Tensor  # (B, K, W, F), zero in the padding; W = chunk_size + right_context
    lengths: Tensor  # (B, K) int64, 0 where an example has ended


class ChunkedBiLSTMEncoder(nn.Module):
    """Bidirectional LSTM layers whose output waits for at most `lookahead_frames`, and not for the end.

    In a chunk as long as the input it is the plain bidirectional LSTM, whose weights' names it shares.

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer and direction.
        num_layers: stacked layers.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        chunk_size: stacked frames of a chunk.
        right_context: stacked frames behind a chunk that its backward direction begins in.
        stack_size: neighbouring frames joined to one before the first layer.
        stack_stride: frames from one joined frame to the next.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 256,
        num_layers: int = 3,
        dropout: float | list[float] = 0.1,
        chunk_size: int = 32,
        right_context: int = 16,
        stack_size: int = 1,
        stack_stride: int = 1,
    ) -> None:
        super().__init__()
        if hidden_size < 1 or num_layers < 1:
            raise ValueError(f"hidden_size={hidden_size}, num_layers={num_layers}: both must be at least 1")
        if chunk_size < 1 or right_context < 0:
            raise ValueError(f"chunk_size={chunk_size}, right_context={right_context}: need at least 1 and 0 frames")
        self.stacking = FrameStacking(stack_size, stack_stride)
        self.output_size = 2 * hidden_size
        sizes = [input_size * stack_size] + [self.output_size] * (num_layers - 1)
        self.layers = nn.ModuleList(ChunkedLayer(size, hidden_size, chunk_size) for size in sizes)
        self.dropouts = make_dropouts(dropout, num_layers, locked=False)
        self.chunk_size = chunk_size
        self.right_context = right_context

    @property
    def lookahead_frames(self) -> int:
        """The input frames at most that an output sees behind the first one joined to its own frame.

        Output t sees none behind input frame t * stack_stride + `lookahead_frames`; that is what the first frame of a
        chunk waits for, and the last waits for chunk_size - 1 stacked frames less.
        """
        return (self.chunk_size + self.right_context - 1) * self.stacking.stride + self.stacking.size - 1

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave the encoder for `lengths` (B,) that enter it."""
        return self.stacking.output_lengths(lengths)

    def forward(self, features: Features) -> Features:
        """Encode features (B, T, F) to (B, T', H), zero in the padding."""
        return self.layer_outputs(features)[-1]

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return what each layer gives for features (B, T, F), behind its dropout; the last is the encoder's output."""
        features = self.stacking(features)
        chunks = self._cut(features)
        outputs = []
        for layer, dropout in zip(self.layers, self.dropouts, strict=True):
            chunks = Chunks(dropout(layer(chunks.values, chunks.lengths)), chunks.lengths)
            joined = chunks.values[:, :, : self.chunk_size].flatten(1, 2)  # (B, K, W, H) -> (B, K * chunk_size, H)
            outputs.append(Features(joined[:, : features.values.shape[1]], features.lengths))
        return outputs

    def _cut(self, features: Features) -> Chunks:
        size, step = self.chunk_size + self.right_context, self.chunk_size
        num_frames = features.values.shape[1]
        starts = torch.arange(0, num_frames, step, device=features.lengths.device)
        values = nn.functional.pad(without_padding(features), (0, 0, 0, (len(starts) - 1) * step + size - num_frames))
        values = values.unfold(1, size, step).transpose(2, 3)  # (B, T, F) -> (B, K, F, W) -> (B, K, W, F)
        return Chunks(values, (features.lengths[:, None] - starts).clamp(0, size))


class ChunkedLayer(RecurrentLayer):
    """A bidirectional LSTM layer that runs over chunks with their right context.

    Args:
        input_size: features of a frame.
        hidden_size: cells of each direction.
        chunk_size: frames of a chunk; those behind them are its right context.
    """

    def __init__(self, input_size: int, hidden_size: int, chunk_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.chunk_size = chunk_size

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Run over (B, K, W, F) of lengths (B, K), giving (B, K, W, H), zero in the padding."""
        weights, all_lengths = self.draw_weights(), lengths.flatten()
        forward = self._run_chunks(values, weights)
        backward = self.run_backward(values.flatten(0, 1), all_lengths, weights)  # all chunks at once, as a batch
        output = torch.cat([forward.flatten(0, 1), backward], dim=-1)
        return (output * length_mask(all_lengths, output.shape[1])[..., None]).unflatten(0, lengths.shape)

    def _run_chunks(self, values: Tensor, weights: Weights) -> Tensor:
        """Run forward over (B, K, W, F), chunk after chunk, then over all right contexts at once."""
        state: State | None = None
        outputs, states = [], []
        for chunk in values[:, :, : self.chunk_size].unbind(1):
            output, state = self.run_forward(chunk, weights, state)
            outputs.append(output)
            states.append(state)
        output = torch.stack(outputs, dim=1)
        if values.shape[2] == self.chunk_size:
            return output
        ends = tuple(torch.stack(parts, dim=2).flatten(1, 2) for parts in zip(*states, strict=True))  # (1, B * K, H)
        behind, _ = self.run_forward(values[:, :, self.chunk_size :].flatten(0, 1), weights, ends)
        return torch.cat([output, behind.unflatten(0, output.shape[:2])], dim=2)
