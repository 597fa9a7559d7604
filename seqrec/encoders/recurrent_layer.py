"""One recurrent layer, uni- or bidirectional, exact on ragged batches.

A bidirectional layer must not run over padding: the backward pass would start in it. There are two exact ways.
cuDNN takes packed sequences. On a CPU torch trains packed sequences in time quadratic in their length
(https://github.com/pytorch/pytorch/issues/149194), so there each direction runs by itself over padded frames, the
backward one over sequences turned round by their own lengths: 3 to 39 times as fast, and equal.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqrec.encoders.recurrent_cells import KINDS, Cell, State, make_cells, run_packed, run_padded
from seqrec.sequence import length_mask, on_cpu

Merge = Literal["concat", "sum"]
Weights = list[Tensor]  # W, U and two biases of each direction, as torch's operations take them


class RecurrentLayer(nn.Module):
    """One layer of `cell`s with one set of weights for both ways of running it.

    Behind the cells stand, where asked for, a linear projection and a layer norm over the features of each frame. The
    projection is an outer one: unlike that of Sak et al. 2014 it is not fed back to the cells.

    Args:
        input_size: features of a frame.
        hidden_size: cells of each direction.
        bidirectional: also read backwards.
        cell: the kind of cell; the module that holds the weights goes by its name.
        merge: put the outputs of both directions side by side, or add them (Amodei et al. 2016).
        projection: outputs of a linear layer behind the cells; None: no such layer.
        layer_norm: normalise the outputs of each frame (Ba et al. 2016).
        weight_dropout: share of the recurrent weights zeroed in training, the same ones for all frames of a batch
            (Merity et al. 2017, https://arxiv.org/abs/1708.02182).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bidirectional: bool = True,
        cell: Cell = "lstm",
        merge: Merge = "concat",
        projection: int | None = None,
        layer_norm: bool = False,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        _check(hidden_size, cell, merge, projection, weight_dropout)
        self.cell: Cell = cell
        self.bidirectional = bidirectional
        self.merge = merge
        self.weight_dropout = weight_dropout
        self.add_module(cell, make_cells(cell, input_size, hidden_size, bidirectional))
        merged_size = hidden_size * (2 if bidirectional and merge == "concat" else 1)
        self.output_size = projection or merged_size
        self.projection = _linear(merged_size, projection) if projection else None
        self.norm = nn.LayerNorm(self.output_size) if layer_norm else None

    @property
    def cells(self) -> nn.RNNBase:
        """The module of torch that holds the weights."""
        return getattr(self, self.cell)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Run over (B, T, F), finite in the padding, giving (B, T, `output_size`), zero in the padding."""
        run = self.run_packed if values.is_cuda else self.run_flipped
        output = run(values, lengths, self.draw_weights())
        return self.finish(output, length_mask(lengths, values.shape[1]))

    def draw_weights(self) -> Weights:
        """Return the weights of one pass: the recurrent ones with dropout, where it is on."""
        rate = self.weight_dropout if self.training else 0.0
        return [
            dropout(weight, rate) if rate and name.startswith("weight_hh") else weight
            for name, weight in self.cells.named_parameters()
        ]

    def run_packed(self, values: Tensor, lengths: Tensor, weights: Weights) -> Tensor:
        """The way of cuDNN: both directions side by side, zero in the padding.

        Examples are sorted here: torch, sorting them itself, would wait for the GPU.
        """
        order = lengths.argsort(descending=True, stable=True)
        lengths = on_cpu(lengths).sort(descending=True).values
        packed = pack_padded_sequence(values.index_select(0, order), lengths, batch_first=True)
        with warnings.catch_warnings():  # dropped weights are new tensors at each pass
            warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
            output = run_packed(self.cell, packed, weights)
        padded, _ = pad_packed_sequence(output, batch_first=True, total_length=values.shape[1])
        return padded.index_select(0, order.argsort())

    def run_flipped(self, values: Tensor, lengths: Tensor, weights: Weights) -> Tensor:
        """The way of a CPU: a padded pass for each direction, side by side, zero in the padding."""
        outputs = [self.run_forward(values, weights)[0]]
        if self.bidirectional:
            outputs.append(self.run_backward(values, lengths, weights))
        return torch.cat(outputs, dim=-1) * length_mask(lengths, values.shape[1])[..., None]

    def run_forward(self, values: Tensor, weights: Weights, state: State | None = None) -> tuple[Tensor, State]:
        """Run the forward direction over (B, T, F) from `state`, or zeros; return (B, T, H) and the last state."""
        return run_padded(self.cell, values, weights[:4], state)

    def run_backward(self, values: Tensor, lengths: Tensor, weights: Weights) -> Tensor:
        """Run the backward direction over (B, T, F), each example from its own end, giving (B, T, H)."""
        order = reversal(lengths, values.shape[1])
        return flip(run_padded(self.cell, flip(values, order), weights[4:])[0], order)

    def finish(self, output: Tensor, mask: Tensor) -> Tensor:
        """Merge directions (..., T, D * H) that are zero outside `mask` (..., T), project and normalise them."""
        if self.bidirectional and self.merge == "sum":
            forward, backward = output.chunk(2, dim=-1)
            output = forward + backward
        if self.projection is None and self.norm is None:
            return output
        for module in (self.projection, self.norm):
            output = output if module is None else module(output)
        return output * mask[..., None]  # a bias stands in the padding too


def reversal(lengths: Tensor, size: int) -> Tensor:
    """Return indices (B, size) that turn each row's valid frames round and leave its padding in place."""
    frames = torch.arange(size, device=lengths.device).expand(len(lengths), size)
    return torch.where(length_mask(lengths, size), lengths[:, None] - 1 - frames, frames)


def flip(values: Tensor, order: Tensor) -> Tensor:
    """Reorder the frames of (B, T, F) by indices (B, T) that are their own inverse, as those of `reversal` are."""
    rows = order + order.shape[1] * torch.arange(len(order), device=order.device)[:, None]
    turned: Tensor = _Turned.apply(values, rows.flatten())
    return turned


class _Turned(torch.autograd.Function):
    """Copies whole frames. The gradient of `gather` would add numbers up one by one, several times as slowly."""

    @staticmethod
    def forward(context: Any, values: Tensor, rows: Tensor) -> Tensor:
        """Return the frames of (B, T, F) at `rows` (B * T,) of all B * T."""
        context.save_for_backward(rows)
        return values.flatten(0, 1).index_select(0, rows).view(values.shape)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Turn the gradient back: by the same rows, which undo themselves."""
        (rows,), (gradient,) = context.saved_tensors, gradients
        return _Turned.apply(gradient, rows), None


def _linear(input_size: int, output_size: int) -> nn.Linear:
    linear = nn.Linear(input_size, output_size)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def _check(hidden_size: int, cell: str, merge: str, projection: int | None, weight_dropout: float) -> None:
    if hidden_size < 1:
        raise ValueError(f"hidden_size={hidden_size}: must be at least 1")
    if cell not in KINDS:
        raise ValueError(f"cell={cell}: choose one of {', '.join(KINDS)}")
    if merge not in ("concat", "sum"):
        raise ValueError(f"merge={merge}: choose concat or sum")
    if projection is not None and projection < 1:
        raise ValueError(f"projection={projection}: must be at least 1, or null for none")
    if not 0 <= weight_dropout < 1:
        raise ValueError(f"weight_dropout={weight_dropout}: must lie in [0, 1)")
