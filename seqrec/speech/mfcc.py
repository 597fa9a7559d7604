"""Mel-frequency cepstra, from the bands of the log-mel front-end."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from seqrec.normalisation import GlobalNormalisation
from seqrec.speech.logmel import LogMel


class MFCC(LogMel):
    """Mel-frequency cepstral coefficients (Davis and Mermelstein 1980): orthonormal DCT-II of `LogMel`'s bands.

    Coefficient 0, the level, is the first. With `deltas` 2 and 13 cepstra a frame has the classic 39 features.

    Args:
        sample_rate: hertz of the signals.
        num_ceps: cepstra of a frame.
        num_mels: bands they are taken from.
        window_ms: milliseconds of signal in a frame.
        hop_ms: milliseconds from frame to frame.
        low_hz: lowest frequency of the bands.
        high_hz: highest; null: half the sample rate.
        lifter: L of HTK's liftering, which multiplies cepstrum n by 1 + L/2 sin(pi n / L), mostly 22; 0: none. With a
            normalisation that brings all to variance 1, it has no effect.
        floor: least band energy, for digital silence.
        range_db: as of `LogMel`.
        dither: standard deviation of noise added to the signal in training, in units of its full scale.
        deltas: how many derivatives over time stand behind the cepstra: F is (1 + deltas) * num_ceps.
        normalize: as of `LogMel`.

    Raises:
        ValueError: `num_ceps` is not from 1 to `num_mels`, `lifter` is negative, or as of `LogMel`.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        num_ceps: int = 13,
        num_mels: int = 40,
        window_ms: float = 25.0,
        hop_ms: float = 10.0,
        low_hz: float = 20.0,
        high_hz: float | None = None,
        lifter: int = 0,
        floor: float = 1e-10,
        range_db: float | None = None,
        dither: float = 0.0,
        deltas: Literal[0, 1, 2] = 2,
        normalize: Literal["utterance", "global", "none"] = "utterance",
    ) -> None:
        if not 1 <= num_ceps <= num_mels:
            raise ValueError(f"num_ceps={num_ceps}, num_mels={num_mels}: need 1 <= num_ceps <= num_mels")
        if lifter < 0:
            raise ValueError(f"lifter={lifter} is negative; give 0 for none, or 22")
        super().__init__(
            sample_rate, num_mels, window_ms, hop_ms, low_hz, high_hz, floor, range_db, dither, normalize, deltas
        )
        self.num_features = (1 + deltas) * num_ceps
        self.normalisation = GlobalNormalisation(self.num_features)
        self.register_buffer("cosines", _cosines(num_mels, num_ceps, lifter), persistent=False)
        self.cosines: Tensor

    def _static(self, bands: Tensor) -> Tensor:
        with torch.autocast(bands.device.type, enabled=False):
            return bands @ self.cosines  # (B, T, bands) -> (B, T, cepstra)


def _cosines(num_mels: int, num_ceps: int, lifter: int) -> Tensor:
    """Return the DCT (bands, cepstra), each cepstrum liftered."""
    orders = torch.arange(num_ceps, dtype=torch.float64)
    bands = torch.arange(num_mels, dtype=torch.float64)[:, None] + 0.5
    cosines = torch.cos(math.pi / num_mels * orders * bands) * math.sqrt(2 / num_mels)
    cosines[:, 0] *= math.sqrt(0.5)
    if lifter:
        cosines *= 1 + lifter / 2 * torch.sin(math.pi * orders / lifter)
    return cosines.float()
