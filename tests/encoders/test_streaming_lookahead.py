"""The row convolution against loops; its encoder sees no further ahead than it says, and never into padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ragged import check_padding_invariance, ragged, soil
from torch import Tensor, nn

from seqrec.encoders.lstm import LSTMEncoder
from seqrec.encoders.streaming_lookahead import LookaheadLSTMEncoder, RowConvolution
from seqrec.sequence import Features

LENGTHS = [11, 1, 4, 10, 6]


def drawn(lookahead: int, **options: int) -> LookaheadLSTMEncoder:
    """Return an encoder that is no longer the identity above its LSTM."""
    torch.manual_seed(0)
    encoder = LookaheadLSTMEncoder(3, 4, 2, lookahead=lookahead, **options).eval()
    nn.init.normal_(encoder.lookahead.weight)
    return encoder


def slow_row_convolution(values: Tensor, weight: Tensor) -> Tensor:
    """Wang et al. 2016, equation 2, for the frames (T, H) of one example."""
    result = torch.zeros_like(values)
    for t in range(len(values)):
        for i in range(values.shape[1]):
            for j in range(weight.shape[2]):
                if t + j < len(values):
                    result[t, i] += weight[i, 0, j] * values[t + j, i]
    return result


@pytest.mark.parametrize("lookahead", [1, 3, 15])
@torch.no_grad()
def test_equal_to_loops_over_each_example_alone(lookahead: int) -> None:
    encoder = drawn(lookahead)
    batch = ragged(LENGTHS, 3)
    found = encoder(batch).values
    for row, values, length in zip(found, batch.values, LENGTHS, strict=True):
        frames = values[:length]
        for layer in encoder.layers:
            frames = layer.cells(frames)[0]
        expected = slow_row_convolution(frames, encoder.lookahead.weight)
        torch.testing.assert_close(row[:length], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("lookahead", [1, 3, 15])
@pytest.mark.parametrize(("stack_size", "stack_stride"), [(1, 1), (3, 2)])
def test_an_example_is_the_same_alone_and_beside_others(lookahead: int, stack_size: int, stack_stride: int) -> None:
    encoder = drawn(lookahead, stack_size=stack_size, stack_stride=stack_stride)
    check_padding_invariance(encoder, ragged(LENGTHS, 3))


def test_garbage_in_the_padding_reaches_no_gradient() -> None:
    encoder, batch = drawn(3), ragged(LENGTHS, 3)
    clean, dirty = (
        torch.autograd.grad(encoder(features).values.square().sum(), list(encoder.parameters()))
        for features in (batch, soil(batch, float("nan")))
    )
    for first, second in zip(clean, dirty, strict=True):
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


@given(st.integers(1, 6), st.sampled_from([(1, 1), (2, 2), (3, 2)]), st.integers(0, 30))
@settings(deadline=None, max_examples=30)
@torch.no_grad()
def test_no_output_changes_with_frames_beyond_the_look_ahead(
    lookahead: int, stacks: tuple[int, int], changed: int
) -> None:
    encoder = drawn(lookahead, stack_size=stacks[0], stack_stride=stacks[1])
    values = ragged([31], 3).values
    other = values.clone()
    other[:, changed] += 1
    first, second = (encoder(Features(frames, torch.tensor([31]))).values[0] for frames in (values, other))
    last_seen = torch.arange(len(first)) * stacks[1] + encoder.lookahead_frames
    torch.testing.assert_close(first[last_seen < changed], second[last_seen < changed], atol=1e-6, rtol=0)
    assert (first[last_seen == changed] - second[last_seen == changed]).abs().gt(1e-4).any(dim=1).all()


def test_it_begins_as_the_forward_lstm() -> None:
    torch.manual_seed(0)
    plain = LSTMEncoder(3, 4, 2, bidirectional=False).eval()
    torch.manual_seed(0)
    encoder = LookaheadLSTMEncoder(3, 4, 2).eval()
    batch = ragged(LENGTHS, 3)
    torch.testing.assert_close(encoder(batch).values, plain(batch).values, atol=1e-6, rtol=0)


def test_the_last_of_the_layers_outputs_is_the_convolutions() -> None:
    encoder, batch = drawn(3), ragged(LENGTHS, 3)
    first, last = encoder.layer_outputs(batch)
    assert last.values.equal(encoder(batch).values)
    assert first.values.equal(encoder.layers[0](batch.values, batch.lengths))


def test_bfloat16_is_close_to_float32() -> None:
    encoder, batch = drawn(3), ragged(LENGTHS, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encoder(batch).values.float()
    assert 0 < (rough - encoder(batch).values).abs().max() < 0.05
    rough.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in encoder.parameters())


def test_no_frame_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lookahead=0: .*encoder=lstm"):
        RowConvolution(4, 0)
