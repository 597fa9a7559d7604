"""The pictures of a check's page, as SVG drawn by Matplotlib (the extra `report`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.report.pictures import BLUE, GREEN, GREY, ORANGE, add_legend, draw_svg

if TYPE_CHECKING:
    from torch import Tensor

    from seqrec.check.feasibility import Padding
    from seqrec.parts import Reader

COLOURS = {"train": BLUE, "dev": ORANGE, "test": GREEN}
_BINS = 50
_STRETCH = 2.0  # times the 99th percentile, what an axis may reach


def histogram(values: Mapping[str, np.ndarray], label: str) -> str:
    """Draw the distribution of each split's values in shares of the split; one axis for all.

    A few values far above all others stand in the last bar, lest they squeeze the others together.
    """
    values = {name: numbers for name, numbers in values.items() if len(numbers)}
    everything = np.concatenate(list(values.values()))
    top = _STRETCH * np.quantile(everything, 0.99)
    if top < everything.max():
        label += "; the last bar holds all above"
        everything = np.minimum(everything, everything.dtype.type(top))
    edges = _edges(everything)

    def draw(axes: Any) -> None:
        for name, numbers in values.items():
            shares = np.histogram(np.minimum(numbers, edges[-1]), edges)[0] / len(numbers)
            colour = COLOURS.get(name, BLUE)
            axes.stairs(100 * shares, edges, fill=True, color=colour, alpha=0.18)
            axes.stairs(100 * shares, edges, color=colour, linewidth=1.4, label=name)
        axes.set_xlabel(label)
        axes.set_ylabel("% of examples")
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="x", integer=np.issubdtype(everything.dtype, np.integer))
        if len(values) > 1:
            add_legend(axes)

    return draw_svg(draw, 5.6, 2.5)


def _edges(values: np.ndarray) -> np.ndarray:
    least, most = float(values.min()), float(values.max())
    if np.issubdtype(values.dtype, np.integer) and most - least < _BINS:
        return np.arange(least - 0.5, most + 1)
    return np.histogram_bin_edges(values, _BINS)


def padding_picture(padding: Padding) -> str:
    """Draw what of each batch is frames and what is padding, longest examples first."""

    def draw(axes: Any) -> None:
        edges = np.arange(len(padding.real) + 1)
        axes.stairs(padding.padded, edges, fill=True, color=GREY, label="padding")
        axes.stairs(padding.real, edges, fill=True, color=BLUE, label="frames")
        axes.set_xlabel("batches, the longest examples first")
        axes.set_ylabel("frames")
        axes.set_ylim(bottom=0)
        add_legend(axes)

    return draw_svg(draw, 5.6, 2.5)


def example_picture(reader: Reader, signal: Tensor) -> str:
    """Draw an example as its reader draws it."""
    return draw_svg(lambda axes: reader.draw(signal, axes), 5.6, 1.9)
