"""Online ink: strokes of points, and the signal they make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from numbers import Real
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Columns of a signal (N, 6); the first four are those of a stroke (n, 4).
X, Y, TIME, PRESSURE, STROKE, HEIGHT = range(6)
NUM_CHANNELS = 6

_NAMES = ("x", "y", "t", "pressure")
_LARGEST = 1e30  # differences of such values still fit float32
_SMALLEST_HEIGHT = (
    0.01  # of the ink's extent: a height below it is in other units than y, and would make endless frames
)


@dataclass(frozen=True, eq=False)
class Ink:
    """What a pen wrote, in the order it was written; `from_strokes` makes one from outside data.

    Raises:
        UserError: there is no point, or the height is no positive number in the units of y.
    """

    strokes: tuple[
        np.ndarray, ...
    ]  # each (n, 4) float64, n >= 1: x, y (downwards), t in seconds, pressure; NaN: unknown
    height: float | None = None  # of the writing area, in the units of y, when known

    def __post_init__(self) -> None:
        if not self.strokes:
            raise UserError("the ink has no point; give at least one stroke of one point, or drop it")
        if self.height is not None:
            _check_height(self.height, _extent(self.strokes))

    @property
    def num_points(self) -> int:
        """How many points the strokes hold together."""
        return sum(len(stroke) for stroke in self.strokes)

    @classmethod
    def from_strokes(cls, strokes: Sequence[Any], height: float | None = None) -> Ink:
        """Return the ink of `strokes`, checked.

        Times may decrease, as devices jitter. A stroke without points holds nothing and is left out.

        Args:
            strokes: each a list of points [x, y, t, pressure], or an array (n, 2..4) of them. Time (seconds) and
                pressure may be left out by every point of the ink; None or NaN stands for a single unknown one.
            height: of the writing area, in the units of y.

        Raises:
            UserError: a stroke or a point is malformed (named by its number, from 1), or see `Ink`.
        """
        if not isinstance(strokes, (list, tuple)):
            raise UserError(f"strokes is {short_repr(strokes)}, not a list of strokes; give [[[x, y], ...], ...]")
        arrays = [_read_stroke(stroke, number) for number, stroke in enumerate(strokes, 1)]
        _check_same_width(arrays)
        return cls(tuple(_with_all_columns(points) for points in arrays if len(points)), height)

    def to_signal(self) -> np.ndarray:
        """Return (N, 6) float32: x and y from the first point on, t from the first known time on, pressure, the number
        of the stroke from 0, and the height of the writing area (NaN: unknown) in every row.
        """
        points = np.concatenate(self.strokes)  # S times (n, 4) -> (N, 4)
        # While still float64: float32 holds neither epoch times nor far-off coordinates.
        points[:, [X, Y]] -= points[0, [X, Y]]
        known = points[~np.isnan(points[:, TIME]), TIME]
        points[:, TIME] -= known[0] if len(known) else 0.0
        numbers = np.repeat(np.arange(len(self.strokes)), [len(stroke) for stroke in self.strokes])
        heights = np.full(len(points), math.nan if self.height is None else self.height)
        return np.column_stack([points, numbers, heights]).astype(np.float32)  # (N, 4) -> (N, 6)


def _read_stroke(stroke: Any, number: int) -> np.ndarray:
    """Return the points (n, 2..4) of a stroke."""
    if isinstance(stroke, np.ndarray):
        if stroke.ndim != 2 or not 2 <= stroke.shape[1] <= 4 or stroke.dtype.kind not in "iuf":
            raise UserError(f"stroke {number} is a {stroke.dtype} array of {stroke.shape}; give numbers of (n, 2..4)")
        points = stroke.astype(np.float64)
    elif isinstance(stroke, (list, tuple)):
        points = _read_points(stroke, number)
    else:
        raise UserError(f"stroke {number} is {short_repr(stroke)}, not a list of points; give [[x, y], ...]")
    _check_finite(points, number)
    return points


def _read_points(stroke: Sequence[Any], number: int) -> np.ndarray:
    points = _read_plain_points(stroke)
    return _read_points_one_by_one(stroke, number) if points is None else points


def _read_plain_points(stroke: Sequence[Any]) -> np.ndarray | None:
    """Return the points (n, 2..4) of lists of equally many floats or ints, many times as fast; None for all else."""
    if not set(map(type, stroke)) <= {list, tuple}:
        return None
    widths = set(map(len, stroke))
    values = list(chain.from_iterable(stroke))
    if len(widths) != 1 or not widths <= {2, 3, 4} or not set(map(type, values)) <= {float, int}:
        return None
    try:
        return np.array(values, dtype=np.float64).reshape(len(stroke), -1)
    except OverflowError:  # an int of hundreds of digits
        return None


def _read_points_one_by_one(stroke: Sequence[Any], number: int) -> np.ndarray:
    rows = [_read_point(point, f"stroke {number}, point {index}") for index, point in enumerate(stroke, 1)]
    for index, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise UserError(
                f"stroke {number}, point {index} has {len(row)} numbers and point 1 has {len(rows[0])}; "
                "give every point the same, null for an unknown time or pressure"
            )
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1 if rows else 0)


def _read_point(point: Any, where: str) -> list[float]:
    if not isinstance(point, (list, tuple)) or not 2 <= len(point) <= 4:
        raise UserError(f"{where} is {short_repr(point)}; give [x, y], [x, y, t] or [x, y, t, pressure]")
    return [_read_number(value, column, where) for column, value in enumerate(point)]


def _read_number(value: Any, column: int, where: str) -> float:
    if value is None and column in (TIME, PRESSURE):
        return math.nan
    if not _is_number(value):
        raise UserError(f"{where}: {_NAMES[column]} is {short_repr(value)}, not a number; mend it or drop the point")
    return _to_float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _to_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an int of hundreds of digits
        return math.inf


def _check_finite(points: np.ndarray, number: int) -> None:
    wrong = ~(np.abs(points) <= _LARGEST)
    wrong[:, TIME:] &= ~np.isnan(points[:, TIME:])
    if wrong.any():
        index, column = np.argwhere(wrong)[0]
        raise UserError(
            f"stroke {number}, point {index + 1}: {_NAMES[column]} is {points[index, column]}, "
            f"not a finite number under {_LARGEST:g}; mend it or drop the point"
        )


def _check_same_width(arrays: Sequence[np.ndarray]) -> None:
    widths = [(number, points.shape[1]) for number, points in enumerate(arrays, 1) if len(points)]
    for number, width in widths:
        if width != widths[0][1]:
            raise UserError(
                f"stroke {number} has {width} numbers a point and stroke {widths[0][0]} has {widths[0][1]}; "
                "give every point the same, null for an unknown time or pressure"
            )


def _with_all_columns(points: np.ndarray) -> np.ndarray:
    filled = np.full((len(points), len(_NAMES)), math.nan)
    filled[:, : points.shape[1]] = points  # (n, 2..4) -> (n, 4)
    return filled


def _extent(strokes: Sequence[np.ndarray]) -> float:
    """Return the larger of the ranges of x and y."""
    return float(np.ptp(np.concatenate(strokes)[:, [X, Y]], axis=0).max())


def _check_height(height: Any, extent: float) -> None:
    if not _is_number(height) or not 0 < _to_float(height) <= _LARGEST:
        raise UserError(f"height is {short_repr(height)}, not a positive number; mend it or leave it out")
    if height < _SMALLEST_HEIGHT * extent:
        raise UserError(
            f"height is {height:g}, under {_SMALLEST_HEIGHT:g} of the ink's extent {extent:g}; "
            "give it in the units of y or leave it out"
        )
