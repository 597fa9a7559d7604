"""How many utterances a second decoders turn from log-probs into tokens, on one thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import process_time

import numpy as np
import torch

from seqrec.benchmark.results import Measurement
from seqrec.benchmark.rounds import Track, by_turns
from seqrec.parts import Decoder
from seqrec.sequence import Emissions

FRAMES, LETTERS, UTTERANCES = 500, "abcdefghijklmnopqrstuvwxyz '", 20


def synthetic_log_probs(count: int = UTTERANCES) -> np.ndarray:
    """Return log-probs (B, T', V) float32, the same each time.

    A blank or a letter of each frame is likely, another letter is sometimes near.
    """
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.25, (count, FRAMES, len(LETTERS) + 1))
    logits[:, :, 0] += 11
    for rows in logits:
        for frame in random.choice(FRAMES // 2, FRAMES // 8, replace=False) * 2:
            rows[frame, 0] -= 11
            rows[frame, random.integers(1, len(LETTERS) + 1)] += 11 * random.uniform(0.4, 1.1)
            rows[frame, random.integers(1, len(LETTERS) + 1)] += 11 * random.uniform(0, 0.8)
    return torch.tensor(logits, dtype=torch.float32).log_softmax(-1).numpy()


def synthetic_emissions(count: int = UTTERANCES) -> list[Emissions]:
    """Return synthetic log-probs, a batch an utterance."""
    return [Emissions(torch.from_numpy(row)[None], torch.tensor([FRAMES])) for row in synthetic_log_probs(count)]


def bench_decoding(
    decoders: Mapping[str, Decoder], batches: Sequence[Emissions], rounds: int, track: Track
) -> list[Measurement]:
    """Measure decoders by turns, in CPU time of one thread, which other work on the machine hardly changes.

    Args:
        decoders: by name; they know their tokenizer.
        batches: log-probs in main memory.
        rounds: how often; medians are told.
        track: shows progress.
    """
    count = sum(len(batch.lengths) for batch in batches)
    works = {name: partial(_decode, decoder, batches) for name, decoder in decoders.items()}
    with _one_thread():
        seconds = by_turns(works, rounds, track, "decoding")
    return [
        Measurement(f"{name}, one thread", count / max(median(each), 1e-9), "utterances/s", True)
        for name, each in seconds.items()
    ]


def _decode(decoder: Decoder, batches: Sequence[Emissions]) -> float:
    started = process_time()
    for batch in batches:
        decoder.decode(batch)
    return process_time() - started


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
