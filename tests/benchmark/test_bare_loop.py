"""The bare loop is the encoder's own layers: with their weights it gives what they give."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from ragged import ragged
from torch import nn

from seqrec.benchmark.bare_loop import BareLoop, BareNetwork, ReadyBatch, chained_layers, ready_batch
from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.sequence import length_mask

LENGTHS = [7, 1, 4, 7, 2]


def batch_of(features: int) -> ReadyBatch:
    targets = torch.tensor([[1, 2], [1, 0], [2, 1], [1, 1], [2, 0]])
    shape = torch.Size([5, 7, features])
    return ready_batch(shape, torch.tensor(LENGTHS), targets, torch.tensor([2, 1, 2, 2, 1]))


def copied(encoder: RecurrentEncoder, is_packed: bool) -> BareNetwork:
    """Return a bare network with the encoder's weights."""
    layers = chained_layers(encoder)
    assert layers is not None
    network = BareNetwork(layers, 4, is_packed)
    for layer, cells, projection in zip(layers, network.cells, network.projections, strict=True):
        weights = list(layer.cells.parameters())
        for number, one in enumerate(cells):
            given = weights if is_packed else weights[4 * number : 4 * number + 4]
            for weight, value in zip(one.parameters(), given, strict=True):
                weight.data.copy_(value)
        if layer.projection is not None:
            projection.load_state_dict(layer.projection.state_dict())
    return network


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "gru", "merge": "sum"},
        {"bidirectional": False},
        {"projection": 5},
    ],
)
def test_it_gives_what_the_encoder_gives(options: dict, is_packed: bool) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(3, hidden_size=6, num_layers=2, dropout=0.0, **options)
    network, batch = copied(encoder, is_packed), batch_of(3)
    expected = encoder(type(ragged(LENGTHS, 3))(batch.values, batch.lengths)).values
    found = network(batch)
    valid = length_mask(batch.lengths, 7)
    torch.testing.assert_close(found[valid], network.head(expected).log_softmax(-1)[valid], atol=1e-5, rtol=0)


def test_steps_lower_the_loss() -> None:
    torch.manual_seed(0)
    layers = chained_layers(RecurrentEncoder(3, hidden_size=8, num_layers=1))
    assert layers is not None
    network = BareNetwork(layers, 4, is_packed=False)
    loop = BareLoop(network, torch.optim.AdamW(network.parameters(), lr=0.02), 5.0, nullcontext)
    batch = batch_of(3)
    losses = [float(loop.step(batch)) for _ in range(20)]
    assert losses[-1] < 0.7 * losses[0]
    num_weights = sum(weight.numel() for weight in network.parameters())
    steps = 4 * len(list(network.parameters()))  # a counter each
    assert loop.num_bytes() == 4 * 4 * num_weights + steps  # weight, gradient and two moments


def test_only_layers_in_a_row_are_chained() -> None:
    assert len(chained_layers(Conv1dEncoder(3, hidden_size=4, num_layers=3)) or []) == 3
    assert chained_layers(PyramidEncoder(3, hidden_size=4)) is None
    assert chained_layers(nn.Linear(3, 4)) is None
