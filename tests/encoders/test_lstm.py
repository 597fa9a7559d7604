"""LSTM encoders against the cell's equations in NumPy and torch's own stack; exact beside any padding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqrec.encoders.lstm import LSTMEncoder, LSTMLayer, flip, reversal
from seqrec.sequence import Features, length_mask, pad_signals

LENGTHS = [7, 1, 4, 7, 2]
Way = Callable[[LSTMLayer, Tensor, Tensor], Tensor]
BOTH_WAYS = pytest.mark.parametrize("run", [LSTMLayer.run_packed, LSTMLayer.run_flipped])


def ragged(lengths: list[int], size: int, seed: int = 0) -> Features:
    generator = torch.Generator().manual_seed(seed)
    return Features(*pad_signals([torch.randn(length, size, generator=generator) for length in lengths]))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def slow_lstm(inputs: np.ndarray, lstm: nn.LSTM, suffix: str) -> np.ndarray:
    """The equations of the cell, step by step, in float64."""
    names = (f"{name}_l0{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    w, u, b_in, b_rec = (getattr(lstm, name).detach().double().numpy() for name in names)
    hidden, cell, outputs = np.zeros(lstm.hidden_size), np.zeros(lstm.hidden_size), []
    for x in inputs:
        i, f, g, o = np.split(w @ x + b_in + u @ hidden + b_rec, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs)


@BOTH_WAYS
@pytest.mark.parametrize("bidirectional", [True, False])
def test_a_layer_is_the_cell_run_over_each_example(run: Way, bidirectional: bool) -> None:
    torch.manual_seed(0)
    layer = LSTMLayer(3, 5, bidirectional)
    nn.init.normal_(layer.lstm.bias_hh_l0)  # so that both biases are told apart from none
    batch = ragged(LENGTHS, 3)
    found = run(layer, batch.values, batch.lengths).detach().numpy()
    assert found.shape == (5, 7, 10 if bidirectional else 5)
    for row, values, length in zip(found, batch.values.double().numpy(), LENGTHS, strict=True):
        expected = [slow_lstm(values[:length], layer.lstm, "")]
        if bidirectional:
            expected.append(slow_lstm(values[:length][::-1], layer.lstm, "_reverse")[::-1])
        np.testing.assert_allclose(row[:length], np.concatenate(expected, axis=1), atol=1e-6)
        assert not row[length:].any()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.booleans(), st.integers(0, 2**31))
@settings(deadline=None, max_examples=40)
def test_both_ways_are_the_same_with_their_gradients(lengths: list[int], bidirectional: bool, seed: int) -> None:
    torch.manual_seed(seed)
    layer = LSTMLayer(3, 4, bidirectional)
    batch = ragged(lengths, 3, seed)
    values = batch.values.requires_grad_()
    outputs = [run(values, batch.lengths) for run in (layer.run_packed, layer.run_flipped)]
    torch.testing.assert_close(*outputs, atol=1e-6, rtol=0)
    weights = torch.randn_like(outputs[0])
    gradients = [torch.autograd.grad((weights * output).sum(), [values, *layer.parameters()]) for output in outputs]
    for packed, flipped in zip(*gradients, strict=True):
        torch.testing.assert_close(packed, flipped, atol=1e-5, rtol=1e-5)
    assert not gradients[0][0][~length_mask(batch.lengths, values.shape[1])].any()


def test_the_encoder_is_torchs_stack_with_the_same_weights() -> None:
    torch.manual_seed(0)
    encoder = LSTMEncoder(3, hidden_size=5, num_layers=3).eval()
    theirs = nn.LSTM(3, 5, num_layers=3, bidirectional=True, batch_first=True)
    for number, layer in enumerate(encoder.layers):
        for name, weight in layer.lstm.named_parameters():
            getattr(theirs, name.replace("_l0", f"_l{number}")).data.copy_(weight)
    batch = ragged(LENGTHS, 3)
    packed = pack_padded_sequence(batch.values, batch.lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    torch.testing.assert_close(encoder(batch).values, expected, atol=1e-6, rtol=0)
    assert sum(p.numel() for p in encoder.parameters()) == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize("padding", [0.0, 5.0, 1e6])
@pytest.mark.parametrize("stacks", [(1, 1), (3, 2)])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_an_example_is_the_same_alone_and_beside_others(
    padding: float, stacks: tuple[int, int], bidirectional: bool
) -> None:
    torch.manual_seed(0)
    encoder = LSTMEncoder(3, 8, 2, bidirectional, stack_size=stacks[0], stack_stride=stacks[1]).eval()
    batch = ragged(LENGTHS, 3)
    outside = ~length_mask(batch.lengths, batch.values.shape[1])
    found = encoder(Features(batch.values.masked_fill(outside[..., None], padding), batch.lengths))
    assert found.lengths.equal(encoder.output_lengths(batch.lengths))
    assert found.values.shape == (5, int(found.lengths.max()), encoder.output_size)
    for i, (length, out) in enumerate(zip(LENGTHS, found.lengths.tolist(), strict=True)):
        alone = encoder(Features(batch.values[i : i + 1, :length], batch.lengths[i : i + 1]))
        torch.testing.assert_close(found.values[i, :out], alone.values[0], atol=1e-5, rtol=0)
        assert not found.values[i, out:].any()


def test_garbage_in_the_padding_reaches_no_gradient() -> None:
    torch.manual_seed(0)
    encoder = LSTMEncoder(3, 8, 2, dropout=0.0)
    batch = ragged(LENGTHS, 3)
    outside = ~length_mask(batch.lengths, batch.values.shape[1])[..., None]
    clean, dirty = (
        torch.autograd.grad(
            encoder(Features(batch.values.masked_fill(outside, padding), batch.lengths)).values.square().sum(),
            list(encoder.parameters()),
        )
        for padding in (0.0, 1e6)
    )
    for first, second in zip(clean, dirty, strict=True):
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5), st.integers(0, 4))
def test_turning_round_keeps_padding_in_place(lengths: list[int], more: int) -> None:
    size = max(lengths) + more
    values = torch.arange(size, dtype=torch.float32).repeat(len(lengths), 1)[..., None]
    order = reversal(torch.tensor(lengths), size)
    turned = flip(values, order)
    for row, length in zip(turned[..., 0].tolist(), lengths, strict=True):
        assert row == [*range(length - 1, -1, -1), *range(length, size)]
    assert flip(turned, order).equal(values)


def test_initial_weights() -> None:
    layer = LSTMLayer(6, 8, bidirectional=True)
    for suffix in ("", "_reverse"):
        for gate in getattr(layer.lstm, f"weight_hh_l0{suffix}").detach().split(8):
            torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)
        biases = getattr(layer.lstm, f"bias_ih_l0{suffix}") + getattr(layer.lstm, f"bias_hh_l0{suffix}")
        _, forget, _, _ = biases.split(8)
        assert forget.eq(1).all()
        assert biases.sum() == 8
        bound = (6 / (6 + 8)) ** 0.5  # Glorot and Bengio 2010, equation 16
        inputs = getattr(layer.lstm, f"weight_ih_l0{suffix}")
        assert 0.9 * bound < inputs.abs().max() <= bound


def test_dropout_is_each_layers_own_and_for_training_alone() -> None:
    torch.manual_seed(0)
    encoder = LSTMEncoder(4, 16, num_layers=2, dropout=[0.0, 0.75])
    batch = ragged([200, 200], 4)
    first: list[Tensor] = []
    encoder.dropouts[0].register_forward_hook(lambda module, inputs, output: first.append(output))
    dropped = encoder(batch).values.eq(0).float().mean()
    assert 0.72 < dropped < 0.78
    assert not first[0].eq(0).any()
    assert not encoder.eval()(batch).values.eq(0).any()
    assert [dropout.p for dropout in LSTMEncoder(4, 16, num_layers=2, dropout=0.3).dropouts] == [0.3, 0.3]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"dropout": 1.0}, r"dropout=1\.0"),
        ({"dropout": -0.1}, r"dropout=-0\.1"),
        ({"dropout": [0.1]}, r"dropout=\[0\.1\]: .* 3 of them"),
        ({"stack_size": 2, "stack_stride": 3}, "stack_stride=3"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LSTMEncoder(4, **options)
