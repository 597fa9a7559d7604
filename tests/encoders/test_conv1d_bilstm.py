"""Convolutions over time before recurrent layers, against torch's plain functions on each example alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.sequence import Features, pad_signals

LENGTHS = [13, 1, 6, 2]


def torchs_lstm(layers: nn.ModuleList) -> nn.LSTM:
    """Torch's own stack with the weights of ours."""
    first = layers[0].lstm
    lstm = nn.LSTM(first.input_size, first.hidden_size, len(layers), bidirectional=True, batch_first=True)
    for number, layer in enumerate(layers):
        for name, weight in layer.lstm.named_parameters():
            getattr(lstm, name.replace("_l0", f"_l{number}")).data.copy_(weight)
    return lstm


def plain(encoder: Conv1dEncoder, example: Tensor, strides: tuple[int, ...]) -> Tensor:
    """An example (T, F) to (T', H) by unpadded convolutions between zeros written out, and batch norm's formula."""
    values = example.T[None]  # (1, F, T)
    for layer, stride in zip(encoder.front, strides, strict=True):
        zeros = values.new_zeros(1, values.shape[1], layer.convolution.kernel_size[0] // 2)
        values = functional.conv1d(torch.cat([zeros, values, zeros], 2), layer.convolution.weight, stride=stride)
        norm = layer.norm
        values = (values - norm.running_mean[:, None]) / (norm.running_var[:, None] + 1e-5).sqrt()
        values = (values * norm.weight[:, None] + norm.bias[:, None]).clamp(min=0)
    return torchs_lstm(encoder.recurrent.layers)(values.transpose(1, 2))[0][0]


@pytest.mark.parametrize("strides", [(2, 2, 1), (1, 3, 2)])
def test_each_example_is_plain_torch(strides: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    encoder = Conv1dEncoder(3, (4, 5, 6), (5, 7, 3), strides, hidden_size=5, num_layers=2).eval()
    for layer in encoder.front:
        for value in (layer.norm.running_mean, layer.norm.weight, layer.norm.bias):
            nn.init.normal_(value)
    examples = [torch.randn(length, 3) for length in LENGTHS]
    found = encoder(Features(*pad_signals(examples)))
    for row, length, example in zip(found.values, found.lengths.tolist(), examples, strict=True):
        expected = plain(encoder, example, strides)
        assert len(expected) == length
        torch.testing.assert_close(row[:length], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"channels": ()}, "for 0 layers"),
        ({"kernel_sizes": (3,)}, r"kernel_sizes=\(3,\) for 2 layers"),
        ({"strides": (1, 2, 3)}, r"strides=\(1, 2, 3\) for 2 layers"),
        ({"strides": 4}, "kernel size 5, stride 4"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Conv1dEncoder(3, **options)
