"""Reverberation: recordings as in rooms."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.speech.augmentation.probability import check_probability
from seqrec.speech.augmentation.recordings import Recordings

_LONGEST_SECONDS = 20  # of an impulse response; cathedrals take 10


class RoomReverb:
    """Convolve a recording with a random room impulse response (Ko et al. 2017).

    The response's greatest sample counts as the direct sound and causes no delay; what rings on after the recording's
    end is cut off; the energy stays. Of a response with several channels the first is taken.

    Args:
        folder: recordings of impulse responses, at any depth.
        probability: share of recordings that are convolved.
        sample_rate: hertz of the signals.

    Raises:
        ValueError: the probability is none; the folder is missing, or holds no recordings.
        UserError: a recording is broken, too long, or of a rate that cannot be resampled.
    """

    acts_on: Literal["signal"] = "signal"
    num_channels = 1

    def __init__(self, folder: str = "", probability: float = 0.5, sample_rate: int = 16000) -> None:
        if not folder:  # it has a default only because a config's options are those with one
            raise ValueError("folder is missing; name one of recordings of impulse responses")
        check_probability(probability)
        self.responses = Recordings(folder, sample_rate, first_channel=True)
        for index, path in enumerate(self.responses.paths):
            if self.responses.seconds(index) > _LONGEST_SECONDS:
                raise UserError(
                    f"{path}: lasts {self.responses.seconds(index):.0f} s, so it is no impulse response; take it out"
                )
        self.probability = probability

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return a signal of the shape of `signal` (N, C)."""
        if random.random() >= self.probability:
            return signal
        index = int(random.integers(len(self.responses)))
        response = self.responses[index]
        direct = int(response.abs().argmax())
        if not response[direct]:
            raise UserError(f"{self.responses.paths[index]}: is silent, so it is no impulse response; take it out")
        wet = _convolve(signal, response)[direct : direct + len(signal)]
        power = float(wet.square().sum())
        return wet * (float(signal.square().sum()) / power) ** 0.5 if power else signal


def _convolve(signal: Tensor, response: Tensor) -> Tensor:
    """Convolve (N, C) with (M, 1) to (N + M - 1, C)."""
    count = len(signal) + len(response) - 1
    size = 1 << (count - 1).bit_length()  # FFTs of other sizes may be slow
    spectrum = torch.fft.rfft(signal, n=size, dim=0) * torch.fft.rfft(response, n=size, dim=0)
    return torch.fft.irfft(spectrum, n=size, dim=0)[:count]
