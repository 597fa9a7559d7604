"""How fast a recipe's training batches are read: opening manifests, decoding, augmenting, collating, by processes."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from seqrec.augmentation.chain import AugmentationChain
from seqrec.benchmark.results import Measurement
from seqrec.benchmark.rounds import Track
from seqrec.checkpoint import Parts, build_parts
from seqrec.ctc.loss import CTCLoss
from seqrec.data.datamodule import SequenceDataModule
from seqrec.sequence import Batch
from seqrec.share import build
from seqrec.text.tokens import read_tokens
from seqrec.training.fit import build_data

_WORKERS = (0, 1, 2, 4)


def bench_loading(config: Mapping[str, Any], corpus: Path, steps: int, track: Track) -> list[Measurement]:
    """Measure what training waits for when it takes a batch, without training.

    Args:
        config: a recipe's whole config, as plain data.
        corpus: the folder that `prepare` wrote.
        steps: batches that are read for each number of workers.
        track: shows progress.

    Raises:
        UserError: the data are at fault.
    """
    parts = build_parts(config, read_tokens(corpus / "tokens.json"))
    augmentation = AugmentationChain.build(config.get("augmentation") or {}, parts.reader.num_channels)
    ctc: CTCLoss = build(config["ctc"], "ctc")
    for _ in range(2):  # the first time may parse what later times find parsed
        started = perf_counter()
        data = build_data(config, corpus, parts, augmentation, ctc, track)
        data.setup("fit")
    found = [Measurement("opening and surveying train and dev", perf_counter() - started, "s", False)]
    for workers in _worker_numbers(config["data"].get("num_workers")):
        data.num_workers = workers
        found += _reading(data, parts, f"reading, {workers} worker{'s' * (workers != 1)}", steps, track)
    return [*found, _padding(data)]


def _worker_numbers(own: int | None) -> list[int]:
    """Return the numbers of workers to measure: the usual ones that this machine has cores for, and the recipe's."""
    return sorted({*(number for number in _WORKERS if number <= (os.cpu_count() or 1)), own or 0})


def _reading(data: SequenceDataModule, parts: Parts, name: str, steps: int, track: Track) -> list[Measurement]:
    """Read `steps` batches, an epoch after another, behind the first one and those that workers have read ahead."""
    loader = data.train_dataloader()
    ahead = loader.num_workers * (loader.prefetch_factor or 0)
    batches = _without_end(loader)
    examples, length = 0, 0
    started = perf_counter()
    for step in track(range(-1 - ahead, steps), name):
        batch = next(batches)
        if step < 0:
            started = perf_counter()
            continue
        examples += len(batch)
        length += int(batch.signal_lengths.sum())
    seconds = perf_counter() - started
    batches.close()  # ends the workers
    rate = getattr(parts.reader, "sample_rate", None)
    unit = "seconds of sound" if rate else parts.reader.length_unit
    return [
        Measurement(name, examples / seconds, "examples/s", True),
        Measurement(name, length / (rate or 1) / seconds, f"{unit}/s", True),
    ]


def _without_end(loader: DataLoader[Batch]) -> Generator[Batch, None, None]:
    """Yield training batches without end; workers start anew with each epoch, as they do in training."""
    while True:
        yield from loader


def _padding(data: SequenceDataModule) -> Measurement:
    """Tell how much of an epoch's padded batches is no frame of an example."""
    batches = data.train_batches
    assert batches is not None
    frames = [batches.frames[indices].astype(np.int64) for indices in batches]
    padded = sum(len(each) * int(each.max()) for each in frames)
    share = 1 - sum(int(each.sum()) for each in frames) / padded
    return Measurement("padding", 100 * share, "% of frames", None)
