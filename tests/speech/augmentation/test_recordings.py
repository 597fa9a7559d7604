"""A folder of recordings: what is read of it, how it goes round, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seqrec.errors import UserError
from seqrec.speech.augmentation import recordings
from seqrec.speech.augmentation.recordings import Recordings

RATE = 8000


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="FLOAT" if path.suffix.lower() == ".wav" else None)
    return path


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, count).astype(np.float32)


def test_sorted_at_any_depth_whatever_else_lies_there(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, noise(100)) for name in ("b/a.wav", "a.flac", "c/d/e.WAV")]
    (tmp_path / "notes.txt").write_text("no recording")
    (tmp_path / "c/around").symlink_to(tmp_path, target_is_directory=True)
    assert Recordings(str(tmp_path), RATE).paths == sorted(paths)


def test_one_channel_at_one_rate(tmp_path: Path) -> None:
    stereo = np.stack([noise(200), noise(200, 1)], axis=1)
    write(tmp_path / "a.wav", stereo)
    write(tmp_path / "b.wav", noise(300), 4000)
    found = Recordings(str(tmp_path), RATE)
    torch.testing.assert_close(found[0][:, 0], torch.from_numpy(stereo.mean(axis=1)))
    assert [len(found[0]), len(found[1])] == [found.length(0), found.length(1)] == [200, 600]
    assert Recordings(str(tmp_path), RATE, first_channel=True)[0][:, 0].numpy().tolist() == stereo[:, 0].tolist()


@pytest.mark.parametrize("longest", [60, 0], ids=["kept", "read in stretches"])
def test_a_stretch_goes_round(longest: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_WHOLE_SECONDS", longest)
    samples = noise(500)
    write(tmp_path / "a.wav", samples)
    found = Recordings(str(tmp_path), RATE)
    for start, count in [(0, 500), (100, 300), (499, 1), (450, 100), (7, 1700)]:
        expected = np.tile(samples, 5)[start : start + count]
        assert found.stretch(0, start, count)[:, 0].numpy().tolist() == expected.tolist()


@pytest.mark.parametrize("rate", [4000, 11025, 16000])
def test_a_stretch_of_a_long_recording_is_that_of_the_whole(
    rate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = np.arange(2 * rate) / rate
    write(tmp_path / "a.wav", np.sin(2 * np.pi * 200 * time).astype(np.float32), rate)
    whole = Recordings(str(tmp_path), RATE)
    monkeypatch.setattr(recordings, "_WHOLE_SECONDS", 0)
    parts = Recordings(str(tmp_path), RATE)
    for start, count in [(0, 900), (1001, 5000), (parts.length(0) - 700, 700)]:
        stretch = parts.stretch(0, start, count)
        assert len(stretch) == count
        expected = whole[0][start : start + count]
        assert float((stretch - expected)[100:-100].abs().max()) < 2 * np.pi * 200 / rate + 0.01  # up to a sample off


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_CACHE_BYTES", 2000)
    for name in "abc":
        write(tmp_path / f"{name}.wav", noise(200))
    found = Recordings(str(tmp_path), RATE)
    first, second = found[0], found[1]
    assert found[0] is first
    assert found[2] is not None  # 2,400 bytes: the one not used for longest goes
    assert found[0] is first
    assert found[1] is not second
    assert found[1].equal(second)
    assert len(pickle.loads(pickle.dumps(found))) == 3  # workers may be spawned


def test_an_example_never_changes_what_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", noise(100))
    found = Recordings(str(tmp_path), RATE)
    assert found.stretch(0, 90, 50).equal(found.stretch(0, 90, 50))


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    for folder, named in [("gone", "no such folder"), ("a.txt", "is a file"), (".", "holds no recordings")]:
        with pytest.raises(ValueError, match=f"folder=.*: {named}"):
            Recordings(str(tmp_path / folder), RATE)


@pytest.mark.parametrize(
    ("content", "named"),
    [(b"", "empty"), (b"RIFF what is this", "cannot be decoded"), (b"\0" * 5000, "cannot be decoded")],
)
def test_a_broken_recording_is_named_before_training(content: bytes, named: str, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", noise(100))
    (tmp_path / "b.wav").write_bytes(content)
    with pytest.raises(UserError, match=rf"b\.wav: .*{named}"):
        Recordings(str(tmp_path), RATE)


def test_what_only_decoding_shows_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.full(10, np.nan))
    with pytest.raises(UserError, match=r"a\.wav: 10 of 10 samples are NaN"):
        Recordings(str(tmp_path), RATE)[0]


def test_an_absurd_rate_is_named_before_training(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", noise(10), 7)
    with pytest.raises(UserError, match=r"a\.wav: its rate of 7 Hz"):
        Recordings(str(tmp_path), RATE)
