"""Length arithmetic, masks and padding against their definitions."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from seqrec.sequence import Example, collate, length_mask, num_windows, pad_signals

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def example(number: int, length: int, labels: int) -> Example:
    signal = torch.arange(1, length * 2 + 1, dtype=torch.float32).reshape(length, 2) * (number + 1)
    return Example(f"e{number}", signal, "x" * labels, torch.arange(1, labels + 1))


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 20))
def test_windows_are_those_that_lie_inside(length: int, window: int, hop: int) -> None:
    inside = sum(start + window <= length for start in range(0, length, hop))
    assert num_windows(length, window, hop) == max(inside, 1)


@given(st.lists(st.integers(0, 60), min_size=1), st.integers(1, 20), st.integers(1, 20))
def test_windows_of_tensors_are_those_of_numbers(lengths: list[int], window: int, hop: int) -> None:
    counts = num_windows(torch.tensor(lengths), window, hop)
    assert counts.dtype == torch.int64
    assert counts.tolist() == [num_windows(length, window, hop) for length in lengths]


@given(st.lists(st.integers(0, 9), min_size=1), st.integers(0, 12))
def test_mask_is_true_below_the_length(lengths: list[int], size: int) -> None:
    expected = [[position < length for position in range(size)] for length in lengths]
    assert length_mask(torch.tensor(lengths), size).tolist() == expected


def test_signals_are_padded_with_zeros() -> None:
    padded, lengths = pad_signals([torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0]])])
    assert padded.tolist() == [[[1], [2]], [[3], [0]]]
    assert lengths.tolist() == [2, 1]


@given(LENGTHS, st.data())
def test_collate_keeps_every_example_and_adds_only_zeros(lengths: list[int], data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.integers(0, 4), min_size=len(lengths), max_size=len(lengths)))
    examples = [example(i, *sizes) for i, sizes in enumerate(zip(lengths, labels, strict=True))]
    batch = collate(examples)
    assert len(batch) == len(examples)
    assert batch.signals.shape == (len(lengths), max(lengths), 2)
    assert batch.targets.shape == (len(lengths), max(labels))
    assert batch.signal_lengths.tolist() == lengths
    assert batch.target_lengths.tolist() == labels
    for i, one in enumerate(examples):
        assert (batch.ids[i], batch.texts[i]) == (one.id, one.text)
        assert batch.signals[i, : lengths[i]].equal(one.signal)
        assert batch.targets[i, : labels[i]].equal(one.targets)
        assert not batch.signals[i, lengths[i] :].any()
        assert not batch.targets[i, labels[i] :].any()


def test_a_batch_moves_whole() -> None:
    moved = collate([example(0, 3, 2), example(1, 1, 1)]).to("meta")
    assert {value.device.type for value in vars(moved).values() if isinstance(value, torch.Tensor)} == {"meta"}
    assert moved.ids == ["e0", "e1"]
