"""Additive noise: the ratio it promises, measured on what it gives."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from seqrec.speech.augmentation.noise import AdditiveNoise

RATE = 8000
SIGNAL = 0.1 * torch.sin(torch.arange(3000) / 5)[:, None]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for number, count in enumerate((500, 3000, 20000)):
        samples = np.random.default_rng(number).normal(0, 10.0**-number, count).clip(-1, 1)
        soundfile.write(tmp_path / f"{number}.wav", samples, RATE, subtype="FLOAT")
    return str(tmp_path)


def snr_db(signal: Tensor, noisy: Tensor) -> float:
    return 10 * math.log10(float(signal.double().square().sum() / (noisy - signal).double().square().sum()))


@pytest.mark.parametrize("kind", ["recordings", "white"])
def test_the_ratio_is_as_drawn(kind: str, folder: str) -> None:
    source = folder if kind == "recordings" else None
    for wanted in (-5.0, 10.0, 30.0):
        augment = AdditiveNoise(source, wanted, wanted, 1.0, RATE)
        for seed in range(10):
            noisy = augment(SIGNAL, np.random.default_rng(seed))
            assert snr_db(SIGNAL, noisy) == pytest.approx(wanted, abs=0.05)
    augment = AdditiveNoise(source, 0, 20, 1.0, RATE)
    found = np.sort([snr_db(SIGNAL, augment(SIGNAL, np.random.default_rng(seed))) for seed in range(300)])
    assert np.abs(found - np.linspace(0, 20, 300)).max() < 20 * 1.63 / math.sqrt(300)  # KS test at 1 %


def test_the_noise_is_a_stretch_of_a_file_going_round(folder: str) -> None:
    files = [soundfile.read(path, dtype="float32")[0] for path in sorted(Path(folder).iterdir())]
    augment, seen = AdditiveNoise(folder, 0, 0, 1.0, RATE), set()
    for seed in range(14):
        noise = (augment(SIGNAL, np.random.default_rng(seed)) - SIGNAL)[:, 0].numpy()
        matches = []
        for number, samples in enumerate(files):
            around = np.resize(samples, len(samples) + 3000)
            windows = np.lib.stride_tricks.sliding_window_view(around, 80)[: len(samples)]
            likeness = windows @ noise[:80] / np.linalg.norm(windows, axis=1) / np.linalg.norm(noise[:80])
            best = int(likeness.argmax())
            if likeness[best] > 0.999:
                matches.append((number, best))
                expected = around[best : best + 3000]
                np.testing.assert_allclose(noise / noise.std(), expected / expected.std(), atol=1e-3)
        assert len(matches) == 1
        seen |= {matches[0]}
    assert {number for number, _ in seen} == {0, 1, 2}
    assert len(seen) > 8


def test_the_share_that_gets_noise() -> None:
    augment = AdditiveNoise(probability=0.3)
    changed = sum(not augment(SIGNAL, np.random.default_rng(seed)).equal(SIGNAL) for seed in range(500))
    assert changed == pytest.approx(150, abs=35)
    assert AdditiveNoise(probability=0.0)(SIGNAL, np.random.default_rng(0)).equal(SIGNAL)


def test_the_draw_alone_decides(folder: str) -> None:
    one, other = (AdditiveNoise(folder, probability=1.0, sample_rate=RATE) for _ in range(2))
    other(SIGNAL, np.random.default_rng(9))  # what was done before does not matter
    assert one(SIGNAL, np.random.default_rng(4)).equal(other(SIGNAL, np.random.default_rng(4)))
    assert not one(SIGNAL, np.random.default_rng(4)).equal(one(SIGNAL, np.random.default_rng(5)))


def test_silence_stays(tmp_path: Path) -> None:
    silence = torch.zeros(100, 1)
    assert AdditiveNoise(probability=1.0)(silence, np.random.default_rng(0)).equal(silence)
    soundfile.write(tmp_path / "a.wav", np.zeros(50), RATE)
    augment = AdditiveNoise(str(tmp_path), probability=1.0, sample_rate=RATE)
    assert augment(SIGNAL, np.random.default_rng(0)).equal(SIGNAL)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"low_snr_db": 40.0}, "low_snr_db=40"),
        ({"high_snr_db": math.inf}, "high_snr_db=inf"),
        ({"low_snr_db": math.nan}, "low_snr_db=nan"),
        ({"probability": 1.1}, "probability=1.1"),
    ],
)
def test_impossible_settings_are_named(options: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        AdditiveNoise(**options)
