"""Stacked LSTM encoders, uni- and bidirectional, exact on ragged batches.

The cell is Hochreiter and Schmidhuber's with forget gates (Gers et al. 2000), as torch.nn.LSTM writes it:

    i, f, o = sigmoid(W x + U h + b)    g = tanh(W x + U h + b)    c' = f * c + i * g    h' = o * tanh(c')

A bidirectional LSTM must not run over padding: the backward pass would start in it. There are two exact ways.
cuDNN takes packed sequences. On a CPU torch trains packed sequences in time quadratic in their length
(https://github.com/pytorch/pytorch/issues/149194), so there each direction runs by itself over padded frames, the
backward one over sequences turned round by their own lengths: 3 to 39 times as fast, and equal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqrec.encoders.stacking import FrameStacking
from seqrec.sequence import Features, length_mask


class LSTMEncoder(nn.Module):
    """`num_layers` LSTM layers over stacked frames, with dropout behind each.

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer and direction.
        num_layers: stacked layers.
        bidirectional: also read backwards, and put both outputs side by side.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        stack_size: neighbouring frames joined to one before the first layer.
        stack_stride: frames from one joined frame to the next.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 256,
        num_layers: int = 3,
        bidirectional: bool = True,
        dropout: float | list[float] = 0.1,
        stack_size: int = 1,
        stack_stride: int = 1,
    ) -> None:
        super().__init__()
        if hidden_size < 1 or num_layers < 1:
            raise ValueError(f"hidden_size={hidden_size}, num_layers={num_layers}: both must be at least 1")
        self.stacking = FrameStacking(stack_size, stack_stride)
        self.output_size = hidden_size * (2 if bidirectional else 1)
        sizes = [input_size * stack_size] + [self.output_size] * (num_layers - 1)
        self.layers = nn.ModuleList(LSTMLayer(size, hidden_size, bidirectional) for size in sizes)
        self.dropouts = nn.ModuleList(nn.Dropout(rate) for rate in _per_layer(dropout, num_layers))

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the frames that leave the encoder for `lengths` (B,) that enter it."""
        return self.stacking.output_lengths(lengths)

    def forward(self, features: Features) -> Features:
        """Encode features (B, T, F) to (B, T', H), zero in the padding."""
        features = self.stacking(features)
        values = features.values
        for layer, dropout in zip(self.layers, self.dropouts, strict=True):
            values = dropout(layer(values, features.lengths))
        return Features(values, features.lengths)


class LSTMLayer(nn.Module):
    """One LSTM layer with one set of weights for both ways of running it."""

    def __init__(self, input_size: int, hidden_size: int, bidirectional: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=bidirectional)
        self._initialise()

    def _initialise(self) -> None:
        """Recurrent weights orthogonal (Saxe et al. 2014), forget-gate bias 1 (Jozefowicz et al. 2015), others 0."""
        size = self.lstm.hidden_size
        for name, weight in self.lstm.named_parameters():
            if name.startswith("weight_hh"):
                for gate in weight.data.split(size):
                    nn.init.orthogonal_(gate)
            elif name.startswith("weight_ih"):
                for gate in weight.data.split(size):
                    nn.init.xavier_uniform_(gate)
            else:
                nn.init.zeros_(weight)
                if name.startswith("bias_ih"):
                    weight.data[size : 2 * size] = 1.0  # torch orders the gates i, f, g, o

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Run over (B, T, F), giving (B, T, H), zero in the padding."""
        return self.run_packed(values, lengths) if values.is_cuda else self.run_flipped(values, lengths)

    def run_packed(self, values: Tensor, lengths: Tensor) -> Tensor:
        """The way of cuDNN, in float32: autocast runs cuDNN's LSTM in float16, which overflows without loss scaling."""
        with torch.autocast(values.device.type, enabled=False):
            packed = pack_padded_sequence(values.float(), lengths.cpu(), batch_first=True, enforce_sorted=False)
            return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=values.shape[1])[0]

    def run_flipped(self, values: Tensor, lengths: Tensor) -> Tensor:
        """The way of a CPU: a padded pass for each direction."""
        outputs = [self._run_direction(values, "")]
        if self.lstm.bidirectional:
            order = reversal(lengths, values.shape[1])
            outputs.append(flip(self._run_direction(flip(values, order), "_reverse"), order))
        return torch.cat(outputs, dim=-1) * length_mask(lengths, values.shape[1])[..., None]

    def _run_direction(self, values: Tensor, suffix: str) -> Tensor:
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = [getattr(self.lstm, name + suffix) for name in names]
        state = values.new_zeros(1, values.shape[0], self.lstm.hidden_size)
        output, _, _ = torch.lstm(
            values,
            (state, state),
            weights,
            has_biases=True,
            num_layers=1,
            dropout=0.0,
            train=self.training,
            bidirectional=False,
            batch_first=True,
        )
        return output


def reversal(lengths: Tensor, size: int) -> Tensor:
    """Return indices (B, size) that turn each row's valid frames round and leave its padding in place."""
    frames = torch.arange(size, device=lengths.device).expand(len(lengths), size)
    return torch.where(length_mask(lengths, size), lengths[:, None] - 1 - frames, frames)


def flip(values: Tensor, order: Tensor) -> Tensor:
    """Reorder the frames of (B, T, F) by indices (B, T)."""
    return values.gather(1, order[..., None].expand_as(values))


def _per_layer(dropout: float | list[float], num_layers: int) -> list[float]:
    rates = [float(rate) for rate in dropout] if isinstance(dropout, list) else [float(dropout)] * num_layers
    if len(rates) != num_layers or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(f"dropout={dropout}: needs one number in [0, 1), or {num_layers} of them, one for each layer")
    return rates
