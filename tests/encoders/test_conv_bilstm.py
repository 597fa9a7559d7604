"""Blocks of 3 x 3 convolutions and pooling, against torch's modules on each example alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqrec.encoders.conv_bilstm import ConvEncoder
from seqrec.encoders.convolution import ConvolutionLayer
from seqrec.sequence import Features, pad_signals


def vgg(encoder: ConvEncoder, pools: list[tuple[int, int]]) -> nn.Sequential:
    """The front in torch's own modules, two convolutions a block, with the weights of `encoder`."""
    ours = [layer for layer in encoder.front if isinstance(layer, ConvolutionLayer)]
    modules: list[nn.Module] = []
    for number, layer in enumerate(ours):
        planes, before = layer.convolution.weight.shape[:2]
        convolution, norm = nn.Conv2d(before, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        convolution.load_state_dict(layer.convolution.state_dict())
        norm.load_state_dict(layer.norm.state_dict())
        modules += [convolution, norm, nn.ReLU()]
        if number % 2 == 1:
            modules.append(nn.MaxPool2d(pools[number // 2], ceil_mode=True))
    return nn.Sequential(*modules).eval()


def plain(front: nn.Sequential, example: Tensor) -> Tensor:
    planes = front(example[None, None])  # (T, F) -> (1, C, T', F')
    return planes[0].transpose(0, 1).flatten(1)  # (T', C * F')


@pytest.mark.parametrize("pools", [[(2, 2), (2, 2)], [(1, 3), (3, 1)]])
def test_each_example_is_plain_torch(pools: list[tuple[int, int]]) -> None:
    torch.manual_seed(0)
    times, features = ([pool[axis] for pool in pools] for axis in (0, 1))
    encoder = ConvEncoder(7, (3, 4), time_pools=times, feature_pools=features, hidden_size=5).eval()
    for layer in encoder.front:
        if isinstance(layer, ConvolutionLayer):
            for value in (layer.norm.running_mean, layer.norm.weight, layer.norm.bias):
                nn.init.normal_(value)
    front = vgg(encoder, pools)
    examples = [torch.randn(length, 7) for length in (13, 1, 6, 2)]
    found = encoder(Features(*pad_signals(examples)))
    for row, length, example in zip(found.values, found.lengths.tolist(), examples, strict=True):
        frames = plain(front, example)
        expected = encoder.recurrent(Features(frames[None], torch.tensor([length])))
        torch.testing.assert_close(row[:length], expected.values[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"channels": ()}, "for 0 layers"),
        ({"time_pools": (2,)}, r"time_pools=\(2,\) for 2 layers"),
        ({"feature_pools": (1, 2, 3)}, "feature_pools=.* for 2 layers"),
        ({"time_pools": 0}, "pooling over 0 frames"),
        ({"block_size": 0}, "block_size=0"),
        ({"kernel_size": 2}, "kernel size 2"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ConvEncoder(7, **options)
