"""Stroke deltas in NumPy: what `seqrec.ink.deltas.StrokeDeltas` computes, of one ink at a time and without torch.

Arc lengths are the same whole numbers of 2^-32 steps, so that every frame falls where it does in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import repr as short_repr
from typing import Any

import numpy as np

from seqrec.errors import UserError
from seqrec.exported.inputs import InkFeatures
from seqrec.formats.ink import HEIGHT, PRESSURE, STROKE, TIME, X, Y

_MARGIN = 1.2  # writing-area height over the ink's y-range, where only the latter is known
_FLATTEST = 0.01  # y-range over x-range counts as at least this
_STEP_UNITS = 1 << 32
_SLIVER = _STEP_UNITS // 1000  # a last spacing below it is a rounding error
_FINEST, _COARSEST = 1e-6, 1e6  # steps, in heights of the writing area
_MOST_FRAMES = 1_000_000  # of an ink; an hour of writing has a tenth
_CORRECTIONS = ("slope", "slant", "height")


class StrokeDeltaFeatures:
    """The front-end of Carbune et al. 2020 (arXiv 1902.10525), section 2.1.1.

    Args:
        options: of the run's front-end, as its config holds them.
        mean: (F,) of each feature over the training data; None where the run does not normalise, and
        deviation: (F,).
        where: the model, for messages.

    Raises:
        UserError: it is another front-end, or has options that are only computed by torch.
    """

    def __init__(
        self, options: Mapping[str, Any], mean: np.ndarray | None, deviation: np.ndarray | None, where: str
    ) -> None:
        _check(options, mean is not None, where)
        self.step = float(options["step"])
        self.time = options["time"]
        self.num_features = 5 if self.time else 3
        if mean is not None and len(mean) != self.num_features:
            raise UserError(f"{where}: normalises {len(mean)} features of {self.num_features}; export it again")
        self._mean, self._deviation = mean, deviation

    def __call__(self, signal: np.ndarray) -> InkFeatures:
        """Return the features of a signal (N, 6), as of `Ink.to_signal`, and where in it their frames lie.

        Raises:
            UserError: the ink has no end.
        """
        points = _normalise(signal.astype(np.float64))
        frames, places, is_start = _resample(points, signal[:, STROKE], self.step)
        values = self._differences(frames, is_start).astype(np.float32)
        values = values if self._mean is None else (values - self._mean) / self._deviation
        return InkFeatures(values, _borders(places, is_start, len(signal)), signal)

    def _differences(self, frames: np.ndarray, is_start: np.ndarray) -> np.ndarray:
        """(T, 4) -> (T, F)."""
        deltas = np.diff(frames[:, :PRESSURE], axis=0, prepend=0.0)  # the first is the difference to the origin
        if not self.time:
            return np.column_stack([deltas[:, :TIME], is_start])
        return np.column_stack([deltas, ~(frames[:, PRESSURE] <= 0), is_start])  # not `> 0`: NaN is unknown


def _check(options: Mapping[str, Any], has_statistics: bool, where: str) -> None:
    if options.get("_target_") != "seqrec.ink.deltas.StrokeDeltas":
        raise UserError(
            f"{where}: its front-end {short_repr(options.get('_target_'))} stands beside the graph, and without torch "
            "only stroke deltas are computed; transcribe with the run and --engine onnx"
        )
    for name in _CORRECTIONS:
        if options.get(name):
            raise UserError(
                f"{where}: frontend.{name} is set, which needs torch; transcribe with the run and --engine onnx"
            )
    step, time = options.get("step"), options.get("time")
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not _FINEST < step < _COARSEST:
        raise UserError(f"{where}: frontend.step={short_repr(step)} is no step of a stroke; export it again")
    if not isinstance(time, bool):
        raise UserError(f"{where}: frontend.time={short_repr(time)} is neither true nor false; export it again")
    if options.get("normalize") not in ("global", "none") or has_statistics != (options["normalize"] == "global"):
        raise UserError(
            f"{where}: frontend.normalize={short_repr(options.get('normalize'))} does not fit its metadata, which has "
            f"{'a' if has_statistics else 'no'} `normalisation`; export it again"
        )


def _normalise(signal: np.ndarray) -> np.ndarray:
    """(N, 6) -> (N, 4): x from the first point, y from the least, both over the height; elapsed time; pressure."""
    x, y, height = signal[:, X], signal[:, Y], signal[0, HEIGHT]
    scale = height if height > 0 else _MARGIN * max(np.ptp(y), _FLATTEST * np.ptp(x))  # NaN > 0 is false
    scale = scale if scale > 0 else 1.0
    return np.column_stack([(x - x[0]) / scale, (y - y.min()) / scale, _elapsed(signal[:, TIME]), signal[:, PRESSURE]])


def _elapsed(time: np.ndarray) -> np.ndarray:
    """Return the seconds (N,) since the first known time; an unknown time is the last known one."""
    known = ~np.isnan(time)
    if not known.any():
        return np.zeros(len(time))
    latest = np.maximum.accumulate(np.where(known, np.arange(len(time)), known.argmax()))
    return time[latest] - time[known.argmax()]


def _resample(points: np.ndarray, strokes: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (T, 4) at equal arc length along each stroke of the points (N, 4).

    With them, where they lie among these, with fractions, and which begin a stroke. A stroke keeps its first and its
    last point; between them points come every `step` of the height.
    """
    is_first = np.append(True, strokes[1:] != strokes[:-1])
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(points)) - 1
    arcs = _arc_lengths(points, is_first, step)
    counts = 1 + (arcs[last] - arcs[first] - _SLIVER + _STEP_UNITS - 1) // _STEP_UNITS  # frames of each stroke
    stroke = np.repeat(np.arange(len(first)), counts)
    index = np.arange(len(stroke)) - np.repeat(np.cumsum(counts) - counts, counts)  # of the frame in its stroke
    is_end = (index > 0) & (index == counts[stroke] - 1)
    targets = np.where(is_end, arcs[last[stroke]], arcs[first[stroke]] + index * _STEP_UNITS)
    left = np.minimum(np.searchsorted(arcs, targets, side="right") - 1, last[stroke])
    left = np.where(index == 0, first[stroke], left)  # not the last of equal points, whose time is later
    right = np.minimum(left + 1, last[stroke])
    span = (arcs[right] - arcs[left]).astype(np.float64)
    weight = (targets - arcs[left]) / np.where(span == 0, 1.0, span)
    frames = points[left] + weight[:, None] * (points[right] - points[left])
    return frames, left + weight * (right - left), index == 0


def _borders(places: np.ndarray, is_start: np.ndarray, length: int) -> np.ndarray:
    """Return the borders (T + 1,) of frames at `places`: halfway between two, but strokes begin with their points."""
    middles = (places[1:] + places[:-1]) / 2
    return np.concatenate([[0.0], np.where(is_start[1:], places[1:], middles), [float(length)]])


def _arc_lengths(points: np.ndarray, is_first: np.ndarray, step: float) -> np.ndarray:
    """Return the arc length (N,) int64 from the first point, in 2^-32 steps, pen-up moves left out."""
    dx, dy = np.diff(points[:, [X, Y]], axis=0, prepend=points[:1, [X, Y]]).T
    segments = np.where(is_first, 0.0, np.sqrt(dx * dx + dy * dy))
    if not segments.sum() / step + len(points) < _MOST_FRAMES:
        raise UserError(f"the ink makes over {_MOST_FRAMES:,} frames; split it, or look for a point gone astray")
    return np.cumsum(np.round(segments * (_STEP_UNITS / step)).astype(np.int64))
