"""Recordings in files: what their headers say, and their samples."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
import soundfile

from seqrec.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXTENSIONS = (".wav", ".flac", ".ogg", ".opus", ".mp3")
_CHUNK_HEAD = struct.Struct("<4sI")  # name, bytes
_STREAMED = 0x7FFFFFF0  # sizes from here on stand for "until the end", as programs write them that cannot seek
_SPHERE_START = re.compile(rb"NIST_1A\n *(\d{1,9})\n")  # and the bytes of the header
_SPHERE_FIELD = re.compile(rb"^(\w+) -(?:i|s\d+) (\S+)$", re.MULTILINE)
_SPHERE_SIZES = (b"sample_count", b"sample_n_bytes", b"channel_count")  # the first: of each channel
_LONGEST_SPHERE_HEADER = 1 << 16  # bytes; nearly all have 1024
_LOSSY = ("OGG", "MP3")  # containers whose decoders go astray right after a seek, or in the last page
_BLOCK = 1 << 19  # samples of each channel; 33 seconds at 16 kHz
_RUN_UP_SECONDS = 2  # decoded ahead of a segment of such a file, and thrown away
# ValueError: absurd lengths; TypeError: a name that ends with .raw, of which soundfile wants to be told everything.
_FAILURES = (soundfile.SoundFileError, RuntimeError, OSError, MemoryError, ValueError, TypeError)


@dataclass(frozen=True)
class AudioHeader:
    """What is known of a recording without decoding it."""

    sample_rate: int  # Hz
    num_samples: int  # of each channel
    num_channels: int

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return self.num_samples / self.sample_rate


def read_header(path: Path) -> AudioHeader:
    """Return the header of a recording.

    Of the formats whose header promises a length, WAV and NIST Sphere are compared with what is there; others fail when
    decoded.

    Raises:
        UserError: the file is missing, empty, no recording, or one of these cut short.
    """
    _check_file(path)
    with path.open("rb") as file:
        _check_complete(file, str(path))
    try:
        info = soundfile.info(path)
    except _FAILURES as error:
        raise _undecodable(str(path), error) from None
    if info.frames < 1 or info.samplerate < 1:
        raise UserError(f"{path}: holds no samples; record it again or leave it out")
    return AudioHeader(info.samplerate, info.frames, info.channels)


def decode(path: Path, start: int = 0, num_samples: int | None = None) -> tuple[np.ndarray, int]:
    """Return samples (N, channels) float32 of a file, and its rate in hertz.

    Args:
        path: the recording.
        start: the first sample to return.
        num_samples: how many, where there are so many; None: all.

    Raises:
        UserError: the file is missing, empty, cut short, or no recording.
    """
    _check_file(path)
    with path.open("rb") as file:
        _check_complete(file, str(path))
    return _decode(path, str(path), start, num_samples)


def decode_blocks(path: Path) -> tuple[int, Iterator[np.ndarray]]:
    """Return a file's rate in hertz and its samples in blocks (n, channels) float32: together what `decode` returns.

    Raises:
        UserError: as of `decode`; also while the blocks are gone through.
    """
    return read_header(path).sample_rate, _blocks(path)


def _blocks(path: Path) -> Iterator[np.ndarray]:
    try:
        with soundfile.SoundFile(path) as sound:
            # soundfile itself seeks behind each `read`.
            longest = _RUN_UP_SECONDS * sound.samplerate if sound.format in _LOSSY and sound.seekable() else 0
            done = 0
            while done < sound.frames:
                run_up = min(done, longest)
                if run_up:
                    sound.seek(done - run_up)
                count = min(_BLOCK, sound.frames - done)
                samples = sound.read(run_up + count, dtype="float32", always_2d=True)[run_up:]
                if not len(samples):  # the header promised more
                    break
                yield samples
                done += len(samples)
    except _FAILURES as error:
        raise _undecodable(str(path), error) from None


def decode_bytes(data: bytes, name: str, start: int = 0, num_samples: int | None = None) -> tuple[np.ndarray, int]:
    """Return what `decode` returns, of a file's content `data` that messages call `name`."""
    if not data:
        raise UserError(f"{name}: is empty (0 bytes); record or copy it again")
    _check_complete(io.BytesIO(data), name)
    return _decode(io.BytesIO(data), name, start, num_samples)


def _decode(file: Path | IO[bytes], name: str, start: int, num_samples: int | None) -> tuple[np.ndarray, int]:
    try:
        with soundfile.SoundFile(file) as sound:
            first = min(start, sound.frames)
            count = sound.frames - first if num_samples is None else min(num_samples, sound.frames - first)
            run_up = _RUN_UP_SECONDS * sound.samplerate if sound.format in _LOSSY else 0
            run_up = min(first, run_up) if sound.seekable() else first  # GSM 6.10, among others, goes forwards only
            if sound.seekable():
                sound.seek(first - run_up)
            samples = sound.read(run_up + count, dtype="float32", always_2d=True)
            return samples[run_up:], sound.samplerate
    except _FAILURES as error:
        raise _undecodable(name, error) from None


def _undecodable(name: str, error: BaseException) -> UserError:
    return UserError(f"{name}: cannot be decoded as audio ({error}); convert it to WAV or FLAC")


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise UserError(
            f"{path}: {'is a folder, not a recording' if path.is_dir() else 'no such file'}; check the path"
        )
    if path.stat().st_size == 0:
        raise UserError(f"{path}: is empty (0 bytes); record or copy it again")


def _check_complete(file: IO[bytes], name: str) -> None:
    """Refuse a WAV or NIST Sphere file cut short, which libsndfile would read as far as it goes without a word."""
    total = file.seek(0, io.SEEK_END)
    file.seek(0)
    find = {b"RIFF": _wav_samples, b"NIST": _sphere_samples}.get(file.read(4))
    promised = find(file) if find else None
    if promised is not None and total < promised.stop:
        left, size = max(0, total - promised.start), promised.stop - promised.start
        raise UserError(f"{name}: is cut short, {left} of {size} bytes of samples are there; copy it again")


def _wav_samples(file: IO[bytes]) -> range | None:
    """Return where the samples lie, in bytes, by the header; None where it does not say."""
    file.seek(12)
    while len(head := file.read(8)) == _CHUNK_HEAD.size:
        chunk, size = _CHUNK_HEAD.unpack(head)
        if chunk == b"data":
            return range(file.tell(), file.tell() + size) if size < _STREAMED else None
        file.seek(size + size % 2, 1)  # chunks are padded to even sizes
    return None


def _sphere_samples(file: IO[bytes]) -> range | None:
    """Return where the samples lie, in bytes, by the header; None where it does not say, or they are packed."""
    file.seek(0)
    first = _SPHERE_START.match(file.read(32))
    start = int(first[1]) if first else 0
    file.seek(0)
    header, end, _ = file.read(min(start, _LONGEST_SPHERE_HEADER)).partition(b"\nend_head")
    values = dict(_SPHERE_FIELD.findall(header))
    try:
        count, width, channels = (int(values[name]) for name in _SPHERE_SIZES)
    except (KeyError, ValueError):
        return None
    is_packed = b"," in values.get(b"sample_coding", b"pcm")  # such as pcm,embedded-shorten-v2.00
    return range(start, start + count * width * channels) if end and not is_packed else None
