"""Log-mel filter banks, batched inside the model, so that training, transcribing and exporting share them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

from seqrec.normalisation import FrameStatistics, GlobalNormalisation
from seqrec.sequence import Features, length_mask, map_lengths, num_windows, on_cpu
from seqrec.speech.feature_deltas import DELTA_REACH, stack_deltas
from seqrec.speech.pauses import find_pauses
from seqrec.speech.portable_torchaudio import torchaudio


class LogMel(nn.Module):
    """Natural logarithm of mel-band energies: |FFT of a Hann window|^2 through Slaney's triangles (Slaney 1998).

    Windows lie wholly inside the recording, so that no frame depends on padding: frames = (N - window) // hop + 1, and
    one for a recording shorter than a window.

    Args:
        sample_rate: hertz of the signals.
        num_mels: bands.
        window_ms: milliseconds of signal in a frame.
        hop_ms: milliseconds from frame to frame.
        low_hz: lowest frequency of the bands.
        high_hz: highest; null: half the sample rate.
        floor: least band energy, for digital silence.
        range_db: to every band is added the energy of the utterance's loudest less so many decibels, as a floor that
            rises and falls with the voice: noise and digital silence between words look alike; null: none.
        dither: standard deviation of noise added to the signal in training, in units of its full scale.
        normalize: `utterance`: each band to mean 0, variance 1 over the valid frames; `global`: by the mean and
            variance of the training set (see `fit`); `none`.
        deltas: how many derivatives over time stand behind the bands: F is (1 + deltas) * num_mels.

    Raises:
        ValueError: a frame or a hop is shorter than a sample, the bands' frequencies or number are impossible, or the
            range is not positive.
    """

    num_channels = 1
    length_depends_on_content = False

    def __init__(
        self,
        sample_rate: int = 16000,
        num_mels: int = 80,
        window_ms: float = 25.0,
        hop_ms: float = 10.0,
        low_hz: float = 20.0,
        high_hz: float | None = None,
        floor: float = 1e-10,
        range_db: float | None = None,
        dither: float = 0.0,
        normalize: Literal["utterance", "global", "none"] = "utterance",
        deltas: Literal[0, 1, 2] = 0,
    ) -> None:
        super().__init__()
        self.num_features = (1 + deltas) * num_mels
        self.sample_rate = sample_rate
        self.window = round(sample_rate * window_ms / 1000)  # samples
        self.hop = round(sample_rate * hop_ms / 1000)  # samples
        top = sample_rate / 2 if high_hz is None else high_hz
        _check(self.window, self.hop, low_hz, top, sample_rate, num_mels)
        if range_db is not None and not 0 < range_db < math.inf:
            raise ValueError(f"range_db={range_db} must be positive, such as 80, or null")
        self.floor = floor
        self.range_db = range_db
        self.dither = dither
        self.normalize = normalize
        self.deltas = deltas
        self.fft_size = 1 << (self.window - 1).bit_length()
        self.register_buffer("taper", torch.hann_window(self.window), persistent=False)
        bank = torchaudio.functional.melscale_fbanks(
            self.fft_size // 2 + 1, low_hz, top, num_mels, sample_rate, norm="slaney", mel_scale="slaney"
        )
        self.register_buffer("bank", bank, persistent=False)  # (bins, F)
        self.normalisation = GlobalNormalisation(self.num_features)
        self.bank: Tensor
        self.taper: Tensor

    @property
    def needs_statistics(self) -> bool:
        """Whether features cannot be normalised before all frames of their utterance are known."""
        return self.normalize == "utterance"

    @property
    def needs_loudest(self) -> bool:
        """Whether features cannot be extracted before the loudest band of their utterance is known."""
        return self.range_db is not None

    @property
    def log_range(self) -> float:
        """`range_db`, which is not null here, as a difference of natural logarithms."""
        assert self.range_db is not None
        return self.range_db / 10 * math.log(10)

    @property
    def edge_frames(self) -> int:
        """How many frames on either side a frame's features depend on."""
        return self.deltas * DELTA_REACH

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T of each signal from its length; the signals themselves are not looked at."""
        return num_windows(signal_lengths, self.window, self.hop)

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return the samples (B, T + 1) float64 between frames: halfway from one window's middle to the next one's.

        Frame t lies from border t to border t + 1; the first begins with the signal, the last ends with it, and so do
        the borders behind it. The signals themselves are not looked at.
        """
        counts = self.frame_lengths(None, signal_lengths)
        numbers = torch.arange(int(counts.max()) + 1, device=signal_lengths.device)
        borders = (numbers * self.hop + (self.window - self.hop) / 2).double().masked_fill(numbers == 0, 0.0)
        ends = signal_lengths[:, None].double()
        return torch.where(numbers < counts[:, None], borders, ends)  # (T + 1,) -> (B, T + 1)

    def pauses(self, signals: Tensor, signal_lengths: Tensor) -> list[Tensor]:
        """Return where nobody speaks, (K, 2) for each of the signals (B, N, 1); see `find_pauses`."""
        rows = zip(signals[..., 0].cpu().numpy(), signal_lengths.tolist(), strict=True)  # (B, N, 1) -> (B, N)
        return [torch.from_numpy(find_pauses(row[:length], self.hop, self.sample_rate)) for row, length in rows]

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Turn signals (B, N, 1) into features (B, T, F)."""
        return self.normalise(self.extract(signals, signal_lengths))

    def extract(self, signals: Tensor, signal_lengths: Tensor, loudest: Tensor | None = None) -> Features:
        """Return features (B, T, F) before they are normalised, of anything in the padding.

        Args:
            signals: (B, N, 1).
            signal_lengths: (B,).
            loudest: (B,) as of `loudest`, of the utterances that the signals are parts of; null: they are whole.
        """
        bands = self._valid_log_bands(signals, signal_lengths)
        if self.range_db is not None:
            greatest = _greatest(bands) if loudest is None else loudest
            bands = Features(bands.values.logaddexp(greatest[:, None, None] - self.log_range), bands.lengths)
        return stack_deltas(Features(self._static(bands.values), bands.lengths), self.deltas)

    def loudest(self, signals: Tensor, signal_lengths: Tensor) -> Tensor:
        """Return the greatest logarithm (B,) of a band's energy in signals (B, N, 1)."""
        return _greatest(self._valid_log_bands(signals, signal_lengths))

    def fit(self, signals: Iterable[Tensor]) -> None:
        """Take the mean and deviation that `global` normalises by from training signals (N, 1); else look at none."""
        if self.normalize == "global":
            self.normalisation.fit(
                self.extract(signal[None], torch.tensor([len(signal)])).values[0] for signal in signals
            )

    def _static(self, bands: Tensor) -> Tensor:
        """Return what deltas are taken of, from log energies (B, T, bands)."""
        return bands

    def _valid_log_bands(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        lengths = map_lengths(lambda counts: self.frame_lengths(None, counts), signal_lengths)
        return Features(self._log_bands(signals, signal_lengths)[:, : int(on_cpu(lengths).max())], lengths)

    def _log_bands(self, signals: Tensor, signal_lengths: Tensor) -> Tensor:
        valid = length_mask(signal_lengths, signals.shape[1])
        samples = signals[..., 0].masked_fill(~valid, 0.0)  # (B, N, 1) -> (B, N)
        if self.training and self.dither > 0:
            samples = samples + self.dither * torch.randn_like(samples) * valid
        samples = nn.functional.pad(samples, (0, max(0, self.window - samples.shape[1])))
        frames = samples.unfold(1, self.window, self.hop)  # (B, N) -> (B, T, window)
        with torch.autocast(samples.device.type, enabled=False):
            spectrum = torch.fft.rfft(frames.float() * self.taper, n=self.fft_size)
            energies = spectrum.real.square() + spectrum.imag.square()
            return (energies @ self.bank).clamp(min=self.floor).log()  # (B, T, bins) -> (B, T, F)

    def normalise(self, features: Features, statistics: FrameStatistics | None = None) -> Features:
        """Normalise as `normalize` says, zero in the padding.

        Args:
            features: of whole utterances or, with `statistics`, of parts of one.
            statistics: of all frames of the utterance, before they are normalised.
        """
        if self.normalize == "global":
            return self.normalisation(features)
        mask = length_mask(features.lengths, features.values.shape[1])[..., None]
        values = features.values * mask
        if self.normalize == "utterance" and statistics is not None:
            values = (values - statistics.mean.to(values)) * mask / (statistics.deviation.to(values) + 1e-3)
        elif self.normalize == "utterance":
            count = features.lengths[:, None, None]
            values = (values - values.sum(1, keepdim=True) / count) * mask
            deviation = (values.square().sum(1, keepdim=True) / count).sqrt()
            values = values / (deviation + 1e-3)
        return Features(values, features.lengths)


def _greatest(bands: Features) -> Tensor:
    """(B, T, F) -> (B,), over the valid frames."""
    valid = length_mask(bands.lengths, bands.values.shape[1])[..., None]
    return bands.values.masked_fill(~valid, -math.inf).amax(dim=(1, 2))


def _check(window: int, hop: int, low_hz: float, high_hz: float, sample_rate: int, num_mels: int) -> None:
    if window < 2 or hop < 1:
        raise ValueError(f"window_ms and hop_ms give {window} and {hop} samples at {sample_rate} Hz; make them longer")
    if not 0 <= low_hz < high_hz <= sample_rate / 2:
        raise ValueError(f"low_hz={low_hz}, high_hz={high_hz}: need 0 <= low_hz < high_hz <= {sample_rate / 2}")
    if num_mels < 1:
        raise ValueError(f"num_mels={num_mels}: needs at least one band")
