"""Confidences against their definition, label by label; blind to padding."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from seqrec.ctc.align import align
from seqrec.ctc.confidence import token_confidences
from seqrec.sequence import Emissions

EXAMPLES = st.lists(st.tuples(st.integers(1, 12), st.lists(st.integers(1, 3), max_size=6)), min_size=1, max_size=4)


def emissions_of(lengths: list[int], seed: int, padding: float = 0.0) -> Emissions:
    rows = [
        3 * torch.randn(length, 4, generator=torch.Generator().manual_seed(seed + number))
        for number, length in enumerate(lengths)
    ]
    padded = [
        functional.pad(row.log_softmax(-1), (0, 0, 0, max(lengths) + 1 - len(row)), value=padding) for row in rows
    ]
    return Emissions(torch.stack(padded), torch.tensor(lengths))


def pad(targets: list[list[int]], garbage: int) -> torch.Tensor:
    size = max(map(len, targets)) + 1
    return torch.tensor([target + [garbage] * (size - len(target)) for target in targets])


def confidences_of(
    emissions: Emissions, targets: list[list[int]], temperature: float = 1.0, garbage: int = 0
) -> torch.Tensor:
    padded, lengths = pad(targets, garbage), torch.tensor([len(target) for target in targets])
    return token_confidences(emissions, align(emissions, padded, lengths), padded, lengths, temperature)


@given(EXAMPLES, st.integers(0, 2**31), st.floats(0.2, 5.0))
@settings(deadline=None, max_examples=30)
def test_the_highest_posterior_of_the_frames_of_each_label(
    examples: list[tuple[int, list[int]]], seed: int, temperature: float
) -> None:
    lengths, targets = [length for length, _ in examples], [target for _, target in examples]
    emissions = emissions_of(lengths, seed)
    padded = pad(targets, 0)
    alignment = align(emissions, padded, torch.tensor([len(target) for target in targets]))
    found = confidences_of(emissions, targets, temperature)
    assert found.shape == padded.shape
    for number, target in enumerate(targets):
        powers = np.exp(emissions.log_probs[number].double().numpy()) ** (1 / temperature)
        posteriors = powers / powers.sum(axis=1, keepdims=True)
        for place, token in enumerate(target):
            frames = (alignment.labels[number] == place).nonzero()[:, 0].tolist()
            expected = max((posteriors[frame, token] for frame in frames), default=0.0)
            assert found[number, place].item() == pytest.approx(expected, rel=1e-9, abs=1e-300)
            assert 0 < found[number, place] <= 1
        assert found[number, len(target) :].eq(1).all()


@given(EXAMPLES, st.integers(0, 2**31), st.sampled_from([math.nan, 1e9, -math.inf]), st.sampled_from([-7, 99]))
@settings(deadline=None, max_examples=30)
def test_padding_changes_nothing(
    examples: list[tuple[int, list[int]]], seed: int, padding: float, garbage: int
) -> None:
    lengths, targets = [length for length, _ in examples], [target for _, target in examples]
    found = confidences_of(emissions_of(lengths, seed, padding), targets, 1.3, garbage)
    for number, (length, target) in enumerate(examples):
        alone = confidences_of(emissions_of([length], seed + number), [target], 1.3)
        torch.testing.assert_close(found[number, : len(target) + 1], alone[0], rtol=1e-12, atol=0)
        assert found[number].isfinite().all()


def test_a_worked_example() -> None:
    probs = torch.tensor([[[0.2, 0.7, 0.1], [0.05, 0.9, 0.05], [0.8, 0.1, 0.1], [0.3, 0.3, 0.4]]])
    emissions = Emissions(probs.log(), torch.tensor([4]))
    torch.testing.assert_close(confidences_of(emissions, [[1, 2]])[0, :2], torch.tensor([0.9, 0.4]).double())
    warm = confidences_of(emissions, [[1, 2]], temperature=2.0)[0, :2]
    expected = [
        math.sqrt(0.9) / (math.sqrt(0.9) + 2 * math.sqrt(0.05)),
        math.sqrt(0.4) / (2 * math.sqrt(0.3) + math.sqrt(0.4)),
    ]
    torch.testing.assert_close(warm, torch.tensor(expected).double(), rtol=1e-6, atol=0)


def test_a_label_without_a_frame_is_not_believed() -> None:
    found = confidences_of(emissions_of([2], 0), [[1, 1]])
    assert found[0, :2].tolist() == [pytest.approx(0, abs=1e-300)] * 2
    assert found[0, :2].gt(0).all()


def test_targets_without_labels() -> None:
    emissions = Emissions(torch.zeros(2, 3, 1), torch.tensor([3, 0]))
    none = torch.empty(2, 0, dtype=torch.int64)
    lengths = torch.tensor([0, 0])
    assert token_confidences(emissions, align(emissions, none, lengths), none, lengths).shape == (2, 0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
def test_a_temperature_is_above_nothing(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature="):
        confidences_of(emissions_of([3], 0), [[1]], temperature)
