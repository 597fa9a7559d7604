"""Inks joined to a line, against where their words must stand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from ink.augmentation.samples import INKS, of_points, scribble

from seqrec.formats.ink import HEIGHT, PRESSURE, STROKE, TIME, X, Y
from seqrec.ink.joining import JoinInks


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def cut(line: torch.Tensor, words: list[torch.Tensor]) -> list[np.ndarray]:
    """Return the points of each word of `line`."""
    assert len(line) == sum(map(len, words))
    return np.split(line.double().numpy(), np.cumsum([len(word) for word in words])[:-1])


def test_two_words_by_hand() -> None:
    first = of_points([[0, 0, 0.0], [10, 100, 0.5]], [[30, 50, 0.7]])
    second = of_points([[0, 0, 5.0], [-20, 40, 5.2], [0, 20, 5.3]])
    line = JoinInks(min_gap=0.5, max_gap=0.5, max_pause_seconds=0.0)([first, second], rng()).numpy()
    gap = 0.5 * np.median([1.2 * 100, 1.2 * 40])
    assert line[:, X].tolist() == [0, 10, 30, 50 + gap, 30 + gap, 50 + gap]
    assert line[:, Y].tolist() == [0, 100, 50, 30, 70, 50]  # medians 50 and 20
    np.testing.assert_allclose(line[:, TIME], [0, 0.5, 0.7, 0.7, 0.9, 1.0], atol=1e-6)
    assert line[:, STROKE].tolist() == [0, 0, 1, 2, 2, 2]
    assert np.isnan(line[:, [PRESSURE, HEIGHT]]).all()


@pytest.mark.parametrize("seed", range(5))
def test_words_keep_their_shape_and_stand_on_one_line(seed: int) -> None:
    words = [scribble(4 * seed + number, num_strokes=2 + number) for number in range(4)]
    before = [word.clone() for word in words]
    parts = cut(JoinInks()(words, rng(seed)), words)
    heights = [1.2 * np.ptp(part[:, Y]) for part in parts]
    for word, part in zip(words, parts, strict=True):
        for column in (X, Y, TIME, STROKE):
            moved = part[:, column] - word[:, column].double().numpy()
            np.testing.assert_allclose(moved, moved[0], atol=1e-3)
        assert np.median(part[:, Y]) == pytest.approx(np.median(parts[0][:, Y]), abs=1e-3)
    for left, right in pairwise(parts):
        gap = (right[:, X].min() - left[:, X].max()) / np.median(heights)
        assert 0.2 - 1e-4 <= gap <= 0.9 + 1e-4
        assert -1e-5 <= right[0, TIME] - left[-1, TIME] <= 0.3 + 1e-5
        assert right[0, STROKE] == left[-1, STROKE] + 1
    assert all(torch.equal(a.nan_to_num(0), b.nan_to_num(0)) for a, b in zip(words, before, strict=True))


def test_gaps_and_pauses_are_spread_over_their_range() -> None:
    word = of_points([[0, 0, 0.0], [10, 100, 0.5]])
    lines = [JoinInks(min_gap=0.1, max_gap=0.6, max_pause_seconds=1.0)([word, word], rng(seed)) for seed in range(300)]
    gaps = np.array([float(line[2, X] - line[1, X]) / 120 for line in lines])
    pauses = np.array([float(line[2, TIME] - line[1, TIME]) for line in lines])
    assert np.histogram(gaps, bins=5, range=(0.0999, 0.6001))[0].min() > 35
    assert np.histogram(pauses, bins=5, range=(-1e-6, 1.0))[0].min() > 35


@pytest.mark.parametrize(
    ("heights", "expected"), [([100.0, 150.0], 150.0), ([100.0, None], None), ([None, 100.0], None)]
)
def test_the_line_has_one_height_or_none(heights: list[float | None], expected: float | None) -> None:
    line = JoinInks()([scribble(seed, height=height) for seed, height in enumerate(heights)], rng())
    found = line[:, HEIGHT].numpy()
    assert np.isnan(found).all() if expected is None else (found == expected).all()


def test_unknown_times_stay_unknown() -> None:
    timed, untimed = scribble(0), scribble(1, times=False)
    for words in ([timed, untimed], [untimed, timed], [untimed, untimed], [INKS["with some times"], timed]):
        line = JoinInks()(words, rng())
        assert torch.equal(line[:, TIME].isnan(), torch.cat([word[:, TIME].isnan() for word in words]))


def test_any_ink_can_be_joined_the_same_twice() -> None:
    words = list(INKS.values())
    first, second = (JoinInks()(words, rng(7)) for _ in range(2))
    assert torch.equal(first.nan_to_num(-7), second.nan_to_num(-7))
    assert first[:, [X, Y]].isfinite().all()
    assert first.dtype == torch.float32
    assert set(first[:, STROKE].diff().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_words": 1}, "max_words=1"),
        ({"probability": 1.5}, "probability=1.5"),
        ({"min_gap": 2.0}, "min_gap=2.0, max_gap=0.9"),
        ({"max_pause_seconds": -1.0}, "max_pause_seconds=-1.0"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        JoinInks(**options)
