"""A recurrent layer against the cells' equations in NumPy and torch's own modules; its two ways are one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ragged import ragged
from torch import nn

from seqrec.encoders.recurrent_layer import RecurrentLayer, flip, reversal
from seqrec.sequence import length_mask

LENGTHS = [7, 1, 4, 7, 2]
CELLS = ["lstm", "gru", "rnn"]
ALL_CELLS = pytest.mark.parametrize("cell", CELLS)
BOTH_WAYS = pytest.mark.parametrize("way", ["run_packed", "run_flipped"])
DIRECTIONS = pytest.mark.parametrize("bidirectional", [True, False])
Step = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm_step(
    inputs: np.ndarray, recurrent: np.ndarray, hidden: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    i, f, g, o = np.split(inputs + recurrent, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def gru_step(
    inputs: np.ndarray, recurrent: np.ndarray, hidden: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    (r_in, z_in, n_in), (r_rec, z_rec, n_rec) = np.split(inputs, 3), np.split(recurrent, 3)
    z = sigmoid(z_in + z_rec)
    return (1 - z) * np.tanh(n_in + sigmoid(r_in + r_rec) * n_rec) + z * hidden, cell


def rnn_step(
    inputs: np.ndarray, recurrent: np.ndarray, hidden: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return np.tanh(inputs + recurrent), cell


STEPS: dict[str, Step] = {"lstm": lstm_step, "gru": gru_step, "rnn": rnn_step}


def slow_direction(frames: np.ndarray, layer: RecurrentLayer, suffix: str) -> np.ndarray:
    """The equations of the cell, step by step, in float64."""
    names = (f"{name}_l0{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    w, u, b_in, b_rec = (getattr(layer.cells, name).detach().double().numpy() for name in names)
    hidden, cell, outputs = np.zeros(u.shape[1]), np.zeros(u.shape[1]), []
    for x in frames:
        hidden, cell = STEPS[layer.cell](w @ x + b_in, u @ hidden + b_rec, hidden, cell)
        outputs.append(hidden)
    return np.array(outputs)


@ALL_CELLS
@BOTH_WAYS
@DIRECTIONS
def test_a_layer_is_the_cell_run_over_each_example(cell: str, way: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(3, 5, bidirectional, cell)
    for name, weight in layer.cells.named_parameters():
        if "bias" in name:
            nn.init.normal_(weight)  # so that both biases are told apart from none and from one another
    batch = ragged(LENGTHS, 3)
    found = getattr(layer, way)(batch.values, batch.lengths, layer.draw_weights()).detach().numpy()
    assert found.shape == (5, 7, 10 if bidirectional else 5)
    for row, values, length in zip(found, batch.values.double().numpy(), LENGTHS, strict=True):
        expected = [slow_direction(values[:length], layer, "")]
        if bidirectional:
            expected.append(slow_direction(values[:length][::-1], layer, "_reverse")[::-1])
        np.testing.assert_allclose(row[:length], np.concatenate(expected, axis=1), atol=1e-6)
        assert not row[length:].any()


@ALL_CELLS
def test_it_is_torchs_module_run_over_each_example_alone(cell: str) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(3, 5, cell=cell)
    batch = ragged(LENGTHS, 3)
    found = layer(batch.values, batch.lengths)
    for row, values, length in zip(found, batch.values, LENGTHS, strict=True):
        torch.testing.assert_close(row[:length], layer.cells(values[:length])[0], atol=1e-6, rtol=0)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.sampled_from(CELLS),
    st.booleans(),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 2**31),
)
@settings(deadline=None, max_examples=40)
def test_both_ways_are_the_same_with_their_gradients(
    lengths: list[int], cell: str, bidirectional: bool, weight_dropout: float, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = RecurrentLayer(3, 4, bidirectional, cell, weight_dropout=weight_dropout)
    batch = ragged(lengths, 3, seed)
    values = batch.values.requires_grad_()
    weights = layer.draw_weights()
    outputs = [run(values, batch.lengths, weights) for run in (layer.run_packed, layer.run_flipped)]
    torch.testing.assert_close(*outputs, atol=1e-6, rtol=0)
    scores = torch.randn_like(outputs[0])
    inputs = [values, *layer.parameters()]
    gradients = [torch.autograd.grad((scores * output).sum(), inputs, retain_graph=True) for output in outputs]
    for packed, flipped in zip(*gradients, strict=True):
        torch.testing.assert_close(packed, flipped, atol=1e-5, rtol=1e-5)
    assert not gradients[0][0][~length_mask(batch.lengths, values.shape[1])].any()


@ALL_CELLS
def test_bfloat16_is_close_to_float32(cell: str) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(8, 16, cell=cell)
    batch = ragged([60, 25, 41], 8)
    exact = layer(batch.values, batch.lengths)
    for values in (batch.values, batch.values.bfloat16()):
        layer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = layer(values, batch.lengths)
        assert 0 < (rough.float() - exact).abs().max() < 0.03
        rough.float().square().sum().backward()
        gradient = layer.cells.weight_hh_l0.grad
        (expected,) = torch.autograd.grad(exact.square().sum(), layer.cells.weight_hh_l0, retain_graph=True)
        assert gradient.dtype == torch.float32
        assert (gradient - expected).norm() < 0.03 * expected.norm()


def test_merged_directions_are_added() -> None:
    batch = ragged(LENGTHS, 3)
    outputs = []
    for merge in ("concat", "sum"):
        torch.manual_seed(0)
        layer = RecurrentLayer(3, 5, merge=merge)
        outputs.append(layer(batch.values, batch.lengths))
        assert outputs[-1].shape[2] == layer.output_size
    torch.testing.assert_close(outputs[0][..., :5] + outputs[0][..., 5:], outputs[1], atol=0, rtol=0)


def test_projection_and_norm_stand_behind_the_cells() -> None:
    torch.manual_seed(0)
    plain = RecurrentLayer(3, 5)
    torch.manual_seed(0)
    layer = RecurrentLayer(3, 5, projection=4, layer_norm=True)
    assert layer.projection is not None
    nn.init.normal_(layer.projection.bias)
    batch = ragged(LENGTHS, 3)
    projected = plain(batch.values, batch.lengths) @ layer.projection.weight.T + layer.projection.bias
    deviation = projected.var(dim=-1, unbiased=False, keepdim=True).add(1e-5).sqrt()
    expected = (projected - projected.mean(dim=-1, keepdim=True)) / deviation
    mask = length_mask(batch.lengths, 7)[..., None]
    torch.testing.assert_close(layer(batch.values, batch.lengths), expected * mask, atol=1e-5, rtol=0)


@BOTH_WAYS
def test_dropped_recurrent_weights(way: str) -> None:
    """A pass with dropped weights is a pass of a layer that has these weights."""
    torch.manual_seed(0)
    layer = RecurrentLayer(3, 40, weight_dropout=0.3)
    names = [name for name, _ in layer.cells.named_parameters()]
    drawn = dict(zip(names, layer.draw_weights(), strict=True))
    for name, weight in layer.cells.named_parameters():
        if name.startswith("weight_hh"):
            zeros = drawn[name].eq(0)
            assert 0.27 < zeros.float().mean() < 0.33
            torch.testing.assert_close(drawn[name][~zeros], weight[~zeros] / 0.7)
        else:
            assert drawn[name] is weight
    assert not drawn["weight_hh_l0"].eq(0).equal(drawn["weight_hh_l0_reverse"].eq(0))
    batch = ragged(LENGTHS, 3)
    found = getattr(layer, way)(batch.values, batch.lengths, list(drawn.values()))
    other = RecurrentLayer(3, 40)
    other.cells.load_state_dict(drawn)
    torch.testing.assert_close(found, other(batch.values, batch.lengths), atol=1e-6, rtol=0)


def test_weights_are_dropped_once_a_pass_and_in_training_alone() -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(3, 8, weight_dropout=0.5)
    batch = ragged([30, 30], 3)
    same = batch.values[:1].expand(2, -1, -1)  # two equal examples see the same weights
    first, second = layer(same, batch.lengths), layer(same, batch.lengths)
    torch.testing.assert_close(first[0], first[1], atol=1e-6, rtol=0)
    assert (first - second).abs().max() > 0.01
    layer.eval()
    assert layer(same, batch.lengths).equal(layer(same, batch.lengths))
    assert all(drawn is weight for drawn, weight in zip(layer.draw_weights(), layer.parameters(), strict=True))


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5), st.integers(0, 4))
def test_turning_round_keeps_padding_in_place(lengths: list[int], more: int) -> None:
    size = max(lengths) + more
    values = torch.arange(size, dtype=torch.float32).repeat(len(lengths), 1)[..., None]
    order = reversal(torch.tensor(lengths), size)
    turned = flip(values, order)
    for row, length in zip(turned[..., 0].tolist(), lengths, strict=True):
        assert row == [*range(length - 1, -1, -1), *range(length, size)]
    assert flip(turned, order).equal(values)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"cell": "qrnn"}, "cell=qrnn: choose one of lstm, gru, rnn"),
        ({"merge": "mean"}, "merge=mean"),
        ({"projection": 0}, "projection=0"),
        ({"weight_dropout": 1.0}, r"weight_dropout=1\.0"),
        ({"weight_dropout": -0.1}, r"weight_dropout=-0\.1"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RecurrentLayer(**{"input_size": 3, "hidden_size": 4, **options})
