"""Resampling in blocks, and recordings read in blocks, against the whole at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.speech.audio import AudioReader
from seqrec.speech.resampling import resample, resample_blocks


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(8000, 16000), (16000, 8000), (44100, 16000), (22050, 16000), (48000, 16000), (11025, 8000)]),
    st.integers(1, 5000),
    st.lists(st.integers(1, 1500), min_size=1, max_size=6),
)
def test_blocks_are_resampled_as_the_whole(rates: tuple[int, int], count: int, sizes: list[int]) -> None:
    signal = torch.from_numpy(np.random.default_rng(count).normal(0, 0.3, count).astype(np.float32))
    blocks, start = [], 0
    while start < count:
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(signal[start : start + size])
        start += size
    found = torch.cat(list(resample_blocks(blocks, *rates)))
    torch.testing.assert_close(found, resample(signal, *rates), atol=1e-5, rtol=1e-5)


def test_no_blocks_are_resampled_to_none() -> None:
    assert list(resample_blocks([], 8000, 16000)) == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_recording_in_blocks_is_the_recording(name: str, rate: int, tmp_path: Path) -> None:
    count = (1 << 19) + 77_777  # one block and a part of the next
    samples = 0.3 * np.sin(np.cumsum(np.linspace(0.01, 1.0, 2 * count).reshape(count, 2), axis=0))
    soundfile.write(tmp_path / name, samples, rate)
    reader = AudioReader(16000)
    whole, blocks = reader.load(tmp_path / name), reader.blocks(tmp_path / name)
    for _ in range(2):  # they can be gone through again
        torch.testing.assert_close(torch.cat(list(blocks)), whole, atol=1e-5, rtol=1e-5)
    assert len(list(blocks)) > 1
    assert blocks.length == len(whole)


def test_what_is_wrong_is_named_while_blocks_are_read(tmp_path: Path) -> None:
    samples = np.zeros((1 << 19) + 9, np.float32)
    samples[-1] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    blocks = iter(AudioReader(16000).blocks(tmp_path / "a.wav"))
    next(blocks)
    with pytest.raises(UserError, match=r"a\.wav: 1 of 9 samples are NaN"):
        next(blocks)
    with pytest.raises(UserError, match="no such file"):
        AudioReader(16000).blocks(tmp_path / "b.wav")
