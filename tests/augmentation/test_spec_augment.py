"""SpecAugment's blocks counted by hand, its warp against a loop over frames, and that batch-mates change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.augmentation.counter_random import splitmix64
from seqrec.augmentation.spec_augment import SpecAugment, _warped
from seqrec.sequence import Features, length_mask

SEEDS = torch.arange(400) * 104729 + 5
OPTIONS: list[dict[str, Any]] = [
    {"before_normalisation": before, "time_warp": warp, "frequency_mask_size": 8}
    for before in (False, True)
    for warp in (0, 20)
]


def batch(*lengths: int, num_features: int = 20, padding: float = 0.0) -> Features:
    generator = torch.Generator().manual_seed(1)
    values = 1 + torch.rand(len(lengths), max(lengths), num_features, generator=generator)  # nothing is 0
    valid = length_mask(torch.tensor(lengths), max(lengths))[..., None]
    return Features(values.masked_fill(~valid, padding), torch.tensor(lengths))


def runs(masked: np.ndarray) -> list[tuple[int, int]]:
    """Return starts and sizes of the runs of true values."""
    edges = np.flatnonzero(np.diff(np.pad(masked.astype(int), 1)))
    return [(int(a), int(b - a)) for a, b in edges.reshape(-1, 2)]


def masks_of(features: Features, options: dict[str, Any]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return which valid frames and which bands of each example are masked."""
    masked = SpecAugment(**options)(features, SEEDS[: len(features.lengths)]).values == 0
    zeros = [row[:length].numpy() for row, length in zip(masked, features.lengths.tolist(), strict=True)]
    return [zero.all(axis=1) for zero in zeros], [zero.all(axis=0) for zero in zeros]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("padding", [float("nan"), 1e9])
def test_alone_and_beside_garbage_are_the_same(options: dict[str, Any], padding: float) -> None:
    augment = SpecAugment(**options)
    features = batch(90, 200, 1, 2, 3, 4, 61, padding=padding)
    seeds = SEEDS[:7]
    together = augment(features, seeds)
    assert together.lengths.equal(features.lengths)
    for index, length in enumerate(features.lengths.tolist()):
        alone = Features(features.values[index : index + 1, :length], features.lengths[index : index + 1])
        expected = augment(alone, seeds[index : index + 1]).values[0]
        torch.testing.assert_close(together.values[index, :length], expected, rtol=1e-6, atol=1e-6)
        assert expected.isfinite().all()


@pytest.mark.parametrize("options", OPTIONS)
def test_padding_stays_zero_and_the_input_as_it_is(options: dict[str, Any]) -> None:
    features = batch(90, 200, 1, 61)
    before = features.values.clone()
    found = SpecAugment(**options)(features, SEEDS[:4])
    assert features.values.equal(before)
    assert not found.values[~length_mask(found.lengths, 200)].any()
    assert not found.values[0].equal(before[0])


def test_frequency_blocks_are_as_many_and_as_wide_as_said() -> None:
    features = batch(*[12] * 400)
    frames, bands = masks_of(features, {"num_frequency_masks": 1, "frequency_mask_size": 6, "num_time_masks": 0})
    assert not any(frame.any() for frame in frames)
    found = [runs(band) for band in bands]
    assert {len(each) for each in found} == {0, 1}
    assert {size for each in found for _, size in each} == {1, 2, 3, 4, 5, 6}
    assert sum(not each for each in found) == pytest.approx(400 / 7, abs=30)  # size 0 is as likely as any other
    assert {start for each in found for start, _ in each} == set(range(20))
    _, bands = masks_of(features, {"num_frequency_masks": 3, "frequency_mask_size": 6, "num_time_masks": 0})
    assert max(len(runs(band)) for band in bands) == 3
    assert max(band.sum() for band in bands) <= 18


def test_time_blocks_keep_to_the_example_and_its_share() -> None:
    lengths = [20, 100, 9, 60] * 100
    options = {"num_frequency_masks": 0, "num_time_masks": 1, "time_mask_size": 15, "max_time_share": 0.25}
    frames, bands = masks_of(batch(*lengths), options)
    assert not any(band.any() for band in bands)
    for index, greatest in enumerate([5, 15, 2, 15]):
        found = [runs(frame) for frame in frames[index::4]]
        sizes = [size for each in found for _, size in each]
        assert max(map(len, found)) == 1
        assert max(sizes) == greatest
        reaches_end = [start + size == lengths[index] for each in found for start, size in each]
        assert any(reaches_end)
        assert any(start == 0 for each in found for start, _ in each)
    frames, _ = masks_of(batch(*lengths), {**options, "num_time_masks": 2})
    assert max(len(runs(frame)) for frame in frames) == 2


def test_a_masked_value_is_its_bands_mean_before_normalisation() -> None:
    features = batch(90, 61, padding=float("nan"))
    options = {"frequency_mask_size": 8, "num_time_masks": 3}
    zeroed = SpecAugment(**options)(features, SEEDS[:2])
    meant = SpecAugment(**options, before_normalisation=True)(features, SEEDS[:2])
    for index, length in enumerate((90, 61)):
        values = features.values[index, :length]
        masked = zeroed.values[index, :length] == 0
        assert masked.any()
        expected = torch.where(masked, values.mean(dim=0).expand_as(values), values)
        torch.testing.assert_close(meant.values[index, :length], expected)


@pytest.mark.parametrize(
    "options",
    [
        {"num_frequency_masks": 0, "num_time_masks": 0},
        {"frequency_mask_size": 0, "time_mask_size": 0},
        {"frequency_mask_size": 0, "max_time_share": 0.0},
    ],
)
@pytest.mark.parametrize("before_normalisation", [False, True])
def test_no_strength_changes_nothing(options: dict[str, Any], before_normalisation: bool) -> None:
    features = batch(30, 7)
    found = SpecAugment(**options, before_normalisation=before_normalisation)(features, SEEDS[:2])
    assert found.values.equal(features.values)


def test_seeds_decide() -> None:
    augment = SpecAugment(frequency_mask_size=8)
    features = Features(batch(90).values.expand(40, -1, -1), torch.full((40,), 90))
    one, again, other = (augment(features, seeds) for seeds in (SEEDS[:40], SEEDS[:40], SEEDS[40:80]))
    assert one.values.equal(again.values)
    assert len({row.numpy().tobytes() for row in torch.cat([one.values, other.values])}) == 80


def slow_warp(ramp: Tensor, source: int, target: int) -> np.ndarray:
    """Where frames come from by NumPy's piecewise-linear map, on values that are their frames' numbers."""
    last = len(ramp) - 1
    return np.interp(np.arange(len(ramp)), [0, target, last], [0, source, last])


def test_warp_moves_one_frame_and_interpolates_between() -> None:
    lengths = torch.tensor([40, 25, 9, 4, 3, 2, 1] * 20)
    ramps = torch.arange(40.0)[None, :, None].expand(len(lengths), -1, 1)
    found = _warped(ramps, lengths, 2, splitmix64(SEEDS[: len(lengths)], 2))[..., 0]
    moves = set()
    for row, length in zip(found, lengths.tolist(), strict=True):
        ramp = row[:length]
        pairs = [(c, t) for c in range(1, length - 1) for t in range(max(1, c - 2), min(length - 2, c + 2) + 1)]
        fits = [(c, t) for c, t in pairs or [(0, 0)] if np.allclose(slow_warp(ramp, c, t), ramp, atol=1e-3)]
        assert fits, (length, ramp)
        moves |= {t - c for c, t in fits if length == 40}
    assert {-2, -1, 1, 2} <= moves
    assert found[0, 0] == 0
    assert found[0, 39] == 39


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_time_masks": -1}, "num_time_masks=-1"),
        ({"frequency_mask_size": -2}, "frequency_mask_size=-2"),
        ({"time_warp": -1}, "time_warp=-1"),
        ({"max_time_share": 1.5}, "max_time_share=1.5"),
    ],
)
def test_impossible_settings_are_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        SpecAugment(**options)
