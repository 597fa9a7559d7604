"""Forced alignment against all paths, and against the same recursion in plain Python; blind to padding."""

from __future__ import annotations

from itertools import groupby, pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqrec.ctc.align import Alignment, align
from seqrec.ctc.feasibility import required_frames
from seqrec.sequence import Emissions

NEVER = -float("inf")


def draw(num_frames: int, num_tokens: int, seed: int) -> Tensor:
    logits = 3 * torch.randn(num_frames, num_tokens, generator=torch.Generator().manual_seed(seed))
    return logits.log_softmax(-1)


def align_one(log_probs: Tensor, target: list[int]) -> Alignment:
    emissions = Emissions(log_probs[None], torch.tensor([len(log_probs)]))
    return align(emissions, torch.tensor([target], dtype=torch.int64), torch.tensor([len(target)]))


def align_batch(rows: list[Tensor], targets: list[list[int]], padding: float = 0.0, garbage: int = 0) -> Alignment:
    size, num_labels = max(map(len, rows)) + 2, max(map(len, targets)) + 1
    log_probs = torch.full((len(rows), size, rows[0].shape[1]), padding)
    for padded, row in zip(log_probs, rows, strict=True):
        padded[: len(row)] = row
    labels = torch.tensor([target + [garbage] * (num_labels - len(target)) for target in targets])
    lengths = torch.tensor([len(row) for row in rows])
    return align(Emissions(log_probs, lengths), labels, torch.tensor([len(target) for target in targets]))


def labels_of(path: tuple[int, ...]) -> list[int]:
    """Number the runs of each token but the blank."""
    found, before, number = [], 0, -1
    for token in path:
        number += token not in (0, before)
        found.append(number if token else -1)
        before = token
    return found


def best_of_all_paths(log_probs: Tensor, target: list[int]) -> tuple[list[int], float]:
    frames = range(len(log_probs))
    rows = log_probs.double().tolist()
    paths = product(range(log_probs.shape[1]), repeat=len(log_probs))
    fits = (path for path in paths if [token for token, _ in groupby(path) if token] == target)
    scored = ((sum(rows[frame][path[frame]] for frame in frames), path) for path in fits)
    score, path = max(scored, default=(NEVER, (0,) * len(log_probs)))
    return labels_of(path), score


def slow_align(log_probs: Tensor, target: list[int]) -> tuple[list[int], float]:
    """Graves et al. 2006 in plain Python; of equal paths, the one that stays longest in its last states."""
    states = [0, *(token for label in target for token in (label, 0))]
    scores = [NEVER] * len(states)
    back = []
    for frame, row in enumerate(log_probs.double().tolist()):
        new, steps = [], []
        for place, token in enumerate(states):
            ways = {0: scores[place], 1: scores[place - 1] if place else NEVER, 2: NEVER}
            if place >= 2 and token not in (0, states[place - 2]):
                ways[2] = scores[place - 2]
            if frame == 0:
                ways = {0: 0.0 if place < 2 else NEVER}
            step = max(ways, key=lambda number: (ways[number], -number))
            new.append(ways[step] + row[token])
            steps.append(step)
        scores, back = new, [*back, steps]
    if not back:
        return [], NEVER if target else 0.0
    place = max(range(max(len(states) - 2, 0), len(states)), key=lambda number: (scores[number], number))
    score, labels = scores[place], []
    for steps in reversed(back):
        labels.append(place // 2 if place % 2 else -1)
        place -= steps[place]
    return (labels[::-1] if score > NEVER else [-1] * len(labels)), score


@given(st.integers(0, 6), st.lists(st.integers(1, 2), max_size=3), st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
def test_the_best_of_all_paths(num_frames: int, target: list[int], seed: int) -> None:
    log_probs = draw(num_frames, 3, seed)
    labels, score = best_of_all_paths(log_probs, target)
    found = align_one(log_probs, target)
    assert found.labels.tolist() == [labels]
    assert found.log_probs.dtype == torch.float64
    assert found.log_probs.item() == pytest.approx(score, rel=1e-12, abs=1e-12)
    assert found.log_probs.isfinite().item() == (num_frames >= required_frames(target))


@given(st.integers(0, 80), st.lists(st.integers(1, 3), max_size=30), st.integers(0, 2**31), st.booleans())
@settings(deadline=None, max_examples=40)
def test_equal_to_plain_python_ties_included(num_frames: int, target: list[int], seed: int, coarse: bool) -> None:
    log_probs = draw(num_frames, 4, seed)
    if coarse:
        log_probs = log_probs.round()  # many paths are equally likely
    labels, score = slow_align(log_probs, target)
    found = align_one(log_probs, target)
    assert found.labels.tolist() == [labels]
    assert found.log_probs.item() == score


@given(
    st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(1, 3), max_size=6)), min_size=1, max_size=5),
    st.integers(0, 2**31),
    st.sampled_from([float("nan"), 1e9, float("-inf")]),
    st.sampled_from([-7, 0, 99]),
)
@settings(deadline=None, max_examples=60)
def test_an_example_is_aligned_alike_alone_and_among_garbage(
    examples: list[tuple[int, list[int]]], seed: int, padding: float, garbage: int
) -> None:
    rows = [draw(num_frames, 4, seed + number) for number, (num_frames, _) in enumerate(examples)]
    targets = [target for _, target in examples]
    found = align_batch(rows, targets, padding, garbage)
    starts, ends = found.starts(), found.ends()
    assert starts.shape == ends.shape == (len(rows), max(map(len, targets)) + 1)
    for number, (row, target) in enumerate(zip(rows, targets, strict=True)):
        alone = align_one(row, target)
        assert found.log_probs[number].item() == alone.log_probs.item()
        assert found.labels[number, : len(row)].equal(alone.labels[0])
        assert found.labels[number, len(row) :].eq(-1).all()
        assert starts[number, : len(target)].equal(alone.starts()[0])
        assert ends[number, : len(target)].equal(alone.ends()[0])
        assert not starts[number, len(target) :].any()
        assert not ends[number, len(target) :].any()


@given(st.lists(st.integers(1, 3), min_size=1, max_size=8), st.integers(0, 9), st.integers(0, 2**31))
@settings(deadline=None)
def test_starts_and_ends_are_those_of_the_labels(target: list[int], spare: int, seed: int) -> None:
    found = align_one(draw(required_frames(target) + spare, 4, seed), target)
    spans = list(zip(found.starts()[0].tolist(), found.ends()[0].tolist(), strict=True))
    assert all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    labels = found.labels[0].tolist()
    for number, (start, end) in enumerate(spans):
        assert [frame for frame, label in enumerate(labels) if label == number] == list(range(start, end))


def test_a_worked_example() -> None:
    probs = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    found = align_one(probs.log(), [1, 1])
    assert found.labels.tolist() == [[-1, 0, 0, -1, 1]]
    assert (found.starts().tolist(), found.ends().tolist()) == ([[1, 4]], [[3, 5]])
    assert found.log_probs.exp().item() == pytest.approx(0.8 * 0.8 * 0.7 * 0.8 * 0.8, rel=1e-6)


def test_equal_labels_are_parted_by_a_blank_however_unlikely() -> None:
    probs = torch.tensor([[0.001, 0.999]]).expand(4, 2)
    assert align_one(probs.log(), [1, 1]).labels[0].tolist().count(-1) == 1
    assert align_one(probs.log(), [1]).labels.tolist() == [[0, 0, 0, 0]]


def test_targets_that_do_not_fit_spare_their_batch() -> None:
    rows = [draw(3, 4, seed) for seed in range(4)]
    found = align_batch(rows, [[1, 1, 2], [1, 2, 1], [], [1, 2, 3, 1]])
    assert found.log_probs.isneginf().tolist() == [True, False, False, True]
    assert found.labels[:, :3].tolist() == [[-1] * 3, [0, 1, 2], [-1] * 3, [-1] * 3]
    assert not found.starts()[[0, 2, 3]].any()
    assert not found.ends()[[0, 2, 3]].any()


def test_a_path_without_any_probability_is_none() -> None:
    log_probs = torch.tensor([[0.0, NEVER], [0.0, NEVER]])
    found = align_one(log_probs, [1])
    assert found.log_probs.isneginf().all()
    assert found.labels.tolist() == [[-1, -1]]


def test_a_recogniser_of_blanks_alone() -> None:
    log_probs = torch.zeros(2, 3, 1)
    found = align(
        Emissions(log_probs, torch.tensor([3, 0])), torch.empty(2, 0, dtype=torch.int64), torch.tensor([0, 0])
    )
    assert found.labels.eq(-1).all()
    assert found.log_probs.tolist() == [0, 0]
    assert found.starts().shape == found.ends().shape == (2, 0)
    padded = align(Emissions(log_probs, torch.tensor([3, 2])), torch.tensor([[9], [9]]), torch.tensor([0, 0]))
    assert padded.labels.eq(-1).all()


def test_no_example_and_no_frame() -> None:
    none = align(
        Emissions(torch.zeros(0, 4, 3), torch.zeros(0, dtype=torch.int64)),
        torch.zeros(0, 2, dtype=torch.int64),
        torch.zeros(0, dtype=torch.int64),
    )
    assert (none.labels.shape, none.log_probs.shape, none.starts().shape) == ((0, 4), (0,), (0, 2))
    still = align(Emissions(torch.zeros(2, 0, 3), torch.tensor([0, 0])), torch.tensor([[1], [1]]), torch.tensor([1, 0]))
    assert still.labels.shape == (2, 0)
    assert still.log_probs.tolist() == [NEVER, 0]
    assert still.starts().tolist() == still.ends().tolist() == [[0], [0]]


def test_two_thousand_frames_add_up_in_float64() -> None:
    log_probs = torch.tensor([-100.0, -200.0]).repeat(2000, 1)
    log_probs[10, 1], log_probs[1990, 1] = -100.001, -100.0  # float32 counts in steps of 0.016 at the end
    assert align_one(log_probs, [1]).starts().item() == 1990
    assert align_one(log_probs.flip(0), [1]).starts().item() == 9


def test_nothing_is_learned_and_nothing_changed() -> None:
    log_probs = draw(9, 4, 0).requires_grad_()
    before = log_probs.detach().clone()
    found = align_one(log_probs, [1, 2])
    assert not found.log_probs.requires_grad
    assert log_probs.detach().equal(before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_the_same_path() -> None:
    emissions = Emissions(
        torch.stack([draw(200, 29, seed).round(decimals=1) for seed in range(8)]), torch.arange(60, 201, 20)
    )
    targets = torch.randint(1, 29, (8, 30), generator=torch.Generator().manual_seed(0))
    lengths = torch.arange(0, 32, 4)
    expected = align(emissions, targets, lengths)
    found = align(Emissions(emissions.log_probs.cuda(), emissions.lengths.cuda()), targets.cuda(), lengths.cuda())
    assert found.labels.cpu().equal(expected.labels)
    assert found.log_probs.cpu().equal(expected.log_probs)
    assert found.starts().cpu().equal(expected.starts())
