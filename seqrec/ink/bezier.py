"""Bezier curves: each stroke as a few cubic curves, ten numbers a curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.formats.ink import PRESSURE
from seqrec.ink.curve_fitting import Curves, Points, fit_strokes, planar_length
from seqrec.ink.frontend import InkFrontEnd, from_end_to_end
from seqrec.ink.normalisation import InkNormalisation
from seqrec.ink.resampling import measure_strokes
from seqrec.sequence import Features

_ARC_STEP = 1.0  # arcs are measured in heights


@dataclass(frozen=True)
class _Pieces:
    """The curves of a batch and the moves of the pen between strokes, with their places among the frames."""

    points: Points
    curves: Curves
    rows: Tensor  # (K,) int64, example of each curve
    jumps: Tensor  # (K,) bool, whether a move of the lifted pen leads to the curve
    lengths: Tensor  # (B,) int64, frames

    @property
    def places(self) -> Tensor:
        """Return the frame (K,) of each curve in its row; the move to it stands before it."""
        ends = (1 + self.jumps.long()).cumsum(0)
        return ends - 1 - (self.lengths.cumsum(0) - self.lengths)[self.rows]


class BezierCurves(InkFrontEnd):
    """Front-end of Carbune et al. 2020 (arXiv 1902.10525), section 2.1.2.

    Ink is scaled as in `StrokeDeltas`. A stroke is one cubic curve x(s), y(s), t(s), unless a point lies farther than
    `tolerance` off it or its way is longer than three chords: then it is two, parted where the pen turned most, and so
    on; neighbours that one curve describes as well are joined again. Straight lines join the strokes.

    A frame is a curve: (dx, dy) from its first to its last point; the distances of its inner control points from the
    end next to them, over the chord; their angles to the chord there, in radians; the coefficients of s, s^2 and s^3
    in t(s), seconds; pen down. A straight line has distances 1/3 and angles 0; so has a dot.

    Args:
        tolerance: in heights of the writing area.
        slope, slant, height: as in `InkNormalisation`.
        normalize: as in `StrokeDeltas`.

    Raises:
        UserError: `tolerance` is not positive.
    """

    def __init__(
        self,
        tolerance: float = 0.02,
        slope: bool = False,
        slant: bool = False,
        height: bool = False,
        normalize: Literal["global", "none"] = "global",
    ) -> None:
        super().__init__(10, normalize)
        if not tolerance > 0:
            raise UserError(f"tolerance is {tolerance}; give a positive fraction of the height, such as 0.02")
        self.tolerance = tolerance
        self.ink_normalisation = InkNormalisation(slope, slant, height)

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal: curves must be fitted to be counted."""
        assert signals is not None, "the length depends on the content"
        return self._pieces(signals, signal_lengths).lengths

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the curves' numbers before normalisation."""
        pieces = self._pieces(signals, signal_lengths)
        values = pieces.points.values
        rows, places, jumps = pieces.rows, pieces.places, pieces.jumps
        result = values.new_zeros(len(signals), int(pieces.lengths.max()), self.num_features)
        result[rows, places] = _describe(pieces.curves, values)
        landing = pieces.curves.first[jumps]
        result[rows[jumps], places[jumps] - 1] = _describe_moves(values[landing] - values[landing - 1])
        return Features(result.float(), pieces.lengths)

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return the borders (B, T + 1) between frames, in points; see `InkFrontEnd`.

        A point where two curves meet counts to the second; a move of the lifted pen has no points.
        """
        assert signals is not None, "the positions depend on the content"
        pieces = self._pieces(signals, signal_lengths)
        rows, places, jumps = pieces.rows, pieces.places, pieces.jumps
        starts = (pieces.curves.first - (signal_lengths.cumsum(0) - signal_lengths)[rows]).double()
        borders = starts.new_zeros(len(signals), int(pieces.lengths.max()) + 1)
        borders[rows, places] = starts
        borders[rows[jumps], places[jumps] - 1] = starts[jumps]
        return from_end_to_end(borders, pieces.lengths, signal_lengths)

    def _pieces(self, signals: Tensor, lengths: Tensor) -> _Pieces:
        strokes = measure_strokes(self.ink_normalisation(signals, lengths), lengths, _ARC_STEP)
        valid = strokes.valid
        numbers = strokes.is_first[valid].cumsum(0)
        points = Points(strokes.points[valid][:, :PRESSURE], strokes.arcs[valid], numbers)
        row_of_point = torch.nonzero(valid)[:, 0]
        curves = fit_strokes(points, self.tolerance)
        rows = row_of_point[curves.first]
        jumps = torch.zeros_like(rows, dtype=torch.bool)
        jumps[1:] = (rows[1:] == rows[:-1]) & (numbers[curves.first[1:]] != numbers[curves.first[:-1]])
        frames = torch.zeros_like(lengths).index_add_(0, rows, 1 + jumps.long())
        return _Pieces(points, curves, rows, jumps, frames)


def _describe(curves: Curves, values: Tensor) -> Tensor:
    """Return the ten numbers (K, 10) of curves between points of `values` (M, 3)."""
    chords = values[curves.last] - values[curves.first]
    chord = planar_length(chords)
    near, far = chords / 3 + curves.bends[:, 0], -chords / 3 + curves.bends[:, 1]
    safe = torch.where(chord > 0, chord, 1.0)
    distances = [torch.where(chord > 0, planar_length(control) / safe, 1 / 3) for control in (near, far)]
    angles = [_angle(chords, near), _angle(-chords, far)]
    bend_near, bend_far = curves.bends[:, 0, 2], curves.bends[:, 1, 2]
    times = [chords[:, 2] + 3 * bend_near, 3 * bend_far - 6 * bend_near, 3 * bend_near - 3 * bend_far]
    return torch.stack([chords[:, 0], chords[:, 1], *distances, *angles, *times, torch.ones_like(chord)], dim=1)


def _describe_moves(moves: Tensor) -> Tensor:
    """Return the ten numbers of straight moves (K, 3) of the lifted pen."""
    numbers = moves.new_zeros(len(moves), 10)
    numbers[:, :2], numbers[:, 2:4], numbers[:, 6] = moves[:, :2], 1 / 3, moves[:, 2]
    return numbers


def _angle(base: Tensor, arm: Tensor) -> Tensor:
    """Return the angle (K,) from `base` to `arm`; 0 where one of them is nothing."""
    cross = base[:, 0] * arm[:, 1] - base[:, 1] * arm[:, 0]
    dot = base[:, 0] * arm[:, 0] + base[:, 1] * arm[:, 1]
    return torch.where((cross != 0) | (dot != 0), torch.atan2(cross, dot), 0.0)
