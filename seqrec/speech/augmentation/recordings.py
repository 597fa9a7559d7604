"""A user's folder of recordings, such as noises and impulse responses, at one rate and read when asked for."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from seqrec.formats.audio import EXTENSIONS, AudioHeader, decode, read_header
from seqrec.speech.audio import AudioReader
from seqrec.speech.resampling import resampled_length

_CACHE_BYTES = 128 << 20  # of decoded recordings, in each process
_WHOLE_SECONDS = 60  # a longer recording is not kept: only the stretch that is asked for is decoded


class Recordings:
    """The recordings below a folder, sorted by path, as float32 signals of one channel.

    All headers are read at once, so that a recording that cannot be used is told before training.

    Args:
        folder: where they lie, at any depth; links to folders are not followed.
        sample_rate: hertz they are resampled to.
        first_channel: take the first of several channels instead of their average.

    Raises:
        ValueError: the folder is not there or holds none.
        UserError: one of them is broken, or of a rate that cannot be resampled.
    """

    def __init__(self, folder: str, sample_rate: int, first_channel: bool = False) -> None:
        self.paths = _list(Path(folder))
        self._reader = AudioReader(sample_rate)
        self._first_channel = first_channel
        self._headers = [read_header(path) for path in self.paths]
        by_rate = {header.sample_rate: path for path, header in zip(self.paths, self._headers, strict=True)}
        for rate, path in by_rate.items():  # refuses what cannot be resampled
            self._reader.convert(torch.zeros(1, 1).numpy(), rate, str(path))
        self._cache: OrderedDict[int, Tensor] = OrderedDict()
        self._cached_bytes = 0

    def __len__(self) -> int:
        return len(self.paths)

    def length(self, index: int) -> int:
        """Return how many samples a recording has, by its header."""
        header = self._headers[index]
        return resampled_length(header.num_samples, header.sample_rate, self._reader.sample_rate)

    def seconds(self, index: int) -> float:
        """Return how long a recording is, by its header."""
        return self._headers[index].duration

    def __getitem__(self, index: int) -> Tensor:
        """Return a recording (N, 1), from memory where it is short and was there before."""
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        signal = self._decode(index, 0, None)
        if self.seconds(index) <= _WHOLE_SECONDS:
            self._cache[index] = signal
            self._cached_bytes += signal.nbytes
        while self._cached_bytes > _CACHE_BYTES:
            self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
        return signal

    def stretch(self, index: int, start: int, count: int) -> Tensor:
        """Return `count` samples (count, 1) of a recording from `start` on, going round at its end."""
        if self.seconds(index) > _WHOLE_SECONDS and start + count <= self.length(index):
            signal = self._long_stretch(self._headers[index], index, start, count)
            start = 0
        else:
            signal = self[index]
        if start + count <= len(signal):
            return signal[start : start + count]
        return signal[torch.arange(start, start + count) % len(signal)]

    def _long_stretch(self, header: AudioHeader, index: int, start: int, count: int) -> Tensor:
        ratio = header.sample_rate / self._reader.sample_rate
        return self._decode(index, int(start * ratio), int((count + 1) * ratio) + 1)

    def _decode(self, index: int, start: int, num_samples: int | None) -> Tensor:
        samples, rate = decode(self.paths[index], start, num_samples)
        samples = samples[:, :1] if self._first_channel else samples
        return self._reader.convert(samples, rate, str(self.paths[index]))


def _list(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"folder={folder}: {'is a file' if folder.exists() else 'no such folder'}; check the path")
    found = [
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(EXTENSIONS)
    ]
    if not found:
        raise ValueError(f"folder={folder}: holds no recordings; put some there, as {', '.join(EXTENSIONS)}")
    return sorted(found)
