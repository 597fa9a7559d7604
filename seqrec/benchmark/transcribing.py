"""How fast a run turns signals into text, by engine: alone, as a user waits for one, and in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from seqrec.benchmark.machine import peak_bytes
from seqrec.benchmark.results import Measurement
from seqrec.benchmark.rounds import Track, by_turns
from seqrec.benchmark.signals import Signals, batches_of_signals
from seqrec.transcriber import Transcriber


@dataclass(frozen=True)
class _Pass:
    """All signals recognised once."""

    alone: np.ndarray  # (signals,) seconds of each at batch 1
    batched: float  # seconds of all batches


def bench_transcribing(
    transcribers: Mapping[str, Transcriber], signals: Signals, batch_size: int, rounds: int, track: Track
) -> list[Measurement]:
    """Measure front-end, network and decoder of each engine, by turns; reading files is not counted.

    Args:
        transcribers: by the name of their engine.
        signals: what is recognised.
        batch_size: examples recognised together.
        rounds: how often; medians are told.
        track: shows progress.
    """
    for device in {torch.device(each.device) for each in transcribers.values() if each.device.startswith("cuda")}:
        torch.cuda.reset_peak_memory_stats(device)
    works: dict[str, Callable[[], _Pass]] = {
        name: partial(_recognise, each, signals.values, batches_of_signals(each, signals.values, batch_size))
        for name, each in transcribers.items()
    }
    passes = by_turns(works, rounds, track, "transcribing")
    found = [measurement for name in passes for measurement in _figures(name, passes[name], signals, batch_size)]
    return [*found, *_memory(transcribers)]


def _recognise(transcriber: Transcriber, signals: Sequence[Tensor], batches: Sequence[Sequence[Tensor]]) -> _Pass:
    alone = []
    for signal in signals:
        started = perf_counter()
        transcriber.recognize([signal])  # ends with text in main memory, so a GPU has done its work
        alone.append(perf_counter() - started)
    started = perf_counter()
    for batch in batches:
        transcriber.recognize(batch)
    return _Pass(np.array(alone), perf_counter() - started)


def _figures(engine: str, passes: Sequence[_Pass], signals: Signals, batch_size: int) -> list[Measurement]:
    alone = np.median([one.alone for one in passes], axis=0)  # (rounds, signals) -> (signals,)
    latencies = [
        Measurement(f"{engine}, batch 1, {name}", 1000 * float(np.percentile(alone, percentile)), "ms", False)
        for name, percentile in (("median latency", 50), ("95th percentile of latency", 95))
    ]
    seconds = {
        f"{engine}, batch 1": float(np.median([one.alone.sum() for one in passes])),
        f"{engine}, batches of {batch_size}": float(np.median([one.batched for one in passes])),
    }
    return [*(_speed(name, each, signals) for name, each in seconds.items()), *latencies]


def _speed(name: str, seconds: float, signals: Signals) -> Measurement:
    if signals.seconds is None:
        return Measurement(name, len(signals.values) / seconds, "inks/s", True)
    return Measurement(name, seconds / signals.seconds, "real-time factor", False)


def _memory(transcribers: Mapping[str, Transcriber]) -> list[Measurement]:
    """Tell the peak of all engines together: a process keeps what the largest of them took."""
    devices = {torch.device(each.device) for each in transcribers.values()}
    peaks = {f"peak memory, {device.type}": peak_bytes(device) for device in sorted(devices, key=str)}
    return [Measurement(name, peak / 1e6, "MB", False) for name, peak in peaks.items() if peak is not None]
