"""Linear maps of ink, against the maps they say they are."""

from __future__ import annotations

from math import log, radians, tan
from typing import Any

import numpy as np
import pytest
from ink.augmentation.samples import scribble

from seqrec.ink.augmentation.geometry import LinearMap, Rotate, Scale, Shear

SEEDS = range(200)


def matrix_of(part: Any, seed: int) -> np.ndarray:
    """Return the 2x2 matrix that maps the points of an ink, seen from their mean, to what `part` makes of them."""
    signal = scribble()
    before, after = (
        points - points.mean(axis=0)
        for points in (each.numpy()[:, :2].astype(np.float64) for each in (signal, part(signal, rng(seed))))
    )
    solution, *_ = np.linalg.lstsq(before, after, rcond=None)
    np.testing.assert_allclose(before @ solution, after, atol=1e-3)
    return solution.T


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("part", [Scale(0.5, 0.5), Rotate(30), Shear(30), LinearMap(0.2)])
def test_the_mean_of_the_points_stays(part: Any) -> None:
    signal = scribble()
    means = [each[:, :2].double().mean(dim=0).numpy() for each in (signal, part(signal, rng(0)))]
    np.testing.assert_allclose(*means, atol=1e-3)


def test_scale_stretches_along_the_axes() -> None:
    matrices = np.array([matrix_of(Scale(0.5, 0.1), seed) for seed in SEEDS])
    np.testing.assert_allclose(matrices[:, [0, 1], [1, 0]], 0, atol=1e-5)
    for factors, most in ((matrices[:, 0, 0], 0.5), (matrices[:, 1, 1], 0.1)):
        assert np.abs(np.log(factors)).max() <= log(1 + most) + 1e-5
        assert np.abs(np.log(factors)).max() > 0.95 * log(1 + most)
        assert abs(np.log(factors).mean()) < 0.15 * log(1 + most)
    assert abs(np.corrcoef(matrices[:, 0, 0], matrices[:, 1, 1])[0, 1]) < 0.2


def test_rotate_turns() -> None:
    matrices = np.array([matrix_of(Rotate(20), seed) for seed in SEEDS])
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(2), (200, 2, 2)), atol=1e-4
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-4)
    angles = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert -20.01 < angles.min() < -18
    assert 18 < angles.max() < 20.01


def test_shear_moves_along_x_as_y_says() -> None:
    matrices = np.array([matrix_of(Shear(30), seed) for seed in SEEDS])
    slants = matrices[:, 0, 1].copy()
    matrices[:, 0, 1] = 0
    np.testing.assert_allclose(matrices, np.broadcast_to(np.eye(2), (200, 2, 2)), atol=1e-4)
    assert 0.9 * tan(radians(30)) < np.abs(slants).max() < tan(radians(30)) + 1e-4


def test_a_linear_map_is_the_identity_plus_cut_normal_noise() -> None:
    noise = np.array([(matrix_of(LinearMap(0.2), seed) - np.eye(2)) / 0.2 for seed in SEEDS])
    expected = np.array([np.clip(rng(seed).standard_normal((2, 2)), -2, 2) for seed in SEEDS])
    np.testing.assert_allclose(noise, expected, atol=1e-3)
    assert np.abs(noise).max() == pytest.approx(2, abs=1e-3)
