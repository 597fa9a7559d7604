"""Resampling: how long what comes out is, which rates are refused, and signals that come in blocks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.speech.portable_torchaudio import torchaudio

Length = TypeVar("Length", int, np.ndarray)
_LARGEST_FILTER = 20_000_000  # coefficients of a resampling filter; 44,056 to 16,000 Hz takes 11 million
_LARGEST_RATIO = 100
_ZERO_CROSSINGS, _ROLLOFF = 6, 0.99  # of torchaudio's filter, by its defaults


def resampled_length(num_samples: Length, rate: int, new_rate: int) -> Length:
    """Return how many samples torchaudio's resampling makes of `num_samples`: the ceiling of their share in float32."""
    if rate == new_rate:
        return num_samples
    old, new = _reduced(rate, new_rate)
    shares = np.ceil((new * np.asarray(num_samples) / old).astype(np.float32)).astype(np.int64)
    lengths = np.minimum(shares, (np.asarray(num_samples) // old + 1) * new)
    return lengths if isinstance(num_samples, np.ndarray) else int(lengths)


def check_resampling(rate: int, new_rate: int, name: str) -> None:
    """Refuse rates, mostly of damaged headers, whose filters or output would take gigabytes.

    Raises:
        UserError: they are such rates; messages call the recording `name`.
    """
    old, new = _reduced(rate, new_rate)
    ratio = max(rate, new_rate) / min(rate, new_rate)
    if old * new > _LARGEST_FILTER or ratio > _LARGEST_RATIO:
        raise UserError(
            f"{name}: its rate of {rate} Hz cannot be resampled to {new_rate} Hz in reasonable memory; "
            "convert it to a usual rate, such as 16000 Hz"
        )


def resample(signal: Tensor, rate: int, new_rate: int) -> Tensor:
    """Resample a signal (N,)."""
    return torchaudio.functional.resample(signal, rate, new_rate)


def resample_blocks(blocks: Iterable[Tensor], rate: int, new_rate: int) -> Iterator[Tensor]:
    """Resample a signal that comes in blocks (n,): together, what `resample` makes of the whole.

    The filter's phase repeats every rate / gcd samples, so blocks are cut at such periods, and each is filtered with
    as many samples on either side as the filter reaches.
    """
    old, new = _reduced(rate, new_rate)
    reach = math.ceil(_ZERO_CROSSINGS * old / (min(old, new) * _ROLLOFF))
    margin = -(-reach // old) * old
    rest, before = torch.zeros(0), 0  # samples at hand, and how many of them are only there to be seen
    taken = given = 0
    for block in blocks:
        taken += len(block)
        rest = torch.cat([rest, block])
        ready = max(0, (len(rest) - margin) // old * old)
        if ready > before:
            output = resample(rest, rate, new_rate)[before // old * new : ready // old * new]
            given += len(output)
            yield output
            kept = max(0, ready - margin)
            rest, before = rest[kept:], ready - kept
    if taken:
        output = resample(torch.nn.functional.pad(rest, (0, 2 * old)), rate, new_rate)[before // old * new :]
        yield output[: resampled_length(taken, rate, new_rate) - given]


def _reduced(rate: int, new_rate: int) -> tuple[int, int]:
    divisor = math.gcd(rate, new_rate)
    return rate // divisor, new_rate // divisor
