"""Resampling in NumPy: the filter of `torchaudio.functional.resample`, one short row of it for each phase."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from seqrec.errors import UserError

_ZERO_CROSSINGS, _ROLLOFF = 6, 0.99  # torchaudio's defaults
_LARGEST_RATIO = 100  # of rates; beyond it a header is damaged
_MOST_TAPS = 50_000_000  # coefficients of all phases
_TOGETHER = 1 << 16  # samples that are made at once


def resample(signal: np.ndarray, rate: int, new_rate: int, name: str) -> np.ndarray:
    """Resample a signal (N,) float32 by windowed-sinc interpolation, to (N',) float32.

    A sample of the new rate is the sum of the old ones about it, weighted by a sinc in a Hann window of six zero
    crossings to either side; the weights depend on where it falls between two old ones: its phase.

    Raises:
        UserError: the rates are not usual ones; it calls the recording `name`.

    Source: Smith, Digital audio resampling, https://ccrma.stanford.edu/~jos/resample/
    """
    if rate == new_rate:
        return signal
    divisor = math.gcd(rate, new_rate)
    old, new = rate // divisor, new_rate // divisor
    reach = math.ceil(_ZERO_CROSSINGS * old / (min(old, new) * _ROLLOFF))  # old samples, to either side
    if max(old, new) > _LARGEST_RATIO * min(old, new) or new * (2 * reach + 2) > _MOST_TAPS:
        raise UserError(
            f"{name}: its rate of {rate} Hz cannot be resampled to {new_rate} Hz in reasonable memory; "
            "convert it to a usual rate, such as 16000 Hz"
        )
    weights = _weights(old, new, reach)
    numbers = np.arange(resampled_length(len(signal), old, new))
    first = numbers * old // new  # the old sample at or before each new one; `reach` ones stand before it
    behind = int(first[-1]) + reach + 2 - len(signal) if len(first) else 0
    windows = sliding_window_view(np.pad(signal, (reach, max(behind, 0))), 2 * reach + 2)
    output = np.empty(len(numbers), dtype=np.float32)
    for start in range(0, len(numbers), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        np.einsum("nk,nk->n", windows[first[part]], weights[numbers[part] % new], out=output[part])
    return output


def resampled_length(length: int, old: int, new: int) -> int:
    """Return torchaudio's N': the ceiling of a share that is rounded to float32."""
    share = int(np.ceil(np.float32(new * length / old)))
    return min(share, (length // old + 1) * new)


def _weights(old: int, new: int, reach: int) -> np.ndarray:
    """Return (new, 2 * reach + 2) float32: for each phase the weights of the old samples about it."""
    phases = np.arange(new)[:, None]
    places = np.arange(-reach, reach + 2) - (phases * old % new) / new  # in old samples, from the new one
    cutoff = min(old, new) * _ROLLOFF / old  # of the old rate's half
    crossings = np.clip(places * cutoff, -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    window = np.cos(crossings * (math.pi / 2 / _ZERO_CROSSINGS)) ** 2
    return (np.sinc(crossings) * window * cutoff).astype(np.float32)
