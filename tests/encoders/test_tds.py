"""Time-depth separable convolutions against the paper's description, by plain functions on each example alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqrec.encoders.convolution import ConvolutionLayer
from seqrec.encoders.tds import TDSBlock, TDSEncoder
from seqrec.sequence import Features, pad_signals


def convolved(layer: ConvolutionLayer, values: Tensor, stride: int) -> Tensor:
    """ReLU of a convolution over time: each place of the width (T, C, W) is a sequence of its own."""
    weight = layer.convolution.weight[..., 0]
    half = weight.shape[2] // 2
    padded = functional.pad(values.permute(2, 1, 0), (half, half))  # (W, C, T + 2 * half)
    return functional.conv1d(padded, weight, layer.convolution.bias, stride).clamp(min=0).permute(2, 1, 0)


def normed(values: Tensor, norm: nn.LayerNorm) -> Tensor:
    """Each frame by its own mean and variance."""
    flat = values.flatten(1)
    flat = (flat - flat.mean(1, keepdim=True)) / (flat.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    return (flat * norm.weight.flatten() + norm.bias.flatten()).reshape(values.shape)


def plain(encoder: TDSEncoder, example: Tensor, strides: list[int]) -> Tensor:
    values = example[:, None]  # (T, 1, W)
    for layer in encoder.front:
        if isinstance(layer, TDSBlock):
            values = normed(values + convolved(layer.convolution, values, 1), layer.convolution_norm)
            first, second = layer.mixing[0], layer.mixing[3]
            hidden = (values.flatten(1) @ first.weight.T + first.bias).clamp(min=0)
            values = normed(values.flatten(1) + hidden @ second.weight.T + second.bias, layer.mixing_norm)
            values = values.reshape(len(values), -1, example.shape[1])
        else:
            values = normed(convolved(layer, values, strides.pop(0)), layer.last_norm)
    return values.flatten(1)


def test_each_example_is_the_papers() -> None:
    torch.manual_seed(0)
    encoder = TDSEncoder(3, (2, 4), (1, 2), 5, (3, 2), hidden_size=5).eval()
    for weight in encoder.front.parameters():
        if weight.dim() == 1:
            nn.init.normal_(weight)
    examples = [torch.randn(length, 3) for length in (13, 1, 6, 2)]
    found = encoder(Features(*pad_signals(examples)))
    for row, length, example in zip(found.values, found.lengths.tolist(), examples, strict=True):
        frames = plain(encoder, example, [3, 2])
        assert len(frames) == length
        expected = encoder.recurrent(Features(frames[None], torch.tensor([length])))
        torch.testing.assert_close(row[:length], expected.values[0], atol=1e-5, rtol=1e-4)


def test_weights_are_few() -> None:
    """A block has k * c * c weights over time and 2 * (c * w)^2 over depth."""
    block = TDSBlock((10, 80), 21, 0.0)
    matrices = sum(
        weight.numel() for name, weight in block.named_parameters() if weight.dim() > 1 and "norm" not in name
    )
    assert matrices == 21 * 10 * 10 + 2 * 800 * 800


def test_dropout_stands_behind_convolutions_and_linear_layers() -> None:
    encoder = TDSEncoder(3, (2,), 1, conv_dropout=0.5, dropout=0.0)
    rates = [module.p for module in encoder.front.modules() if isinstance(module, nn.Dropout)]
    assert rates == [0.5] * 4
    batch = Features(torch.randn(2, 9, 3), torch.tensor([9, 4]))
    assert not encoder(batch).values.equal(encoder(batch).values)
    encoder.eval()
    assert encoder(batch).values.equal(encoder(batch).values)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"channels": ()}, "for 0 layers"),
        ({"blocks": (1,)}, r"blocks=\(1,\) for 2 layers"),
        ({"kernel_size": 4}, "kernel size 4"),
        ({"strides": 7}, "kernel size 11, stride 7"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        TDSEncoder(3, **options)
