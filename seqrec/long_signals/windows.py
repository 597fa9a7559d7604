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
    """A front-end whose features depend on samples near them alone, but for the statistics they are normalised by."""

    window: int  # samples of a frame
    hop: int  # samples from frame to frame
    num_features: int  # F

    @property
    def edge_frames(self) -> int:
        """How many frames on either side a frame's features depend on."""
        ...

    @property
    def needs_statistics(self) -> bool:
        """Whether `normalise` must be told statistics of the whole signal."""
        ...

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Compute the features of a batch before they are normalised."""
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


def extract_blocks(frontend: LocalFrontEnd, blocks: Iterable[Tensor]) -> Iterator[Tensor]:
    """Yield features (T, F), not normalised, of a signal in blocks (n, C); together those of the whole signal."""
    edge, hop = frontend.edge_frames, frontend.hop
    rest, before = None, 0  # samples from some frame on, and how many of their frames are only there to be seen
    for block in blocks:
        rest = block if rest is None else torch.cat([rest, block])
        ready = (len(rest) - frontend.window) // hop + 1 - edge
        if ready > before:
            yield _extract(frontend, rest)[before:ready]
            kept = max(0, ready - edge)
            rest, before = rest[kept * hop :], ready - kept
    if rest is not None:
        values = _extract(frontend, rest) if len(rest) >= frontend.window else rest.new_zeros(0, frontend.num_features)
        yield values[before:]


def _extract(frontend: LocalFrontEnd, signal: Tensor) -> Tensor:
    return frontend.extract(signal[None], torch.tensor([len(signal)], device=signal.device)).values[0]


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
