"""The CTC loss against the sum over all paths, and its precision on long recordings."""

from __future__ import annotations

from itertools import groupby, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from seqrec.ctc.feasibility import required_frames
from seqrec.ctc.loss import CTCLoss, feasible
from seqrec.sequence import Emissions

LOSS = CTCLoss()


def collapse(path: tuple[int, ...]) -> list[int]:
    return [token for token, _ in groupby(path) if token]


def loss_over_all_paths(log_probs: Tensor, target: list[int]) -> Tensor:
    """Minus the log of the summed probability of all V^T paths (T, V) that collapse to `target`."""
    num_frames, num_tokens = log_probs.shape
    paths = [path for path in product(range(num_tokens), repeat=num_frames) if collapse(path) == target]
    if not paths:
        return torch.tensor(torch.inf, dtype=torch.float64)
    frames = torch.arange(num_frames)
    return -log_probs[frames, torch.tensor(paths).view(-1, num_frames)].sum(dim=1).logsumexp(dim=0)


def loss_of_one(logits: Tensor, target: list[int]) -> Tensor:
    emissions = Emissions(logits.log_softmax(-1)[None], torch.tensor([len(logits)]))
    return LOSS(emissions, torch.tensor([target], dtype=torch.int64), torch.tensor([len(target)]))[0]


def slow_loss(log_probs: Tensor, target: list[int]) -> Tensor:
    """The forward recursion of Graves et al. 2006, equations 5 to 8, in log space, differentiable."""
    labels = torch.tensor([0, *(token for label in target for token in (label, 0))])
    skips = torch.zeros(len(labels), dtype=torch.bool)
    skips[2:] = (labels[2:] != 0) & (labels[2:] != labels[:-2])
    impossible = log_probs.new_full((2,), -1e30)
    alpha = torch.where(torch.arange(len(labels)) < 2, log_probs[0, labels], impossible[0])
    for frame in log_probs[1:]:
        by_one = torch.cat([impossible[:1], alpha[:-1]])
        by_two = torch.where(skips, torch.cat([impossible, alpha[:-2]]), impossible[0])
        alpha = torch.stack([alpha, by_one, by_two]).logsumexp(dim=0) + frame[labels]
    return -alpha[-2:].logsumexp(dim=0)


@given(st.integers(1, 6), st.lists(st.integers(1, 2), max_size=4), st.integers(0, 2**31))
@settings(deadline=None)
def test_value_and_gradient_are_those_of_all_paths(num_frames: int, target: list[int], seed: int) -> None:
    logits = 3 * torch.randn(num_frames, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = loss_over_all_paths(logits.requires_grad_().log_softmax(-1), target)
    found = loss_of_one(logits, target)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected)
    if num_frames >= required_frames(target):
        gradients = [torch.autograd.grad(loss, logits)[0] for loss in (found, expected)]
        torch.testing.assert_close(*gradients)
    else:
        assert found.isposinf()


@pytest.mark.parametrize("garbage", [0, 99, -7])
def test_a_ragged_batch_is_its_examples_alone(garbage: int) -> None:
    targets, lengths = [[1, 1], [], [2, 3, 1], [3]], [4, 2, 5, 1]
    torch.manual_seed(0)
    logits = torch.randn(4, 5, 4, dtype=torch.float64)
    padded = torch.tensor([target + [garbage] * (3 - len(target)) for target in targets])
    emissions = Emissions(logits.log_softmax(-1), torch.tensor(lengths))
    found = LOSS(emissions, padded, torch.tensor([len(target) for target in targets]))
    alone = [loss_of_one(row[:length], target) for row, length, target in zip(logits, lengths, targets, strict=True)]
    torch.testing.assert_close(found, torch.stack(alone))


def test_a_batch_of_empty_targets() -> None:
    log_probs = torch.randn(2, 3, 4).log_softmax(-1)
    found = LOSS(Emissions(log_probs, torch.tensor([3, 2])), torch.empty(2, 0, dtype=torch.int64), torch.tensor([0, 0]))
    torch.testing.assert_close(found, -torch.stack([log_probs[0, :, 0].sum(), log_probs[1, :2, 0].sum()]).double())


def test_an_infeasible_target_has_no_finite_loss_and_spares_its_batch() -> None:
    logits = torch.zeros(2, 3, 3, requires_grad=True)
    emissions = Emissions(logits.log_softmax(-1), torch.tensor([3, 3]))
    losses = LOSS(emissions, torch.tensor([[1, 1, 1], [1, 2, 1]]), torch.tensor([3, 3]))
    assert losses.isposinf().tolist() == [True, False]
    losses[1].backward()
    assert logits.grad is not None
    assert logits.grad[1].isfinite().all()


@given(st.lists(st.integers(1, 3), max_size=3))
def test_required_frames_is_the_shortest_path(target: list[int]) -> None:
    lengths = range(2 * len(target) + 1)
    shortest = next(t for t in lengths if any(collapse(path) == target for path in product(range(4), repeat=t)))
    assert required_frames(target) == shortest


@given(st.lists(st.lists(st.integers(1, 2), max_size=5), min_size=1, max_size=4), st.integers(0, 9), st.integers(-1, 2))
def test_feasible_agrees_with_required_frames(targets: list[list[int]], length: int, garbage: int) -> None:
    size = max(map(len, targets))
    padded = torch.tensor([target + [garbage] * (size - len(target)) for target in targets], dtype=torch.int64)
    lengths = torch.tensor([len(target) for target in targets])
    expected = [required_frames(target) <= length for target in targets]
    assert feasible(torch.full((len(targets),), length), padded.view(len(targets), size), lengths).tolist() == expected


def test_what_does_not_fit_has_no_loss_and_no_gradient() -> None:
    logits = torch.randn(3, 3, 3, requires_grad=True, generator=torch.Generator().manual_seed(0))
    emissions = Emissions(logits.log_softmax(-1), torch.tensor([3, 3, 3]))
    targets, lengths = torch.tensor([[1, 1, 1], [1, 2, 1], [2, 2, 0]]), torch.tensor([3, 3, 2])
    losses = LOSS.of_feasible(emissions, targets, lengths)
    torch.testing.assert_close(losses[1:], LOSS(emissions, targets, lengths)[1:])
    assert losses[0] == 0
    losses.sum().backward()
    assert logits.grad is not None
    assert logits.grad[0].eq(0).all()
    assert logits.grad[1:].isfinite().all()
    assert logits.grad[1:].abs().sum() > 0


def test_the_gradient_of_a_long_recording_needs_float64() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(1600, 30, generator=generator)
    target = torch.randint(1, 30, (100,), generator=generator)
    exact = logits.double().requires_grad_()
    (expected,) = torch.autograd.grad(slow_loss(exact.log_softmax(-1), target.tolist()), exact)
    logits.requires_grad_()
    (found,) = torch.autograd.grad(loss_of_one(logits, target.tolist()), logits)
    log_probs = logits.log_softmax(-1)[:, None]  # (T', V) -> (T', 1, V)
    single = functional.ctc_loss(log_probs, target[None], torch.tensor([1600]), torch.tensor([100]), reduction="sum")
    (rough,) = torch.autograd.grad(single, logits)
    assert (found - expected).abs().max() < 1e-5
    assert (rough - expected).abs().max() > 1e-3
