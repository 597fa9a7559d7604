"""Reading recordings: any rate and channel count that libsndfile decodes, to one rate and one channel."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.formats.audio import EXTENSIONS, decode, decode_blocks, decode_bytes, read_header
from seqrec.formats.samples import check_samples, samples_of
from seqrec.parts import Inspection
from seqrec.speech.inspection import draw_spectrogram, inspect_samples
from seqrec.speech.resampling import check_resampling, resample, resample_blocks, resampled_length

if TYPE_CHECKING:
    from seqrec.manifest import Manifest, Row

logger = logging.getLogger(__name__)
_MOST_SAMPLES, _MOST_HERTZ = 1 << 36, (1 << 31) - 1  # 49 days at 16 kHz; what an index holds


class AudioReader:
    """Reads recordings as float32 signals (N, 1) in [-1, 1] at `sample_rate` hertz.

    Args:
        sample_rate: hertz the front-end works at; other rates are resampled, several channels averaged, both said once.
    """

    num_channels = 1
    extensions = EXTENSIONS
    source_key = "audio"
    length_unit = "samples"
    caches_signals = False  # files decode fast, and their samples would take several times their room

    def __init__(self, sample_rate: int = 16000) -> None:
        if sample_rate < 1:
            raise ValueError(f"sample_rate={sample_rate}: a rate is a positive number of hertz")
        self.sample_rate = sample_rate
        self._said: set[str] = set()

    def signal_length(self, row: Row) -> int:
        """Return N for a row of a manifest, from its `num_samples` and `sample_rate`, opening nothing."""
        num_samples, rate = _count(row, "num_samples"), _count(row, "sample_rate", _MOST_HERTZ)
        return resampled_length(num_samples, rate, self.sample_rate)

    def signal_lengths(self, manifest: Manifest, rows: slice) -> np.ndarray:
        """Return N (rows,) int64 of some rows of a manifest, as `signal_length` does."""
        lengths, rates = np.array(manifest.numbers("num_samples", rows)), manifest.numbers("sample_rate", rows)
        for index in np.flatnonzero((lengths < 1) | (lengths > _MOST_SAMPLES) | (rates < 1)):
            self.signal_length(manifest[range(len(manifest))[rows][index]])  # raises, and names it
        for rate in np.unique(rates):
            if rate != self.sample_rate:
                lengths[rates == rate] = resampled_length(lengths[rates == rate], int(rate), self.sample_rate)
        return lengths

    def read(self, row: Row, folder: Path, data: bytes | None = None) -> Tensor:
        """Read the recording of a row: its `audio` is a path relative to `folder`, or `data` is the file's content.

        A row with `start_sample` is a segment: `num_samples` from there on. A row with `channel` (from 0) is that
        channel alone of a file with several.
        """
        path, segment = _path(row), _segment(row)
        try:
            return self.convert(*_decode_row(row, segment, folder, data), str(folder / path))
        except UserError as error:
            raise UserError(f"example `{row.id}`: {error}") from None

    def inspect(self, row: Row, folder: Path, data: bytes | None = None) -> Inspection:
        """Look into the recording of a row, at its own rate and with all its channels."""
        name, segment = str(folder / _path(row)), _segment(row)
        try:
            samples, rate = _decode_row(row, segment, folder, data)
            check_samples(samples, name)
            if rate != self.sample_rate:
                check_resampling(rate, self.sample_rate, name)
        except UserError as error:
            raise UserError(f"example `{row.id}`: {error}") from None
        return inspect_samples(samples, rate, resampled_length(len(samples), rate, self.sample_rate))

    def draw(self, signal: Tensor, axes: Any) -> None:
        """Draw the log-mel bands of a signal (N, 1) into Matplotlib's axes."""
        draw_spectrogram(signal, self.sample_rate, axes)

    def load(self, source: str | Path | np.ndarray | Tensor, sample_rate: int | None = None) -> Tensor:
        """Read a file, or take an array (N,) or (N, channels) at `sample_rate` hertz (default: the reader's own)."""
        if isinstance(source, (str, Path)):
            samples, sample_rate = decode(Path(source))
            return self.convert(samples, sample_rate, str(source))
        return self.convert(samples_of(source), sample_rate or self.sample_rate, "array")

    def convert(self, samples: np.ndarray, rate: int, name: str) -> Tensor:
        """Check samples (N, channels), mix them down and resample them to (N', 1)."""
        signal = self._mix(samples, name)
        if rate != self.sample_rate:
            self._check_rate(rate, name)
            signal = resample(signal, rate, self.sample_rate)
        return signal[:, None]

    def blocks(self, path: Path) -> RecordingBlocks:
        """Open a file that may be too long to `load`; what comes in its blocks is the same."""
        header = read_header(path)
        return RecordingBlocks(self, path, resampled_length(header.num_samples, header.sample_rate, self.sample_rate))

    def convert_blocks(self, path: Path) -> Iterator[Tensor]:
        """Yield a file's signal in blocks (n, 1), one after the other; together what `load` returns."""
        rate, blocks = decode_blocks(path)
        signal: Iterator[Tensor] = (self._mix(samples, str(path)) for samples in blocks)
        if rate != self.sample_rate:
            self._check_rate(rate, str(path))
            signal = resample_blocks(signal, rate, self.sample_rate)
        return (block[:, None] for block in signal)  # (n,) -> (n, 1)

    def _mix(self, samples: np.ndarray, name: str) -> Tensor:
        check_samples(samples, name)
        if samples.shape[1] > 1:
            self._say_once(name, f"mixing {samples.shape[1]} channels down to one (said once)")
        return torch.from_numpy(samples.mean(axis=1, dtype=np.float32))  # (N, channels) -> (N,)

    def _check_rate(self, rate: int, name: str) -> None:
        check_resampling(rate, self.sample_rate, name)
        self._say_once(name, f"resampling {rate} Hz to {self.sample_rate} Hz (said once for each rate)")

    def _say_once(self, name: str, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            logger.warning(f"{name}: {message}")


@dataclass(frozen=True)
class RecordingBlocks:
    """A recording in blocks (n, 1) of constant size, decoded anew each time they are gone through."""

    reader: AudioReader
    path: Path
    length: int  # N, as the header promises it

    def __iter__(self) -> Iterator[Tensor]:
        return self.reader.convert_blocks(self.path)


def _path(row: Row) -> str:
    path = row.fields.get("audio")
    if not isinstance(path, str):
        raise UserError(f"example `{row.id}`: `audio`={path!r} is not a path; prepare the corpus again")
    return path


def _decode_row(row: Row, segment: tuple[int, int | None], folder: Path, data: bytes | None) -> tuple[np.ndarray, int]:
    """Return samples (N, channels) of a row's recording, and their rate; of one channel, where the row names it."""
    path = _path(row)
    samples, rate = decode(folder / path, *segment) if data is None else decode_bytes(data, path, *segment)
    channel = row.fields.get("channel")
    if channel is None:
        return samples, rate
    if not isinstance(channel, int) or isinstance(channel, bool) or not 0 <= channel < samples.shape[1]:
        raise UserError(
            f"{path}: `channel` is {short_repr(channel)}, no number from 0 to {samples.shape[1] - 1}; prepare it again"
        )
    return samples[:, channel : channel + 1], rate  # (N, channels) -> (N, 1)


def _count(row: Row, name: str, most: int = _MOST_SAMPLES) -> int:
    value = row.fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise UserError(f"example `{row.id}`: `{name}` is {short_repr(value)}, not a count; prepare the corpus again")
    return value


def _segment(row: Row) -> tuple[int, int | None]:
    """Return the first sample of a row's recording, and how many there are (None: to its end)."""
    start = row.fields.get("start_sample")
    if start is None:
        return 0, None
    if not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise UserError(f"example `{row.id}`: `start_sample` is {short_repr(start)}, not a count of samples; mend it")
    return start, _count(row, "num_samples")
