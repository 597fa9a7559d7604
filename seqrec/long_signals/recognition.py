"""Recognises signals of any length, window by window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqrec.checkpoint import Parts
from seqrec.long_signals.pauses import PauseCutter
from seqrec.long_signals.windows import LocalFrontEnd, Window, Windows, cut_windows, extract_blocks, find_loudest
from seqrec.normalisation import FrameStatistics
from seqrec.recognizer import Recognizer
from seqrec.sequence import Features

_DIVISIBLE = 2_882_880  # frames; every usual stride of an encoder divides it


class Blocks(Protocol):
    """A signal in blocks, which can be gone through again and again."""

    @property
    def length(self) -> int:
        """N, before the blocks are read."""
        ...

    def __iter__(self) -> Iterator[Tensor]:
        """Yield blocks (n, C), one after the other."""
        ...


@runtime_checkable
class BlockReader(Protocol):
    """A reader of signals that go on for hours."""

    sample_rate: int  # hertz

    def blocks(self, path: Path) -> Blocks:
        """Open a file; its blocks together are what `load` returns."""
        ...


@dataclass(frozen=True)
class Piece:
    """What lies between two pauses."""

    log_probs: Tensor  # (T', V)
    signal: Tensor  # (n, C), as much as makes T' frames
    start: int  # its first sample


class LongRecognizer:
    """Recognises signals of any length.

    Args:
        parts: what recognises; see `fits`.
        windows: how signals are cut.
        device: where the recogniser is.
    """

    def __init__(self, parts: Parts, windows: Windows, device: str = "cpu") -> None:
        assert isinstance(parts.recognizer.frontend, LocalFrontEnd)
        assert isinstance(parts.reader, BlockReader)
        self.recognizer = parts.recognizer
        self.frontend = parts.recognizer.frontend
        self.device = device
        self.stride = _encoder_stride(parts.recognizer)
        rate = parts.reader.sample_rate / self.frontend.hop  # frames a second
        # Windows of a chunked encoder begin where its chunks do.
        grid = self.stride * int(getattr(parts.recognizer.encoder, "chunk_size", 1))
        self.context = -(-round(windows.context_seconds * rate) // grid) * grid  # frames
        self.step = max(grid, -(-round(windows.seconds * rate) // grid) * grid)  # frames
        self.batch = max(1, windows.max_frames // (self.step + 2 * self.context))  # windows
        self.cutter = PauseCutter(parts.tokenizer, self.step // self.stride)

    @staticmethod
    def fits(parts: Parts) -> bool:
        """Tell whether a reader gives blocks, and a front-end can compute features of windows."""
        return isinstance(parts.recognizer.frontend, LocalFrontEnd) and isinstance(parts.reader, BlockReader)

    def num_batches(self, length: int) -> int:
        """Return how many batches of windows a signal of `length` samples has."""
        frames = (length - self.frontend.window) // self.frontend.hop + 1
        windows = max(1, -(-(frames - self.context) // self.step))
        return -(-windows // self.batch)

    @torch.inference_mode()
    def pieces(self, blocks: Iterable[Tensor]) -> Iterator[list[Piece]]:
        """Recognise a signal; yield its pieces in order, for each batch of windows those that it completes."""
        loudest = find_loudest(self.frontend, self._on_device(blocks)) if self.frontend.needs_loudest else None
        statistics = self._statistics(blocks, loudest) if self.frontend.needs_statistics else None
        tape = Tape(blocks)
        extracted = extract_blocks(self.frontend, self._on_device(tape), loudest)
        frames = (self._normalise(values, statistics) for values in extracted)
        windows = cut_windows(frames, self.step, self.context)
        rest, start = torch.zeros(0), 0  # log-probs of no piece yet, and the first one's frame
        while batch := list(islice(windows, self.batch)):
            log_probs = self._recognise(batch)
            rest = torch.cat([rest, *log_probs] if len(rest) else log_probs)
            cuts = self.cutter.cuts(rest, is_end=batch[-1].end is None)
            yield [self._piece(rest[one:two], start + one, tape) for one, two in pairwise([0, *cuts])]
            if cuts:
                rest, start = rest[cuts[-1] :].clone(), start + cuts[-1]

    def _statistics(self, blocks: Iterable[Tensor], loudest: Tensor | None) -> FrameStatistics:
        statistics = FrameStatistics(self.frontend.num_features)
        for values in extract_blocks(self.frontend, self._on_device(blocks), loudest):
            statistics.add(values)
        return statistics

    def _on_device(self, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
        return (block.to(self.device) for block in blocks)

    def _normalise(self, values: Tensor, statistics: FrameStatistics | None) -> Tensor:
        features = Features(values[None], torch.tensor([len(values)], device=values.device))
        return self.frontend.normalise(features, statistics).values[0]

    def _recognise(self, windows: list[Window]) -> list[Tensor]:
        """Return the log-probs (T', V) of the windows' own frames."""
        lengths = torch.tensor([len(window.features) for window in windows], device=self.device)
        features = Features(pad_sequence([window.features for window in windows], batch_first=True), lengths)
        emissions = self.recognizer.recognise(features)
        outputs = zip(windows, emissions.log_probs, emissions.lengths.tolist(), strict=True)
        return [
            log_probs[window.start // self.stride : length if window.end is None else window.end // self.stride].cpu()
            for window, log_probs, length in outputs
        ]

    def _piece(self, log_probs: Tensor, frame: int, tape: Tape) -> Piece:
        """Return the piece of log-probs (T', V) that begin at output `frame`."""
        frames = torch.arange(1, (len(log_probs) + 8) * self.stride)
        enough = int(frames[self.recognizer.output_lengths(frames) == len(log_probs)].max())
        start = frame * self.stride * self.frontend.hop
        length = (enough - 1) * self.frontend.hop + self.frontend.window
        return Piece(log_probs.clone(), tape.take(start, length), start)


class Tape:
    """A signal in blocks (n, C) that is gone through once, and of which the last part is kept."""

    def __init__(self, blocks: Iterable[Tensor]) -> None:
        self._blocks = blocks
        self._kept: deque[Tensor] = deque()
        self._start = 0  # of what is kept

    def __iter__(self) -> Iterator[Tensor]:
        for block in self._blocks:
            self._kept.append(block)
            yield block

    def take(self, start: int, length: int) -> Tensor:
        """Return a part of what has passed, and forget what lies before it."""
        while self._kept and self._start + len(self._kept[0]) <= start:
            self._start += len(self._kept.popleft())
        return torch.cat(list(self._kept))[start - self._start :][:length]


def _encoder_stride(recognizer: Recognizer) -> int:
    """Return how many frames enter the encoder for one that leaves."""
    outputs = recognizer.output_lengths(torch.tensor([_DIVISIBLE, 2 * _DIVISIBLE]))
    return _DIVISIBLE // int(outputs[1] - outputs[0])
