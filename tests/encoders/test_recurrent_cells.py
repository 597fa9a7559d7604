"""First weights of the cells, and their operations against torch's modules."""

from __future__ import annotations

import pytest
import torch
from ragged import ragged
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seqrec.encoders.recurrent_cells import Cell, make_cells, run_packed, run_padded

ALL_CELLS = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])


def gates(cells: nn.RNNBase, name: str) -> tuple[Tensor, ...]:
    return getattr(cells, name).detach().split(8)


@ALL_CELLS
def test_initial_weights(cell: Cell) -> None:
    torch.manual_seed(0)
    cells = make_cells(cell, 6, 8, bidirectional=True)
    bound = (6 / (6 + 8)) ** 0.5  # Glorot and Bengio 2010, equation 16
    for suffix in ("", "_reverse"):
        for gate in gates(cells, f"weight_hh_l0{suffix}"):
            torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)
        for gate in gates(cells, f"weight_ih_l0{suffix}"):
            assert 0.8 * bound < gate.abs().max() <= bound
        biases = [*gates(cells, f"bias_ih_l0{suffix}"), *gates(cells, f"bias_hh_l0{suffix}")]
        if cell == "lstm":
            assert biases.pop(1).eq(1).all()  # the forget gate's
        assert not torch.cat(biases).any()


@ALL_CELLS
def test_a_run_goes_on_from_the_state_of_another(cell: Cell) -> None:
    torch.manual_seed(0)
    cells = make_cells(cell, 3, 5, bidirectional=False)
    values = ragged([9, 9], 3).values
    weights = list(cells.parameters())
    first, state = run_padded(cell, values[:, :4], weights)
    second, last = run_padded(cell, values[:, 4:], weights, state)
    expected, ends = cells(values)
    torch.testing.assert_close(torch.cat([first, second], dim=1), expected, atol=1e-6, rtol=0)
    for found, end in zip(last, ends if cell == "lstm" else [ends], strict=True):
        torch.testing.assert_close(found, end, atol=1e-6, rtol=0)


@ALL_CELLS
@pytest.mark.parametrize("bidirectional", [True, False])
def test_packed_frames_as_in_torchs_module(cell: Cell, bidirectional: bool) -> None:
    torch.manual_seed(0)
    cells = make_cells(cell, 3, 5, bidirectional)
    batch = ragged([4, 7, 1], 3)
    packed = pack_padded_sequence(batch.values, batch.lengths, batch_first=True, enforce_sorted=False)
    found, (expected, _) = run_packed(cell, packed, list(cells.parameters())), cells(packed)
    assert found.data.equal(expected.data)
    assert found.unsorted_indices.equal(expected.unsorted_indices)
