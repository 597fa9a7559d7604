"""Samples of recordings as arrays: what is taken for one, in the reader of runs and in that of exported models."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqrec.errors import UserError


def samples_of(source: Any) -> np.ndarray:
    """Return an array (N,) or (N, channels) as (N, channels) float32, whole numbers scaled from their range to [-1, 1].

    Raises:
        UserError: it is no recording.
    """
    samples = _to_float(np.asarray(source))
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > samples.shape[0] > 0):
        raise UserError(
            f"array of shape {samples.shape} is no recording; give (samples,) or (samples, channels), in this order"
        )
    return samples[:, None] if samples.ndim == 1 else samples


def check_samples(samples: np.ndarray, name: str) -> None:
    """Refuse a recording (N, channels), called `name`, that holds nothing or no numbers.

    Raises:
        UserError: it does.
    """
    if samples.size == 0:
        raise UserError(f"{name}: holds no samples; record it again or leave it out")
    if not np.isfinite(samples).all():
        bad = np.count_nonzero(~np.isfinite(samples))
        raise UserError(f"{name}: {bad} of {samples.size} samples are NaN or infinite; record it again or leave it out")


def _to_float(samples: np.ndarray) -> np.ndarray:
    if np.issubdtype(samples.dtype, np.integer):
        return (samples / (np.iinfo(samples.dtype).max + 1.0)).astype(np.float32)
    if not np.issubdtype(samples.dtype, np.floating):
        raise UserError(f"an array of {samples.dtype} is no recording; give floats in [-1, 1] or whole numbers")
    return samples.astype(np.float32)
