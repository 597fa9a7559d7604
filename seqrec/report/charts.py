"""The charts of an evaluation's page."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from seqrec.metrics.breakdown import Part
from seqrec.metrics.calibration import ReliabilityBin
from seqrec.metrics.scored import ScoredExample
from seqrec.metrics.wording import value_name
from seqrec.report.pictures import BLUE, GREEN, GREY, ORANGE, add_legend, draw_svg, drawn_text

_WIDTH, _HEIGHT = 5.6, 2.6  # inches
_MOST_ERRORS = 10  # that have a bar of their own
_NAME_LENGTH = 18  # characters


def rate_bars(parts: Sequence[Part], label: str) -> str:
    """Draw WER and CER of each part, in the order given."""

    def draw(axes: Any) -> None:
        places = np.arange(len(parts))
        for shift, colour, name in ((-0.2, BLUE, "WER"), (0.2, ORANGE, "CER")):
            rates = [getattr(part.rates, name.lower()) for part in parts]
            rates = [rate if isfinite(rate) else 0.0 for rate in rates]  # no bar; the table says ∞
            axes.bar(places + shift, 100 * np.array(rates), 0.38, color=colour, label=name)
        names = [_short(part.name) for part in parts]
        slanted = max(map(len, names)) * len(names) > 72
        axes.set_xticks(places, names, rotation=60 if slanted else 0, ha="right" if slanted else "center")
        axes.set_xlabel(label)
        axes.set_ylabel("%")
        add_legend(axes)

    return draw_svg(draw, _WIDTH, _HEIGHT)


def _short(name: str | None) -> str:
    name = value_name(name)
    shown = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
    return drawn_text(shown)


def error_bars(scored: Sequence[ScoredExample]) -> str:
    """Draw the share of examples by their number of character errors."""
    errors = np.array([min(one.characters.errors, _MOST_ERRORS) for one in scored])
    shares = 100 * np.bincount(errors, minlength=_MOST_ERRORS + 1) / len(errors)

    def draw(axes: Any) -> None:
        places = np.arange(len(shares))
        axes.bar(places, shares, 0.75, color=[GREEN, *[BLUE] * (len(shares) - 1)])
        axes.set_xticks(places, [*map(str, places[:-1]), f"{_MOST_ERRORS}+"])
        axes.set_xlabel("wrong characters")
        axes.set_ylabel("% of examples")

    return draw_svg(draw, _WIDTH, _HEIGHT)


def reliability_diagram(characters: Sequence[ReliabilityBin], words: Sequence[ReliabilityBin]) -> str:
    """Draw how often characters and words of some confidence are right; on the grey line it is what they say."""

    def draw(axes: Any) -> None:
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=1.2)
        for bins, colour, name in ((characters, BLUE, "characters"), (words, ORANGE, "words")):
            points = [(100 * one.confidence, 100 * one.accuracy, one.count) for one in bins if one.count]
            if points:
                confidences, accuracies, counts = np.array(points).T
                axes.plot(confidences, accuracies, color=colour, linewidth=1.0, alpha=0.6)
                axes.scatter(confidences, accuracies, 8 + 60 * counts / counts.max(), color=colour, label=name)
        axes.set_xlim(0, 102)
        axes.set_ylim(0, 104)
        axes.set_xlabel("confidence, %")
        axes.set_ylabel("right, %")
        add_legend(axes)

    return draw_svg(draw, _WIDTH, _HEIGHT)
