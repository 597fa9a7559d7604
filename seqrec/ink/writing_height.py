"""How high an ink is written, the measure of what is done to training ink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqrec.formats.ink import HEIGHT, X, Y

if TYPE_CHECKING:
    import numpy as np

_MARGIN = 1.2  # writing-area height over the ink's y-range, where only the latter is known
_FLATTEST = 0.01  # y-range over x-range counts as at least this


def writing_height(points: np.ndarray) -> float:
    """Return the height of the writing area of a signal (N, 6): the known one, else 1.2 times the range of y.

    A flat ink counts as a hundredth as high as it is wide; that of a dot is 0.
    """
    known = float(points[0, HEIGHT])
    if known > 0:  # false for NaN
        return known
    x, y = points[:, X], points[:, Y]
    return _MARGIN * max(float(y.max() - y.min()), _FLATTEST * float(x.max() - x.min()))
