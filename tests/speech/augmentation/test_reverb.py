"""Reverberation against NumPy's convolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seqrec.errors import UserError
from seqrec.speech.augmentation.reverb import RoomReverb

RATE = 8000
SIGNAL = torch.randn(1500, 1, generator=torch.Generator().manual_seed(0)) * 0.1


def room(folder: Path, *channels: np.ndarray, name: str = "a.wav") -> RoomReverb:
    soundfile.write(folder / name, np.stack(channels, axis=1).astype(np.float32), RATE, subtype="FLOAT")
    return RoomReverb(str(folder), 1.0, RATE)


def decaying(count: int, delay: int) -> np.ndarray:
    random = np.random.default_rng(count)
    response = 0.3 * random.normal(0, 1, count).clip(-2, 2) * np.exp(-np.arange(count) / 100)
    response[:delay] *= 0.1
    response[delay] = 1.0
    return response


@pytest.mark.parametrize(("count", "delay"), [(400, 0), (400, 37), (5000, 1000), (1, 0)])
def test_equal_to_a_convolution_aligned_and_scaled(count: int, delay: int, tmp_path: Path) -> None:
    response = decaying(count, delay)
    wet = room(tmp_path, response)(SIGNAL, np.random.default_rng(0))[:, 0].numpy()
    dry = SIGNAL[:, 0].double().numpy()
    expected = np.convolve(dry, response.astype(np.float32))[delay : delay + len(dry)]
    expected *= np.sqrt((dry**2).sum() / (expected**2).sum())
    np.testing.assert_allclose(wet, expected, atol=1e-6)
    assert float(np.square(wet).sum()) == pytest.approx(float(np.square(dry).sum()), rel=1e-4)


def test_a_delayed_click_changes_nothing(tmp_path: Path) -> None:
    click = np.zeros(300)
    click[120] = -0.25  # quieter and upside down
    wet = room(tmp_path, click)(SIGNAL, np.random.default_rng(0))
    torch.testing.assert_close(wet, -SIGNAL, atol=1e-6, rtol=0)


def test_the_first_channel_counts(tmp_path: Path) -> None:
    one, other = decaying(300, 5), decaying(301, 90)[:300]
    both = room(tmp_path, one, other)(SIGNAL, np.random.default_rng(0))
    (tmp_path / "sub").mkdir()
    assert both.equal(room(tmp_path / "sub", one)(SIGNAL, np.random.default_rng(0)))


def test_share_and_draw(tmp_path: Path) -> None:
    room(tmp_path, decaying(300, 5), name="b.wav")
    room(tmp_path, decaying(200, 5))
    augment = RoomReverb(str(tmp_path), 0.4, RATE)
    found = [augment(SIGNAL, np.random.default_rng(seed)) for seed in range(200)]
    assert sum(not each.equal(SIGNAL) for each in found) == pytest.approx(80, abs=28)
    assert len({each.numpy().tobytes() for each in found}) == 3
    assert found[7].equal(augment(SIGNAL, np.random.default_rng(7)))


def test_silence_stays(tmp_path: Path) -> None:
    silence = torch.zeros(100, 1)
    assert room(tmp_path, decaying(300, 5))(silence, np.random.default_rng(0)).equal(silence)


def test_what_is_no_impulse_response_is_named(tmp_path: Path) -> None:
    augment = room(tmp_path, np.zeros(50))
    with pytest.raises(UserError, match=r"a\.wav: is silent"):
        augment(SIGNAL, np.random.default_rng(0))
    with pytest.raises(UserError, match=r"b\.wav: lasts 21 s"):
        room(tmp_path, np.ones(21 * RATE), name="b.wav")
    with pytest.raises(ValueError, match="probability=-1"):
        RoomReverb(str(tmp_path), -1)
    with pytest.raises(ValueError, match="folder is missing"):
        RoomReverb()
