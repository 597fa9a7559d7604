"""How high an ink is written, the measure of what is done to training ink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqrec.formats.ink import HEIGHT, X, Y
from seqrec.ink.resampling import FLATTEST, MARGIN

if TYPE_CHECKING:
    import numpy as np


def writing_height(points: np.ndarray) -> float:
    """Return the height of the writing area of a signal (N, 6): the known one, else 1.2 times the range of y.

    A flat ink counts as a hundredth as high as it is wide; that of a dot is 0.
    """
    known = float(points[0, HEIGHT])
    if known > 0:  # false for NaN
        return known
    x, y = points[:, X], points[:, Y]
    return MARGIN * max(float(y.max() - y.min()), FLATTEST * float(x.max() - x.min()))
