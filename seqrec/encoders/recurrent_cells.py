"""The cells of recurrent layers, with their first weights and the operations of torch that run them.

They are those of torch.nn: the LSTM of Hochreiter and Schmidhuber with forget gates (Gers et al. 2000), the GRU of Cho
et al. 2014 with the reset gate behind the recurrent product, and the simple network of Elman 1990:

    LSTM  i, f, o = sigmoid(W x + U h + b)   g = tanh(W x + U h + b)         c' = f * c + i * g   h' = o * tanh(c')
    GRU   r, z = sigmoid(W x + U h + b)      n = tanh(W x + r * (U h + b'))  h' = (1 - z) * n + z * h
    RNN   h' = tanh(W x + U h + b)

The operations take the weights as an argument, so that a pass can run with some of them dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

Cell = Literal["lstm", "gru", "rnn"]
State = tuple[Tensor, ...]  # (h, c) of an LSTM, (h,) of the others, each (directions, B, hidden_size)


@dataclass(frozen=True)
class CellKind:
    """What torch offers for a kind of cell."""

    module: Callable[..., nn.RNNBase]
    operation: Callable[..., Any]
    state_size: int  # tensors of its state


KINDS: Mapping[Cell, CellKind] = {
    "lstm": CellKind(nn.LSTM, torch.lstm, 2),
    "gru": CellKind(nn.GRU, torch.gru, 1),
    "rnn": CellKind(nn.RNN, torch.rnn_tanh, 1),
}


def make_cells(cell: Cell, input_size: int, hidden_size: int, bidirectional: bool) -> nn.RNNBase:
    """Return the module that holds the weights of one layer, with its first weights."""
    cells = KINDS[cell].module(input_size, hidden_size, batch_first=True, bidirectional=bidirectional)
    initialise(cells)
    return cells


def initialise(cells: nn.RNNBase) -> None:
    """Recurrent weights orthogonal (Saxe et al. 2014), inputs as of Glorot and Bengio 2010, each gate alone; biases 0.

    The forget gate of an LSTM begins with bias 1 (Jozefowicz et al. 2015).
    """
    size = cells.hidden_size
    for name, weight in cells.named_parameters():
        if name.startswith("weight_hh"):
            for gate in weight.data.split(size):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            for gate in weight.data.split(size):
                nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih") and isinstance(cells, nn.LSTM):
                weight.data[size : 2 * size] = 1.0  # torch orders the gates i, f, g, o


def run_padded(
    cell: Cell, values: Tensor, weights: Sequence[Tensor], state: State | None = None
) -> tuple[Tensor, State]:
    """Run one direction over (B, T, F), padding and all, from `state` or zeros; return (B, T, H) and the last state."""
    train = torch.is_grad_enabled()
    with torch.autocast("cuda", enabled=False):
        values = _of_cudnn(values)
        state = _zeros(cell, values, len(values), weights) if state is None else state
        return _unpack(KINDS[cell].operation(values, _hx(state), weights, True, 1, 0.0, train, False, True))


def run_packed(cell: Cell, packed: PackedSequence, weights: Sequence[Tensor]) -> PackedSequence:
    """Run over packed frames from zeros; both directions, side by side, where there are weights of both."""
    directions, train = len(weights) // 4, torch.is_grad_enabled()
    with torch.autocast("cuda", enabled=False):
        data = _of_cudnn(packed.data)
        state = _zeros(cell, data, int(packed.batch_sizes[0]), weights, directions)
        output, _ = _unpack(
            KINDS[cell].operation(data, packed.batch_sizes, _hx(state), weights, True, 1, 0.0, train, directions == 2)
        )
    return packed._replace(data=output)


def _of_cudnn(values: Tensor) -> Tensor:
    """Stay in float32: autocast runs cuDNN's LSTM in float16, which overflows without loss scaling."""
    return values.float() if values.is_cuda else values


def _zeros(cell: Cell, values: Tensor, batch_size: int, weights: Sequence[Tensor], directions: int = 1) -> State:
    zeros = values.new_zeros(directions, batch_size, weights[1].shape[1])  # weights[1]: U (gates * H, H)
    return (zeros,) * KINDS[cell].state_size


def _hx(state: State) -> State | Tensor:
    return state if len(state) == 2 else state[0]


def _unpack(result: tuple[Tensor, ...]) -> tuple[Tensor, State]:
    return result[0], tuple(result[1:])
