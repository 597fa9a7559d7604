"""Pictures of our pages, as SVG drawn by Matplotlib (the extra `report`)."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from warnings import catch_warnings, filterwarnings

from seqrec.errors import UserError
from seqrec.report.page import visible

BLUE, ORANGE, GREEN, RED, GREY = "#2f6db3", "#e08e2b", "#3c9a5f", "#c43c3c", "#d9dde3"
_STYLE: Any = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a929c",
    "axes.labelcolor": "#3b424b",
    "xtick.color": "#3b424b",
    "ytick.color": "#3b424b",
    "svg.fonttype": "none",  # the reader's machine has letters for every script, Matplotlib has not
    "svg.hashsalt": "seqrec",  # the same picture is the same bytes
}


def has_matplotlib() -> bool:
    """Tell whether pictures can be drawn."""
    return find_spec("matplotlib") is not None


def need_matplotlib(what: str) -> None:
    """Refuse to go on without Matplotlib; `what` asks for it.

    Raises:
        UserError: it is not installed.
    """
    if not has_matplotlib():
        raise UserError(f"{what} draws with Matplotlib, which is not installed; pip install 'seqrec[report]'")


def draw_svg(draw: Callable[[Any], None], width: float, height: float) -> str:
    """Return an SVG of `width` x `height` inches of what `draw` puts into Matplotlib's axes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE), catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing")  # only measured here, drawn by the browser
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def add_legend(axes: Any) -> None:
    """Name the curves above the axes, where nothing is drawn."""
    axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)


def drawn_text(text: str) -> str:
    """Return text from outside as Matplotlib draws it letter by letter: dollars would begin mathematics."""
    return visible(text).replace("$", r"\$")
