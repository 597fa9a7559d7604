"""Deltas against the formula in loops and torchaudio's, and that the padding is not looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqrec.sequence import Features
from seqrec.speech.feature_deltas import stack_deltas
from seqrec.speech.portable_torchaudio import torchaudio

LENGTHS = [30, 1, 2, 3, 5, 17]


def batch(padding: float = 0.0) -> Features:
    values = torch.randn(len(LENGTHS), max(LENGTHS), 3, generator=torch.Generator().manual_seed(0))
    for row, length in zip(values, LENGTHS, strict=True):
        row[length:] = padding
    return Features(values, torch.tensor(LENGTHS))


def slow_deltas(values: np.ndarray) -> np.ndarray:
    """HTK book 3.4, equation 5.16, frame by frame."""
    last = len(values) - 1
    rows = []
    for t in range(len(values)):
        terms = [k * (values[min(t + k, last)] - values[max(t - k, 0)]) for k in (1, 2)]
        rows.append((terms[0] + terms[1]) / 10)
    return np.array(rows)


@pytest.mark.parametrize("padding", [0.0, 1e9, float("nan")])
def test_equal_to_the_formula_whatever_the_padding(padding: float) -> None:
    features = batch(padding)
    found = stack_deltas(features, 2)
    assert found.values.shape == (6, 30, 9)
    assert found.lengths.tolist() == LENGTHS
    for index, length in enumerate(LENGTHS):
        static = features.values[index, :length].double().numpy()
        first = slow_deltas(static)
        expected = np.concatenate([static, first, slow_deltas(first)], axis=1)
        np.testing.assert_allclose(found.values[index, :length].numpy(), expected, atol=1e-6)


def test_equal_to_torchaudio() -> None:
    values = batch().values[:1]  # without padding
    theirs = torchaudio.functional.compute_deltas(values.transpose(1, 2), win_length=5).transpose(1, 2)
    torch.testing.assert_close(stack_deltas(Features(values, torch.tensor([30])), 1).values[..., 3:], theirs)


def test_the_slope_of_a_line_is_its_delta() -> None:
    line = 0.7 * torch.arange(9.0)[None, :, None]
    found = stack_deltas(Features(line, torch.tensor([9])), 2).values[0]
    torch.testing.assert_close(found[2:-2, 1], torch.full((5,), 0.7))
    torch.testing.assert_close(found[4, 2], torch.tensor(0.0), atol=1e-6, rtol=0)


def test_none_leaves_the_features() -> None:
    assert stack_deltas(batch(), 0).values.equal(batch().values)
