"""From blocks of a signal to overlapping windows of features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from seqrec.errors import UserError
from seqrec.normalisation import FrameStatistics
from seqrec.sequence import Features


@runtime_checkable
class LocalFrontEnd(Protocol):
    """A front-end whose features depend on samples near them alone, but for two facts about the whole signal.

    These are its loudest band, and the statistics that features are normalised by.
    """

    window: int  # samples of a frame
    hop: int  # samples from frame to frame
    num_features: int  # F

    @property
    def edge_frames(self) -> int:
        """How many frames on either side a frame's features depend on."""
        ...

    @property
    def needs_loudest(self) -> bool:
        """Whether `extract` must be told the loudest band of the whole signal."""
        ...

    @property
    def needs_statistics(self) -> bool:
        """Whether `normalise` must be told statistics of the whole signal."""
        ...

    def loudest(self, signals: Tensor, signal_lengths: Tensor) -> Tensor:
        """Return how loud the loudest band of each signal is (B,)."""
        ...

    def extract(self, signals: Tensor, signal_lengths: Tensor, loudest: Tensor | None = None) -> Features:
        """Compute the features of a batch before they are normalised; `loudest` is of the whole signals."""
        ...

    def normalise(self, features: Features, statistics: FrameStatistics | None = None) -> Features:
        """Normalise features of a part of a signal by statistics of the whole."""
        ...


@dataclass(frozen=True)
class Windows:
    """How long signals are cut; those shorter than two windows are recognised at once.

    Args:
        seconds: of a window, and of the longest piece that is decoded at once; 0: nothing is ever cut.
        context_seconds: seen on either side of a window, beyond its own frames.
        max_frames: frames of the windows recognised together, their context included; at least one window is.

    Raises:
        UserError: a number is negative, or the context is longer than the window.
    """

    seconds: float = 30.0
    context_seconds: float = 5.0
    max_frames: int = 16000

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < float("inf") or self.max_frames < 1:
            raise UserError(f"windows of {self.seconds:g} s, {self.max_frames} frames together: give positive numbers")
        if self.seconds and not 0 <= self.context_seconds <= self.seconds:
            raise UserError(
                f"a context of {self.context_seconds:g} s for windows of {self.seconds:g} s: give 0 to {self.seconds:g}"
            )


@dataclass(frozen=True)
class Window:
    """Some frames of a signal, with their context."""

    features: Tensor  # (T, F)
    start: int  # the first that is the window's own
    end: int | None  # the one behind its last; None: it is the signal's last window, and has none behind it


def extract_blocks(
    frontend: LocalFrontEnd, blocks: Iterable[Tensor], loudest: Tensor | None = None
) -> Iterator[Tensor]:
    """Yield features (T, F), not normalised, of a signal in blocks (n, C); together those of the whole signal.

    `loudest` (1,) is the signal's, as `find_loudest` returns.
    """
    for part, first, end in _parts(frontend, blocks):
        if len(part) >= frontend.window:
            yield frontend.extract(*_batch(part), loudest).values[0, first:end]


def find_loudest(frontend: LocalFrontEnd, blocks: Iterable[Tensor]) -> Tensor:
    """Return how loud the loudest band of a signal in blocks (n, C) is (1,)."""
    parts = (part for part, _, _ in _parts(frontend, blocks) if len(part) >= frontend.window)
    return torch.stack([frontend.loudest(*_batch(part)) for part in parts]).amax(dim=0)


def _parts(frontend: LocalFrontEnd, blocks: Iterable[Tensor]) -> Iterator[tuple[Tensor, int, int | None]]:
    """Yield parts (n, C) of a signal in blocks, and the first and the end of those frames that no other part gives."""
    edge, hop = frontend.edge_frames, frontend.hop
    rest, before = None, 0  # samples from some frame on, and how many of their frames are only there to be seen
    for block in blocks:
        rest = block if rest is None else torch.cat([rest, block])
        ready = (len(rest) - frontend.window) // hop + 1 - edge
        if ready > before:
            yield rest, before, ready
            kept = max(0, ready - edge)
            rest, before = rest[kept * hop :], ready - kept
    if rest is not None:
        yield rest, before, None


def _batch(signal: Tensor) -> tuple[Tensor, Tensor]:
    return signal[None], torch.tensor([len(signal)], device=signal.device)


def cut_windows(features: Iterable[Tensor], step: int, context: int) -> Iterator[Window]:
    """Cut features (T, F), given in pieces, into windows of `step` frames, with `context` <= `step` on either side."""
    rest, start = None, 0  # frames not yet in a window of their own, behind their context, which ends at `start`
    for values in features:
        rest = values if rest is None else torch.cat([rest, values])
        while len(rest) > start + step + context:
            yield Window(rest[: start + step + context], start, start + step)
            rest, start = rest[start + step - context :], context
    if rest is not None:
        yield Window(rest, start, None)
