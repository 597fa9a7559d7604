"""MFCC against torchaudio's and a plain DCT; and log-mel bands with deltas, by the laws of every front-end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.sequence import num_windows, pad_signals
from seqrec.speech.logmel import LogMel
from seqrec.speech.mfcc import MFCC
from seqrec.speech.portable_torchaudio import torchaudio

RATE = 8000
BANDS = {"sample_rate": RATE, "num_mels": 20, "low_hz": 50.0}
FRONT_ENDS = [(LogMel, {**BANDS, "deltas": 2}, 60), (MFCC, {**BANDS, "num_ceps": 12}, 36)]


def noise(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [0.1 * torch.randn(length, 1, generator=generator) for length in lengths]


def features_of(frontend: LogMel, signals: list[Tensor]) -> list[Tensor]:
    features = frontend(*pad_signals(signals))
    return [values[:length] for values, length in zip(features.values, features.lengths.tolist(), strict=True)]


def test_equal_to_torchaudio() -> None:
    signal = 100 * noise(5000)[0]  # so that the 1e-6 it adds to the energies does not matter
    mel = {"n_fft": 256, "hop_length": 80, "f_min": 50.0, "n_mels": 20, "center": False}
    theirs = torchaudio.transforms.MFCC(
        RATE, n_mfcc=13, log_mels=True, melkwargs={**mel, "norm": "slaney", "mel_scale": "slaney"}
    )
    frontend = MFCC(**BANDS, window_ms=32, deltas=0, normalize="none")
    torch.testing.assert_close(features_of(frontend, [signal])[0], theirs(signal[:, 0]).T, atol=1e-3, rtol=0)


@pytest.mark.parametrize("lifter", [0, 22])
def test_equal_to_the_definition(lifter: int) -> None:
    (signal,) = noise(3000)
    (bands,) = features_of(LogMel(**BANDS, normalize="none"), [signal])
    (found,) = features_of(MFCC(**BANDS, num_ceps=20, lifter=lifter, deltas=0, normalize="none"), [signal])
    for frame, cepstra in zip(bands.double().tolist(), found.tolist(), strict=True):
        for n, value in enumerate(cepstra):
            total = sum(band * math.cos(math.pi * n * (j + 0.5) / 20) for j, band in enumerate(frame))
            expected = total * math.sqrt((1 if n == 0 else 2) / 20)
            weight = 1 + lifter / 2 * math.sin(math.pi * n / lifter) if lifter else 1
            assert value == pytest.approx(expected * weight, abs=1e-3)


@pytest.mark.parametrize("normalize", ["utterance", "global", "none"])
@pytest.mark.parametrize(("kind", "options", "num_features"), FRONT_ENDS)
@pytest.mark.parametrize("padding", [0.0, 1e9, math.nan])
def test_alone_and_beside_garbage_are_the_same(
    kind: type[LogMel], options: dict[str, Any], num_features: int, normalize: str, padding: float
) -> None:
    signals = noise(1900, 200, 4100, 201, 60, 1, 360)
    frontend = kind(**options, normalize=normalize)
    frontend.fit(signals[:3])
    padded, lengths = pad_signals(signals)
    for row, length in zip(padded, lengths.tolist(), strict=True):
        row[length:] = padding
    features = frontend(padded, lengths)
    assert features.values.shape == (7, 49, num_features)
    assert frontend.num_features == num_features
    assert features.lengths.tolist() == [num_windows(length, 200, 80) for length in lengths.tolist()]
    assert features.lengths.equal(frontend.frame_lengths(None, lengths))
    for values, length, signal in zip(features.values, features.lengths.tolist(), signals, strict=True):
        torch.testing.assert_close(values[:length], features_of(frontend, [signal])[0], atol=2e-5, rtol=1e-5)
        assert not values[length:].any()


@pytest.mark.parametrize(("kind", "options", "num_features"), FRONT_ENDS)
def test_global_statistics_are_those_of_all_training_frames(
    kind: type[LogMel], options: dict[str, Any], num_features: int
) -> None:
    signals = [signal * factor for signal, factor in zip(noise(4000, 900, 2000), (1, 20, 0.1), strict=True)]
    plain = torch.cat(features_of(kind(**options, normalize="none"), signals)).double().numpy()
    frontend = kind(**options, normalize="global")
    frontend.fit(iter(signals))
    normalised = torch.cat(features_of(frontend, signals))
    np.testing.assert_allclose(normalised, (plain - plain.mean(axis=0)) / plain.std(axis=0), atol=1e-3)
    loaded = kind(**options, normalize="global")
    loaded.load_state_dict(frontend.state_dict())
    assert torch.cat(features_of(loaded, signals)).equal(normalised)
    assert set(frontend.state_dict()) == {"normalisation.mean", "normalisation.deviation"}


@pytest.mark.parametrize(("kind", "options", "num_features"), FRONT_ENDS)
def test_features_are_full_precision_under_autocast(
    kind: type[LogMel], options: dict[str, Any], num_features: int
) -> None:
    frontend = kind(**options)
    (expected,) = features_of(frontend, noise(999))
    with torch.autocast("cpu", torch.bfloat16):
        assert features_of(frontend, noise(999))[0].equal(expected)


def test_the_bands_stand_before_their_deltas() -> None:
    (expected,) = features_of(LogMel(**BANDS, normalize="none"), noise(999))
    for deltas in (0, 1, 2):
        (found,) = features_of(LogMel(**BANDS, normalize="none", deltas=deltas), noise(999))
        assert found[:, :20].equal(expected)
        assert found.shape[1] == 20 * (1 + deltas)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"num_ceps": 21}, "num_ceps=21, num_mels=20"),
        ({"num_ceps": 0}, "num_ceps=0"),
        ({"lifter": -1}, "lifter=-1"),
        ({"high_hz": 4001.0}, "high_hz=4001"),
    ],
)
def test_impossible_settings_are_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        MFCC(**{**BANDS, **options})
