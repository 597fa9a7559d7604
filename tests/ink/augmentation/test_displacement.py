"""Displaced points, against plain loops and the statistics they promise."""

from __future__ import annotations

from math import cos, exp, pi, sqrt

import numpy as np
import pytest
import torch
from ink.augmentation.samples import scribble

from seqrec.ink.augmentation.displacement import ElasticWarp, Jitter


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("window", [1, 4])
def test_jitter_is_a_moving_average_of_noise(window: int) -> None:
    signal = scribble(height=150.0)
    changed = Jitter(0.02, window)(signal, rng(0))
    random = rng(0)
    random.random()
    noise = random.standard_normal((len(signal) + window - 1, 2))
    for point in range(len(signal)):
        for axis in range(2):
            expected = 0.02 * 150 * sum(noise[point + i, axis] for i in range(window)) / sqrt(window)
            assert float(changed[point, axis] - signal[point, axis]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("window", [1, 5])
def test_jitter_has_its_deviation_and_window(window: int) -> None:
    signal = torch.cat([scribble(seed, height=100.0) for seed in range(60)])
    noise = (Jitter(0.05, window)(signal, rng(1)) - signal)[:, :2].numpy() / 5
    assert noise.std() == pytest.approx(1, abs=0.1)
    for lag in (1, 3, 7):
        correlation = np.mean(noise[lag:] * noise[:-lag])
        assert correlation == pytest.approx(max(0, 1 - lag / window), abs=0.12)


def test_elastic_warp_is_a_sum_of_waves() -> None:
    signal = scribble(height=150.0)
    changed = ElasticWarp(0.1, 0.5)(signal, rng(0))
    random = rng(0)
    random.random()
    directions, phases = random.standard_normal((2, 16)), random.uniform(0, 2 * pi, 16)
    sizes = random.standard_normal((16, 2))
    for point in range(len(signal)):
        x, y = ((float(signal[point, axis]) - float(signal[0, axis])) / (0.5 * 150) for axis in range(2))
        for axis in range(2):
            waves = [sizes[k, axis] * cos(x * directions[0, k] + y * directions[1, k] + phases[k]) for k in range(16)]
            moved = float(changed[point, axis] - signal[point, axis])
            assert moved == pytest.approx(0.1 * 150 * sqrt(2 / 16) * sum(waves), abs=2e-3)


def test_elastic_warp_is_smooth_normal_noise() -> None:
    distances = np.array([0.0, 0.25, 0.5, 1.0, 3.0])  # of the writing height
    signal = torch.zeros(len(distances), 6)
    signal[:, 0], signal[:, 5] = torch.from_numpy(100 * distances), 100.0
    fields = np.array([(ElasticWarp(0.1, 0.5)(signal, rng(seed)) - signal)[:, :2].numpy() for seed in range(2000)])
    fields /= 0.1 * 100  # (inks, points, axes)
    assert np.abs(fields.mean(axis=0)).max() < 0.1
    np.testing.assert_allclose(fields.std(axis=0), 1, atol=0.08)
    found = (fields * fields[:, :1]).mean(axis=(0, 2))
    np.testing.assert_allclose(found, [exp(-((d / 0.5) ** 2) / 2) for d in distances], atol=0.08)
    assert abs((fields[..., 0] * fields[..., 1]).mean()) < 0.05  # x and y on their own
    fourth = (fields**4).mean()
    assert fourth == pytest.approx(3, abs=0.6)  # as a normal variable's


@pytest.mark.parametrize("part", [Jitter(0.1, probability=0.3), ElasticWarp(0.1, probability=0.3)])
def test_some_ink_stays_as_it_is(part: Jitter | ElasticWarp) -> None:
    signal = scribble(height=100.0)
    changed = [not torch.equal(part(signal, rng(seed)), signal) for seed in range(300)]
    assert 0.2 < np.mean(changed) < 0.4
