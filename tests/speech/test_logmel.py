"""Log-mel features against a plain NumPy reference and torchaudio's; and that no frame sees padding."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.sequence import num_windows, pad_signals
from seqrec.speech.logmel import LogMel
from seqrec.speech.portable_torchaudio import torchaudio

RATE = 8000
OPTIONS = {"sample_rate": RATE, "num_mels": 20, "low_hz": 50.0}
NORMALIZATIONS = ["utterance", "global", "none"]


def noise(*lengths: int, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [0.1 * torch.randn(length, 1, generator=generator) for length in lengths]


def features_of(frontend: LogMel, signals: list[Tensor]) -> list[Tensor]:
    features = frontend(*pad_signals(signals))
    return [values[:length] for values, length in zip(features.values, features.lengths.tolist(), strict=True)]


def mel_to_hz(mel: float) -> float:
    """Slaney 1998, Auditory Toolbox: linear to 1 kHz, 15 mel; then 27 steps to 6.4 kHz."""
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def hz_to_mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)


def slow_logmel(signal: np.ndarray, window: int, hop: int, low_hz: float, high_hz: float, num_mels: int) -> np.ndarray:
    """The definition: a DFT by its matrix, and triangles of area 1 between neighbouring corners."""
    size = 2 ** math.ceil(math.log2(window))
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(window), np.arange(size // 2 + 1)) / size)
    starts = range(0, len(signal) - window + 1, hop)
    energies = np.array([np.abs((signal[start : start + window] * taper) @ waves) ** 2 for start in starts])
    corners = [mel_to_hz(mel) for mel in np.linspace(hz_to_mel(low_hz), hz_to_mel(high_hz), num_mels + 2)]
    bins = np.arange(size // 2 + 1) * RATE / size
    bands = []
    for left, top, right in zip(corners, corners[1:], corners[2:], strict=False):
        triangle = np.interp(bins, [left, top, right], [0, 1, 0]) * 2 / (right - left)
        bands.append(energies @ triangle)
    return np.log(np.maximum(np.stack(bands, axis=1), 1e-10))


@pytest.mark.parametrize(("window_ms", "hop_ms", "high_hz"), [(25, 10, None), (32, 12.5, 3600.0), (40, 40, 3000.0)])
def test_equal_to_the_definition(window_ms: float, hop_ms: float, high_hz: float | None) -> None:
    (signal,) = noise(3000)
    frontend = LogMel(**OPTIONS, window_ms=window_ms, hop_ms=hop_ms, high_hz=high_hz, normalize="none")
    window, hop = int(window_ms * RATE / 1000), int(hop_ms * RATE / 1000)
    expected = slow_logmel(signal[:, 0].double().numpy(), window, hop, 50.0, high_hz or RATE / 2, 20)
    np.testing.assert_allclose(features_of(frontend, [signal])[0].numpy(), expected, atol=1e-4)


def test_equal_to_torchaudio() -> None:
    (signal,) = noise(5000)
    theirs = torchaudio.transforms.MelSpectrogram(
        RATE, n_fft=256, hop_length=80, f_min=50.0, n_mels=20, center=False, norm="slaney", mel_scale="slaney"
    )
    ours = features_of(LogMel(**OPTIONS, window_ms=32, normalize="none"), [signal])[0]
    torch.testing.assert_close(ours, theirs(signal[:, 0]).clamp(min=1e-10).log().T, atol=1e-4, rtol=0)


def words_and_pauses(*lengths: int) -> list[Tensor]:
    """Noise that falls silent twice, and to digital silence once."""
    signals = noise(*lengths)
    for number, signal in enumerate(signals):
        quarter = len(signal) // 4
        signal.mul_(10.0**number)
        signal[quarter : 2 * quarter] *= 1e-3
        signal[3 * quarter :] = 0
    return signals


def test_a_floor_below_the_loudest_band_is_added() -> None:
    signals = words_and_pauses(3000, 900, 4000, 120)
    frontend = LogMel(**OPTIONS, normalize="none", range_db=35.0)
    for found, signal in zip(features_of(frontend, signals), signals, strict=True):
        padded = np.pad(signal[:, 0].double().numpy(), (0, max(0, 200 - len(signal))))
        energies = np.exp(slow_logmel(padded, 200, 80, 50.0, RATE / 2, 20))
        np.testing.assert_allclose(found.numpy(), np.log(energies + energies.max() / 10**3.5), atol=1e-4)
        silent = slice(-(-3 * len(signal) // 4 // 80), None)  # windows of digital silence
        np.testing.assert_allclose(found[silent], math.log(energies.max() / 10**3.5), atol=1e-4)


def test_a_range_does_not_see_how_loud_the_recording_is() -> None:
    (signal,) = words_and_pauses(4000)
    frontend = LogMel(**OPTIONS, range_db=40.0)
    loud, soft = (features_of(frontend, [signal * factor])[0] for factor in (1.0, 0.1))
    torch.testing.assert_close(loud, soft, atol=1e-2, rtol=0)
    plain = LogMel(**OPTIONS)
    assert (features_of(plain, [signal])[0] - features_of(plain, [signal * 0.1])[0]).abs().max() > 0.1


def test_parts_of_an_utterance_take_its_loudest_band() -> None:
    (signal,) = words_and_pauses(4000)
    frontend = LogMel(**OPTIONS, range_db=30.0)
    loudest = frontend.loudest(*pad_signals([signal]))
    assert loudest.shape == (1,)
    whole = frontend.extract(*pad_signals([signal])).values[0]
    last = frontend.extract(*pad_signals([signal[3200:]]), loudest).values[0]
    torch.testing.assert_close(last, whole[40:])
    assert (last != frontend.extract(*pad_signals([signal[3200:]])).values[0]).any()
    assert frontend.needs_loudest
    assert not LogMel(**OPTIONS).needs_loudest


@pytest.mark.parametrize("range_db", [None, 30.0])
@pytest.mark.parametrize("normalize", NORMALIZATIONS)
def test_alone_and_in_a_batch_are_the_same(normalize: str, range_db: float | None) -> None:
    signals = noise(1900, 200, 4100, 201, 60, 1)
    frontend = LogMel(**OPTIONS, normalize=normalize, range_db=range_db)
    frontend.fit(signals[:1])
    features = frontend(*pad_signals(signals))
    assert features.values.shape == (6, 49, 20)
    assert features.lengths.tolist() == [22, 1, 49, 1, 1, 1]
    for values, length, signal in zip(features.values, features.lengths.tolist(), signals, strict=True):
        torch.testing.assert_close(values[:length], features_of(frontend, [signal])[0], atol=1e-5, rtol=0)
        assert not values[length:].any()


@pytest.mark.parametrize("range_db", [None, 30.0])
@pytest.mark.parametrize("normalize", NORMALIZATIONS)
def test_garbage_in_the_padding_changes_no_frame(normalize: str, range_db: float | None) -> None:
    frontend = LogMel(**OPTIONS, normalize=normalize, range_db=range_db)
    padded, lengths = pad_signals(noise(1900, 777, 200))
    clean = frontend(padded, lengths)
    dirty = padded.clone()
    for row, length in zip(dirty, lengths.tolist(), strict=True):
        row[length:] = 1e3
    torch.testing.assert_close(frontend(dirty, lengths).values, clean.values, atol=1e-5, rtol=0)


def test_frames_are_known_from_lengths_alone() -> None:
    frontend = LogMel(**OPTIONS)
    lengths = torch.arange(1, 1000, 7)
    expected = [num_windows(length, 200, 80) for length in lengths.tolist()]
    assert frontend.frame_lengths(None, lengths).tolist() == expected
    assert not frontend.length_depends_on_content
    assert features_of(frontend, noise(999))[0].shape == (num_windows(999, 200, 80), frontend.num_features)


def test_utterances_are_normalised_over_their_valid_frames() -> None:
    for values in features_of(LogMel(**OPTIONS), noise(4000, 900)):
        np.testing.assert_allclose(values.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(values.std(0, correction=0), 1, atol=1e-2)


def test_global_statistics_are_those_of_all_training_frames() -> None:
    signals = [signal * factor for signal, factor in zip(noise(4000, 900, 2000), (1, 20, 0.1), strict=True)]
    plain = torch.cat(features_of(LogMel(**OPTIONS, normalize="none"), signals)).double().numpy()
    frontend = LogMel(**OPTIONS, normalize="global")
    frontend.fit(iter(signals))
    normalised = torch.cat(features_of(frontend, signals))
    np.testing.assert_allclose(normalised, (plain - plain.mean(axis=0)) / plain.std(axis=0), atol=1e-4)
    loaded = LogMel(**OPTIONS, normalize="global")
    loaded.load_state_dict(frontend.state_dict())  # a checkpoint carries them
    assert torch.cat(features_of(loaded, signals)).equal(normalised)


@pytest.mark.parametrize("normalize", ["utterance", "none"])
def test_other_normalisations_look_at_no_signal(normalize: str) -> None:
    def explode() -> None:
        raise AssertionError("looked at a signal")
        yield

    LogMel(**OPTIONS, normalize=normalize).fit(explode())


def test_silence_is_the_floor() -> None:
    (values,) = features_of(LogMel(**OPTIONS, floor=1e-6, normalize="none"), [torch.zeros(999, 1)])
    torch.testing.assert_close(values, torch.full_like(values, math.log(1e-6)))
    for normalize in ("utterance", "global"):
        assert features_of(LogMel(**OPTIONS, normalize=normalize), [torch.zeros(999, 1)])[0].isfinite().all()


def test_less_than_a_window_is_padded_to_one_frame() -> None:
    frontend = LogMel(**OPTIONS, normalize="none")
    (signal,) = noise(150)
    padded = torch.cat([signal, torch.zeros(50, 1)])
    assert features_of(frontend, [signal])[0].equal(features_of(frontend, [padded])[0])


def test_dither_is_for_training_alone() -> None:
    (signal,) = noise(999)
    plain, dithered = (LogMel(**OPTIONS, dither=dither, normalize="none") for dither in (0.0, 0.1))
    torch.manual_seed(0)
    assert not features_of(dithered.train(), [signal])[0].allclose(features_of(plain, [signal])[0], atol=0.1)
    assert features_of(dithered.eval(), [signal])[0].equal(features_of(plain, [signal])[0])


def test_features_are_full_precision_under_autocast() -> None:
    frontend = LogMel(**OPTIONS)
    (expected,) = features_of(frontend, noise(999))
    with torch.autocast("cpu", torch.bfloat16):
        assert features_of(frontend, noise(999))[0].equal(expected)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"window_ms": 0.0}, "window_ms"),
        ({"hop_ms": 0.01}, "hop_ms"),
        ({"low_hz": -1.0}, "low_hz=-1"),
        ({"low_hz": 4000.0}, "low_hz=4000"),
        ({"high_hz": 4001.0}, "high_hz=4001"),
        ({"num_mels": 0}, "num_mels=0"),
        ({"range_db": 0.0}, "range_db=0.0 must be positive"),
        ({"range_db": math.nan}, "range_db=nan"),
    ],
)
def test_impossible_settings_are_named(options: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LogMel(**{**OPTIONS, **options})
