"""Additive noise: recordings as in loud places."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from seqrec.speech.augmentation.probability import check_probability
from seqrec.speech.augmentation.recordings import Recordings


class AdditiveNoise:
    """Add noise to a recording, a random stretch of a random file, at a random ratio of signal to noise.

    The ratio is that of mean squares over the whole recording, pauses included. Noise shorter than the recording goes
    round. Silence, in the recording or in the noise, leaves the recording as it is.

    Args:
        folder: recordings of noise, at any depth; null: white noise.
        low_snr_db: least ratio, decibels.
        high_snr_db: greatest; the ratio is uniform between them.
        probability: share of recordings that get noise.
        sample_rate: hertz of the signals.

    Raises:
        ValueError: the range or the probability is none; the folder is not there or holds no recordings.
        UserError: a recording is broken, or of a rate that cannot be resampled.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = 1

    def __init__(
        self,
        folder: str | None = None,
        low_snr_db: float = 5.0,
        high_snr_db: float = 30.0,
        probability: float = 0.5,
        sample_rate: int = 16000,
    ) -> None:
        if not -100 <= low_snr_db <= high_snr_db <= 200:
            raise ValueError(
                f"low_snr_db={low_snr_db}, high_snr_db={high_snr_db}: need -100 <= low_snr_db <= high_snr_db <= 200"
            )
        check_probability(probability)
        self.recordings = None if folder is None else Recordings(folder, sample_rate)
        self.low_snr_db = low_snr_db
        self.high_snr_db = high_snr_db
        self.probability = probability

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return a signal of the shape of `signal` (N, C); all channels get the same noise."""
        if random.random() >= self.probability:
            return signal
        snr_db = random.uniform(self.low_snr_db, self.high_snr_db)
        noise = self._noise(len(signal), random)
        power, noise_power = float(signal.square().mean()), float(noise.square().mean())
        if not (power and noise_power):
            return signal
        return signal + noise * (power / noise_power * 10 ** (-snr_db / 10)) ** 0.5

    def _noise(self, count: int, random: np.random.Generator) -> Tensor:
        """Return noise (count, 1)."""
        if self.recordings is None:
            return torch.from_numpy(random.standard_normal((count, 1), dtype=np.float32))
        index = int(random.integers(len(self.recordings)))
        length = self.recordings.length(index)
        start = int(random.integers(length - count + 1 if length > count else length))
        return self.recordings.stretch(index, start, count)
