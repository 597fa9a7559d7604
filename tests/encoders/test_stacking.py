"""Frame stacking against loops, and no frame lost."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqrec.encoders.stacking import FrameStacking
from seqrec.sequence import Features, pad_signals

LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=4)
SIZES = st.integers(1, 6).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))


def slow_stack(values: Tensor, size: int, stride: int) -> Tensor:
    """Frames (T, F) to (T', F * size): windows begin every `stride` frames until one reaches the end."""
    rows, start = [], 0
    while True:
        window = [values[t] if t < len(values) else torch.zeros_like(values[0]) for t in range(start, start + size)]
        rows.append(torch.cat(window))
        if start + size >= len(values):
            return torch.stack(rows)
        start += stride


@given(LENGTHS, SIZES, st.booleans())
@settings(deadline=None)
def test_equal_to_loops_alone_and_in_a_batch(lengths: list[int], sizes: tuple[int, int], garbage: bool) -> None:
    size, stride = sizes if sizes[0] > 1 else (1, 1)
    examples = [torch.randn(length, 3) for length in lengths]
    values, counts = pad_signals(examples)
    if garbage and size > 1:
        for row, length in zip(values, lengths, strict=True):
            row[length:] = 1e6
    stacked = FrameStacking(size, stride)(Features(values, counts))
    for row, count, example in zip(stacked.values, stacked.lengths.tolist(), examples, strict=True):
        expected = slow_stack(example, size, stride)
        assert row[:count].equal(expected)
        assert count == math.ceil(max(len(example) - size, 0) / stride) + 1


@given(st.integers(1, 50), SIZES)
def test_every_frame_is_in_a_window(length: int, sizes: tuple[int, int]) -> None:
    size, stride = sizes
    if size == 1:
        return
    values = torch.arange(1.0, length + 1).reshape(1, length, 1)
    stacked = FrameStacking(size, stride)(Features(values, torch.tensor([length])))
    assert set(stacked.values.unique().tolist()) - {0.0} == set(values.flatten().tolist())


@given(LENGTHS, SIZES)
def test_lengths_are_those_of_the_output(lengths: list[int], sizes: tuple[int, int]) -> None:
    stacking = FrameStacking(*sizes)
    values, counts = pad_signals([torch.ones(length, 2) for length in lengths])
    stacked = stacking(Features(values, counts))
    assert stacked.lengths.equal(stacking.output_lengths(counts))
    assert stacked.values.shape == (len(lengths), int(stacked.lengths.max()), 2 * sizes[0])


def test_one_frame_is_left_as_it_is() -> None:
    features = Features(torch.randn(2, 5, 3), torch.tensor([5, 2]))
    assert FrameStacking()(features) is features


@pytest.mark.parametrize(("size", "stride"), [(0, 1), (2, 0), (2, 3), (-1, -1)])
def test_strides_that_would_lose_frames_are_refused(size: int, stride: int) -> None:
    with pytest.raises(ValueError, match=f"stack_size={size}, stack_stride={stride}"):
        FrameStacking(size, stride)
