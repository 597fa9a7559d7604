"""Valid frames to and fro, and norms over them against torch's own on each example's frames, put end to end."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqrec.encoders.valid_frames import FrameBatchNorm, frame_norm, gather_frames, scatter_frames, without_padding
from seqrec.sequence import Features, pad_signals


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 3), st.sampled_from([(), (2,), (2, 3)]))
@settings(deadline=None, max_examples=20)
def test_gathered_frames_are_the_examples_end_to_end_and_come_back(
    lengths: list[int], more: int, shape: tuple[int, ...]
) -> None:
    examples = [torch.randn(length, *shape) for length in lengths]
    counts, size = torch.tensor(lengths), max(lengths) + more
    values = torch.full((len(lengths), size, *shape), torch.nan)
    expected = torch.zeros(len(lengths), size, *shape)
    for row, clean, example in zip(values, expected, examples, strict=True):
        row[: len(example)] = clean[: len(example)] = example
    assert without_padding(Features(values, counts)).equal(expected)
    frames = gather_frames(values, counts)
    assert frames.equal(torch.cat(examples))
    assert scatter_frames(frames, counts, size).equal(expected)


@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_batch_norm_is_torchs_over_the_valid_frames(shape: tuple[int, ...]) -> None:
    """Forward, gradient and running statistics, beside padding that is no number."""
    examples = [torch.randn(length, *shape) * 3 + 1 for length in (5, 1, 3)]
    values, lengths = pad_signals(examples)
    values[1, 1:], values[2, 3:] = torch.nan, 1e9
    values.requires_grad_()
    alone = torch.cat(examples).requires_grad_()
    ours, theirs = frame_norm("batch", shape), nn.BatchNorm1d(4)
    nn.init.normal_(ours.weight)
    nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    found, expected = ours(gather_frames(values, lengths)), theirs(alone)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(expected)
    got = torch.autograd.grad((found * weights).sum(), [values, *ours.parameters()])
    wanted = torch.autograd.grad((expected * weights).sum(), [alone, *theirs.parameters()])
    torch.testing.assert_close(gather_frames(got[0], lengths), wanted[0])
    assert got[0][1, 1:].eq(0).all()
    torch.testing.assert_close(got[1:], wanted[1:])
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    assert not ours.running_mean.eq(0).any()


def test_batch_norm_by_the_formula() -> None:
    frames = torch.randn(7, 3, dtype=torch.float64) * 2 + 5
    norm = FrameBatchNorm(3).double()
    expected = (frames - frames.mean(0)) / (frames.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(norm(frames), expected)
    torch.testing.assert_close(norm.running_mean, 0.1 * frames.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * frames.var(0))


def test_a_single_value_leaves_the_running_statistics() -> None:
    norm = FrameBatchNorm(3)
    norm.running_mean += 2
    assert norm(torch.full((1, 3), 2.0)).eq(0).all()
    assert norm.running_mean.eq(2).all()


def test_layer_norm_is_each_frames_own() -> None:
    frames = torch.randn(5, 4, 3) * 3 + 1
    found = frame_norm("layer", (4, 3))(frames)
    for frame, normed in zip(frames, found, strict=True):
        torch.testing.assert_close(normed, (frame - frame.mean()) / (frame.var(unbiased=False) + 1e-5).sqrt())
    assert frame_norm("none", (4, 3))(frames) is frames
