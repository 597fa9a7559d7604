"""The height of ink, as augmentations and as front-ends measure it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqrec.ink.resampling import height_scale
from seqrec.ink.writing_height import writing_height


def signal(points: list[list[float]], height: float) -> np.ndarray:
    columns = np.zeros((len(points), 6), np.float32)
    columns[:, :2], columns[:, 5] = points, height
    return columns


def scale(columns: np.ndarray) -> float:
    points = torch.from_numpy(columns)[None].double()
    return float(height_scale(points, torch.ones(points.shape[:2], dtype=torch.bool)))


@pytest.mark.parametrize(
    ("points", "height", "expected"),
    [
        ([[0, 0], [30, 10]], np.nan, 12.0),
        ([[0, 0], [30, 10]], 50.0, 50.0),
        ([[0, 0], [1000, 0]], np.nan, 12.0),
        ([[7, 7]], 50.0, 50.0),
    ],
)
def test_both_agree(points: list[list[float]], height: float, expected: float) -> None:
    columns = signal(points, height)
    assert writing_height(columns) == pytest.approx(expected)
    assert scale(columns) == pytest.approx(expected)


def test_a_dot_has_no_height_and_is_not_scaled() -> None:
    columns = signal([[7, 7]], np.nan)
    assert writing_height(columns) == 0.0
    assert scale(columns) == 1.0
