"""Drawings of examples whose recognised characters are coloured where they lie in the signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.formats.ink import STROKE, X, Y
from seqrec.report.pictures import draw_svg, drawn_text
from seqrec.transcript import Span

if TYPE_CHECKING:
    from torch import Tensor

    from seqrec.parts import Reader

COLOURS = ("#2f6db3", "#d9772b", "#2f9560", "#a14fb0", "#c23b4b", "#7d6a2c")  # one after the other, then anew
_NO_CHARACTER = "#b4bbc3"
_WIDTH = 5.6  # inches
_MOST_SECONDS, _MOST_POINTS = 60, 20_000  # of a drawing: the page is to stay small
_MOST_LABELS = 90  # characters that can be told apart in the width of a drawing


def is_drawable(reader: Reader, signal: Tensor) -> bool:
    """Tell whether a signal (N, C) is short enough to be drawn."""
    sample_rate = getattr(reader, "sample_rate", None)
    return len(signal) <= (_MOST_SECONDS * sample_rate if sample_rate else _MOST_POINTS)


def example_drawing(reader: Reader, signal: Tensor, characters: Sequence[Span]) -> str:
    """Return an SVG of a signal (N, C): what has a sample rate over time, ink with coloured points, others plain."""
    sample_rate = getattr(reader, "sample_rate", None)

    def draw(axes: Any) -> None:
        if reader.length_unit == "points" and characters:
            _draw_coloured_ink(signal.numpy(), characters, axes)
            return
        reader.draw(signal, axes)
        if sample_rate and characters:
            _draw_strip(characters, sample_rate, axes)

    return draw_svg(draw, _WIDTH, 2.1)


def _draw_coloured_ink(points: np.ndarray, characters: Sequence[Span], axes: Any) -> None:
    """Draw the strokes of points (N, 6), y downwards, each line in the colour of the character it begins in."""
    from matplotlib.collections import LineCollection

    colours = np.full(len(points), _NO_CHARACTER, dtype=object)
    for number, span in enumerate(characters):
        colours[span.start : span.end] = COLOURS[number % len(COLOURS)]
    places = points[:, [X, Y]].astype(np.float64)
    inside = np.flatnonzero(np.diff(points[:, STROKE]) == 0)  # lines within a stroke
    lines = np.stack([places[inside], places[inside + 1]], axis=1)  # (lines, 2, 2)
    axes.add_collection(LineCollection(list(lines), colors=list(colours[inside]), linewidths=1.8, capstyle="round"))
    alone = np.flatnonzero(np.bincount(np.unique(points[:, STROKE], return_inverse=True)[1]) == 1)
    dots = np.isin(np.unique(points[:, STROKE], return_inverse=True)[1], alone)
    axes.scatter(*places[dots].T, s=5, c=list(colours[dots]))
    axes.update_datalim(places)
    axes.autoscale_view()
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()
    axes.set_axis_off()


def _draw_strip(characters: Sequence[Span], sample_rate: float, axes: Any) -> None:
    """Draw above the axes, over seconds, a box for each character, with its text where there is room."""
    transform = axes.get_xaxis_transform()  # x in seconds, y in shares of the axes
    for number, span in enumerate(characters):
        start, end = span.start / sample_rate, max(span.end, span.start + 1) / sample_rate
        colour = COLOURS[number % len(COLOURS)]
        axes.axvspan(start, end, 1.0, 1.14, color=colour, clip_on=False, linewidth=0)
        axes.axvline(start, color="white", linewidth=0.5, alpha=0.6)
        if len(characters) <= _MOST_LABELS:
            text = drawn_text(span.text)
            axes.text((start + end) / 2, 1.17, text, transform=transform, ha="center", va="bottom", color=colour)
