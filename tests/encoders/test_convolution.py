"""Convolutions and pooling against torch's on each example alone; every frame counted."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from seqrec.encoders.convolution import ConvolutionLayer, MaxPooling
from seqrec.sequence import Features, pad_signals

LENGTHS = [9, 1, 4, 8, 2]
KERNELS = st.integers(0, 3).map(lambda half: 2 * half + 1)
WINDOWS = KERNELS.flatmap(lambda size: st.tuples(st.just(size), st.integers(1, (size + 1) // 2)))


def ragged(lengths: list[int], shape: tuple[int, ...]) -> tuple[list[Tensor], Features]:
    examples = [torch.randn(length, *shape) for length in lengths]
    return examples, Features(*pad_signals(examples))


def slow_convolution(example: Tensor, layer: ConvolutionLayer, stride: int) -> Tensor:
    """Window by window, around frames 0, stride, ...: (T, C) to (T', C')."""
    weight, bias = layer.convolution.weight, layer.convolution.bias
    half = weight.shape[2] // 2
    rows = []
    for centre in range(0, len(example), stride):
        row = bias.clone()
        for tap in range(weight.shape[2]):
            frame = centre + tap - half
            if 0 <= frame < len(example):
                row = row + weight[:, :, tap] @ example[frame]
        rows.append(row)
    return torch.stack(rows)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), WINDOWS)
@settings(deadline=None, max_examples=15)
def test_a_convolution_is_its_windows(lengths: list[int], window: tuple[int, int]) -> None:
    kernel, stride = window
    layer = ConvolutionLayer((3,), 4, (kernel,), (stride,), norm="none", activation="relu")
    nn.init.normal_(layer.convolution.bias)
    examples, batch = ragged(lengths, (3,))
    found = layer(batch)
    assert found.values.shape == (len(lengths), int(found.lengths.max()), 4)
    for row, length, example in zip(found.values, found.lengths.tolist(), examples, strict=True):
        assert length == math.ceil(len(example) / stride)
        torch.testing.assert_close(row[:length], slow_convolution(example, layer, stride).relu())
        assert row[length:].eq(0).all()


@given(st.integers(1, 40), WINDOWS)
@settings(deadline=None, max_examples=30)
def test_every_frame_is_in_a_window(length: int, window: tuple[int, int]) -> None:
    kernel, stride = window
    layer = ConvolutionLayer((1,), 1, (kernel,), (stride,), norm="none", activation="gelu")
    nn.init.ones_(layer.convolution.weight)
    values = torch.rand(1, length, 1).requires_grad_()
    layer(Features(values, torch.tensor([length]))).values.sum().backward()
    assert values.grad.ne(0).all()


@pytest.mark.parametrize("norm", ["layer", "none", "batch"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (2, 2)])
def test_planes_are_torchs_convolution_of_each_example(norm: str, stride: tuple[int, int]) -> None:
    layer = ConvolutionLayer((2, 7), 3, (3, 5), stride, norm=norm, activation="hardtanh").eval()
    if norm == "batch":
        nn.init.normal_(layer.norm.running_mean)
    examples, batch = ragged(LENGTHS, (2, 7))
    found = layer(batch)
    for row, length, example in zip(found.values, found.lengths.tolist(), examples, strict=True):
        padded = functional.pad(example.movedim(0, 1)[None], (2, 2, 1, 1))  # (T, C, F) -> (1, C, T + 2, F + 4)
        expected = functional.conv2d(padded, layer.convolution.weight, layer.convolution.bias, stride)
        expected = layer.norm(expected[0].movedim(1, 0)).clamp(0, 20)
        assert expected.shape == (length, *layer.output_shape)
        torch.testing.assert_close(row[:length], expected, atol=1e-5, rtol=1e-5)


def test_batch_norm_in_training_sees_the_frames_of_all_examples_and_no_padding() -> None:
    layer = ConvolutionLayer((3,), 4, (3,), (2,), norm="batch", activation="gelu")
    examples, batch = ragged(LENGTHS, (3,))
    inner = [functional.conv1d(example.T[None], layer.convolution.weight, None, 2, 1)[0].T for example in examples]
    norm = nn.BatchNorm1d(4)
    expected = functional.gelu(norm(torch.cat(inner)))
    found = layer(batch)
    valid = torch.cat([row[:length] for row, length in zip(found.values, found.lengths.tolist(), strict=True)])
    torch.testing.assert_close(valid, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer.norm.running_mean, norm.running_mean)
    torch.testing.assert_close(layer.norm.running_var, norm.running_var)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 4), st.integers(1, 4), st.booleans())
@settings(deadline=None, max_examples=20)
def test_pooling_is_the_largest_of_each_examples_own(lengths: list[int], time: int, feature: int, low: bool) -> None:
    pooling = MaxPooling((2, 5), (time, feature))
    examples, batch = ragged(lengths, (2, 5))
    if low:  # so that a zero of the padding would win
        examples, batch = [example - 100 for example in examples], Features(batch.values - 100, batch.lengths)
    found = pooling(batch)
    assert pooling.output_shape == (2, math.ceil(5 / feature))
    assert found.lengths.equal(pooling.output_lengths(batch.lengths))
    for row, length, example in zip(found.values, found.lengths.tolist(), examples, strict=True):
        assert length == math.ceil(len(example) / time)
        assert row[length:].eq(0).all()
        for t, frame in enumerate(row[:length]):
            for f in range(frame.shape[1]):
                window = example[t * time : (t + 1) * time, :, f * feature : (f + 1) * feature]
                assert frame[:, f].equal(window.amax(dim=(0, 2)))


def test_pooling_sends_no_gradient_into_the_padding() -> None:
    _, batch = ragged(LENGTHS, (2, 5))
    values = batch.values.requires_grad_()
    MaxPooling((2, 5), (2, 2))(Features(values, batch.lengths)).values.sum().backward()
    for grad, length in zip(values.grad, LENGTHS, strict=True):
        assert grad[length:].eq(0).all()
        assert grad.isfinite().all()
        assert grad.sum() == 2 * 3 * math.ceil(length / 2)


def test_dropout_is_for_training_alone() -> None:
    layer = ConvolutionLayer((3,), 64, (3,), (1,), norm="layer", activation="gelu", dropout=0.75)
    batch = Features(torch.randn(2, 200, 3), torch.tensor([200, 200]))
    assert 0.72 < layer(batch).values.eq(0).float().mean() < 0.78
    assert not layer.eval()(batch).values.eq(0).any()


def test_initial_weights_keep_the_variance() -> None:
    layer = ConvolutionLayer((64,), 128, (5,), (1,), norm="none", activation="relu")
    assert layer.convolution.weight.std().item() == pytest.approx((2 / (64 * 5)) ** 0.5, rel=0.05)  # He et al. 2015
    assert layer.convolution.bias.eq(0).all()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"kernel": (4,)}, "kernel size 4, stride 1"),
        ({"kernel": (0,)}, "kernel size 0"),
        ({"stride": (3,)}, "kernel size 3, stride 3"),
        ({"stride": (0,)}, "stride 0"),
        ({"channels": 0}, "channels=0"),
        ({"dropout": 1.0}, r"dropout=1\.0"),
        ({"activation": "tanh"}, "activation=tanh: choose one of relu"),
        ({"norm": "group"}, "norm=group: choose one of batch"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ConvolutionLayer(**{"shape": (3,), "channels": 4, "kernel": (3,), "stride": (1,), **options})
