"""The least a training step can be: the recurrent layers of an encoder, a linear head and CTC, in plain torch.

There is no Lightning in it, no front-end, no data, no dropout and no mask: batches of noise stand ready, as large and
as ragged as real ones. A real step is held against it, batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqrec.encoders.recurrent_cells import KINDS
from seqrec.encoders.recurrent_layer import RecurrentLayer


@dataclass(frozen=True)
class ReadyBatch:
    """What a bare step takes."""

    values: Tensor  # (B, T', F) noise
    lengths: Tensor  # (B,) int64, falling, on the CPU, as packing wants them
    order: Tensor  # (B * T',) int64 rows: each example turned round by its own length
    targets: Tensor  # (B, U) int64
    target_lengths: Tensor  # (B,) int64, on the CPU


def ready_batch(shape: torch.Size, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> ReadyBatch:
    """Make a batch of noise of a shape (B, T', F) and lengths (B,), with these targets, on the device of `targets`.

    Longest examples come first: sorting within a step would have it wait for the GPU.
    """
    (lengths, by_length), size = lengths.cpu().sort(descending=True), shape[1]
    frames = torch.arange(size)
    turned = torch.where(frames < lengths[:, None], lengths[:, None] - 1 - frames, frames)
    order = (turned + torch.arange(len(lengths))[:, None] * size).flatten()
    noise = torch.randn(shape, device=targets.device)
    targets, target_lengths = targets[by_length.to(targets.device)], target_lengths.cpu()[by_length]
    return ReadyBatch(noise, lengths, order.to(targets.device), targets, target_lengths)


class BareNetwork(nn.Module):
    """Recurrent layers of the sizes of `layers`, and a linear head; flipped on a CPU, packed on CUDA."""

    def __init__(self, layers: Sequence[RecurrentLayer], num_tokens: int, is_packed: bool) -> None:
        super().__init__()
        self.is_packed = is_packed
        self.sums = [layer.bidirectional and layer.merge == "sum" for layer in layers]
        self.cells = nn.ModuleList(_cells(layer, is_packed) for layer in layers)
        self.projections = nn.ModuleList(
            nn.Identity() if layer.projection is None else nn.Linear(layer.projection.in_features, layer.output_size)
            for layer in layers
        )
        self.head = nn.Linear(layers[-1].output_size, num_tokens)

    def forward(self, batch: ReadyBatch) -> Tensor:
        """Return the log-probs (B, T', V)."""
        run = self._packed if self.is_packed else self._flipped
        values = batch.values
        for cells, sums, projection in zip(self.cells, self.sums, self.projections, strict=True):
            assert isinstance(cells, nn.ModuleList)
            values = run(cells, values, batch)
            values = projection(sum(values.chunk(2, dim=-1)) if sums else values)
        logits: Tensor = self.head(values)
        return logits.float().log_softmax(dim=-1)

    @staticmethod
    def _flipped(cells: nn.ModuleList, values: Tensor, batch: ReadyBatch) -> Tensor:
        outputs = [cells[0](values)[0]]
        for backward in cells[1:]:
            turned = values.flatten(0, 1).index_select(0, batch.order).view_as(values)
            output = backward(turned)[0]
            outputs.append(output.flatten(0, 1).index_select(0, batch.order).view_as(output))
        return torch.cat(outputs, dim=-1)

    @staticmethod
    def _packed(cells: nn.ModuleList, values: Tensor, batch: ReadyBatch) -> Tensor:
        packed = pack_padded_sequence(values, batch.lengths, batch_first=True)
        with torch.autocast(values.device.type, enabled=False):
            output = cells[0](packed._replace(data=packed.data.float()))[0]
        return pad_packed_sequence(output, batch_first=True, total_length=values.shape[1])[0]


def _cells(layer: RecurrentLayer, is_packed: bool) -> nn.ModuleList:
    """Return one module of both directions, as cuDNN takes them, or one for each direction."""
    directions = 2 if layer.bidirectional else 1
    kind, cells = KINDS[layer.cell].module, layer.cells
    sizes = (cells.input_size, cells.hidden_size)
    if is_packed:
        return nn.ModuleList([kind(*sizes, batch_first=True, bidirectional=directions == 2)])
    return nn.ModuleList(kind(*sizes, batch_first=True) for _ in range(directions))


class BareLoop:
    """Trains a bare network on ready batches.

    Args:
        network: what is trained, on its device.
        optimizer: of its weights.
        clip: norm that gradients are clipped to; None: not at all.
        precision: opens the context that a forward pass runs in, such as autocast.
    """

    def __init__(
        self,
        network: BareNetwork,
        optimizer: torch.optim.Optimizer,
        clip: float | None,
        precision: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.clip = clip
        self.precision = precision

    def step(self, batch: ReadyBatch) -> Tensor:
        """Take a step; return its loss."""
        with self.precision():
            log_probs = self.network(batch).transpose(0, 1)  # (B, T', V) -> (T', B, V)
            loss = functional.ctc_loss(
                log_probs, batch.targets, batch.lengths, batch.target_lengths, zero_infinity=True
            )
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        return loss.detach()

    def num_bytes(self) -> int:
        """Count what the loop holds between steps: weights, gradients and the optimiser's state."""
        state = [value for each in self.optimizer.state.values() for value in each.values()]
        tensors = [*self.network.parameters(), *(weight.grad for weight in self.network.parameters()), *state]
        return sum(each.nbytes for each in tensors if isinstance(each, Tensor))


def chained_layers(encoder: nn.Module) -> list[RecurrentLayer] | None:
    """Return the recurrent layers of an encoder, where each runs whole on what the one before it gives; else None."""
    layers = [module for module in encoder.modules() if isinstance(module, RecurrentLayer)]
    fits = all(next.cells.input_size == layer.output_size for layer, next in pairwise(layers))
    is_plain = all(type(layer) is RecurrentLayer for layer in layers)  # chunks are run otherwise
    return layers if layers and fits and is_plain else None
