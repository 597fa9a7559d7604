"""Signals to measure recognition with: some of a manifest, or synthetic ones where no corpus is at hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqrec.benchmark.rounds import Track
from seqrec.data.batching import FrameBatches
from seqrec.data.dataset import ManifestDataset
from seqrec.errors import UserError
from seqrec.parts import Reader
from seqrec.sequence import Emissions, pad_signals
from seqrec.transcriber import Transcriber

_STROKE_POINTS = 12
_BATCH = 16


@dataclass(frozen=True)
class Signals:
    """What is recognised."""

    values: Sequence[Tensor]  # (N, C) each
    source: str  # where they come from, in words
    seconds: float | None  # of all together; None: they have no rate

    def describe(self) -> str:
        """Say what they are."""
        points = sum(map(len, self.values))
        extent = f"{points:,} points" if self.seconds is None else f"{self.seconds:.1f} s"
        return f"{len(self.values)} {self.source}, {extent}"


def manifest_signals(transcriber: Transcriber, manifest: Path, count: int, track: Track) -> Signals:
    """Read at most `count` examples of a manifest, evenly spread over their lengths.

    Raises:
        UserError: the manifest, a row of it, or a source is at fault.
    """
    parts = transcriber.parts
    dataset = ManifestDataset(manifest, parts.reader, parts.tokenizer)
    order = np.argsort(dataset.reader.signal_lengths(dataset.manifest, slice(0, len(dataset))), kind="stable")
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    values = [dataset.read_batch([int(index)])[1][0] for index in track(order[places].tolist(), "reading examples")]
    return Signals(values, f"of {manifest.stem.removeprefix('manifest-')}", _seconds(parts.reader, values))


def synthetic_signals(reader: Reader, count: int) -> Signals:
    """Make noise of 1 to 10 seconds, or inks of 3 to 30 strokes, the same each time.

    Raises:
        UserError: the reader takes neither.
    """
    random = np.random.default_rng(0)
    rate = getattr(reader, "sample_rate", None)
    shares = np.linspace(0.1, 1, count)
    sources: list[Any] = [
        random.uniform(-0.1, 0.1, int(10 * rate * share)) if rate else _strokes(random, round(30 * share))
        for share in shares
    ]
    try:
        values = [reader.load(source) for source in sources]
    except UserError as error:
        raise UserError(
            f"no examples are at hand, and none can be made for this run ({error}); give manifest=PATH"
        ) from None
    return Signals(values, "synthetic signals", _seconds(reader, values))


def _strokes(random: np.random.Generator, count: int) -> list[Any]:
    """Draw strokes from left to right as lists of [x, y, t], 100 points a second."""
    strokes = []
    for number in range(count):
        steps = random.normal(0, 5, (_STROKE_POINTS, 2)).cumsum(axis=0) + np.array([20 * number, 0])
        times = (number * (_STROKE_POINTS + 5) + np.arange(_STROKE_POINTS)) / 100
        strokes.append(np.column_stack([steps, times]).tolist())
    return strokes


def _seconds(reader: Reader, values: Sequence[Tensor]) -> float | None:
    rate = getattr(reader, "sample_rate", None)
    return sum(map(len, values)) / rate if rate else None


def batches_of_signals(transcriber: Transcriber, signals: Sequence[Tensor], size: int) -> list[list[Tensor]]:
    """Put signals of like length into batches of `size`."""
    lengths = [transcriber.parts.recognizer.frame_lengths(*pad_signals([signal])) for signal in signals]
    batches = FrameBatches(torch.cat(lengths).cpu().numpy(), None, sys.maxsize, size, shuffle=False)
    return [[signals[index] for index in indices] for indices in batches]


@torch.inference_mode()
def emissions_of(transcriber: Transcriber, signals: Sequence[Tensor], track: Track) -> list[Emissions]:
    """Recognise signals in batches, without decoding; the log-probs lie in main memory."""
    found = []
    for batch in track(batches_of_signals(transcriber, signals, _BATCH), "recognising"):
        padded = (each.to(transcriber.device) for each in pad_signals(batch))
        emissions = transcriber.parts.recognizer(*padded)
        found.append(Emissions(emissions.log_probs.cpu(), emissions.lengths.cpu()))
    return found
