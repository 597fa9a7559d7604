"""Where nobody speaks: stretches of a recording that are much softer than its speech. In NumPy, without torch."""

from __future__ import annotations

import numpy as np

_LONGEST_CLOSURE_MS = 50  # softer stretches up to there are mostly the closures of p, t and k
_SHARE = 0.3  # of the way from the softest to the loudest frames, in decibels: softer frames are pauses
_LEAST_RANGE_DB = 15.0  # between softest and loudest; with less, all is speech or all is noise
_FLOOR = 1e-9  # mean square of the least 16-bit sample


def find_pauses(samples: np.ndarray, hop: int, sample_rate: int) -> np.ndarray:
    """Return the pauses of a recording (N,), (K, 2) int64: first sample, and one behind the last.

    Levels are those of blocks of `hop` samples, averaged over three; the softest and the loudest twentieth of them are
    left out when the recording's range is taken.
    """
    count = -(-len(samples) // hop)
    blocks = np.zeros((count + 2, hop))  # one of silence before the recording, one behind it
    blocks.reshape(-1)[hop : hop + len(samples)] = samples
    levels = 10 * np.log10(np.einsum("tn,tn->t", blocks, blocks) / hop + _FLOOR)
    levels = (levels[:-2] + levels[1:-1] + levels[2:]) / 3
    softest, loudest = np.sort(levels)[[round((count - 1) * share) for share in (0.05, 0.95)]]
    if loudest - softest < _LEAST_RANGE_DB:
        return np.zeros((0, 2), dtype=np.int64)
    found = _stretches(levels < softest + _SHARE * (loudest - softest)) * hop
    found = found[found[:, 1] - found[:, 0] > _LONGEST_CLOSURE_MS * sample_rate / 1000]
    return np.minimum(found, len(samples))


def _stretches(mask: np.ndarray) -> np.ndarray:
    """Return where runs of true in a mask (T,) begin, and where they have ended: (K, 2)."""
    edges = np.diff(mask.astype(np.int8), prepend=0, append=0)
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)
