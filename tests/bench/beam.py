"""How many utterances a second beam search decodes, beside other libraries: `python tests/bench/beam.py [BEAM_SIZE]`.

T' = 500, V = 29, one thread, no language model, in one run. The log-probs are synthetic: a blank or a letter of each
frame is likely, another letter is sometimes near. `pyctcdecode` and `fast-ctc-decode` are measured where they are
installed (pyctcdecode needs numpy<2), each with its own pruning as it comes, at the same beam.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from time import process_time

import numpy as np
import torch

from seqrec.ctc.beam import BeamDecoder
from seqrec.sequence import Emissions

FRAMES, LETTERS, UTTERANCES, ROUNDS = 500, "abcdefghijklmnopqrstuvwxyz '", 20, 5
Decode = Callable[[np.ndarray], object]


def random_emissions() -> np.ndarray:
    """Return log-probs (B, T', V)."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.25, (UTTERANCES, FRAMES, len(LETTERS) + 1))
    logits[:, :, 0] += 11
    for rows in logits:
        for frame in random.choice(FRAMES // 2, FRAMES // 8, replace=False) * 2:
            rows[frame, 0] -= 11
            rows[frame, random.integers(1, len(LETTERS) + 1)] += 11 * random.uniform(0.4, 1.1)
            rows[frame, random.integers(1, len(LETTERS) + 1)] += 11 * random.uniform(0, 0.8)
    return torch.tensor(logits, dtype=torch.float32).log_softmax(-1).numpy()


def decoders(beam_size: int) -> dict[str, Decode]:
    """Return what decodes the log-probs (T', V) of an utterance, by name."""
    ours = BeamDecoder(beam_size)
    length = torch.tensor([FRAMES])
    found: dict[str, Decode] = {"seqrec": lambda row: ours.decode(Emissions(torch.from_numpy(row)[None], length))}
    try:
        import fast_ctc_decode

        found["fast-ctc-decode"] = lambda row: fast_ctc_decode.beam_search(np.exp(row), "_" + LETTERS, beam_size)
    except ImportError:
        print("fast-ctc-decode is not installed")
    try:
        import pyctcdecode

        logging.disable(logging.WARNING)
        theirs = pyctcdecode.build_ctcdecoder(["", *LETTERS])
        found["pyctcdecode"] = lambda row: theirs.decode(row, beam_width=beam_size)
    except ImportError:
        print("pyctcdecode is not installed")
    return found


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    beam_size = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    rows = random_emissions()
    found = decoders(beam_size)
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for decode in found.values():
        decode(rows[0])  # compiles
    for _ in range(ROUNDS):  # interleaved, so that what else the machine does falls on all
        for name, decode in found.items():
            started = process_time()
            for row in rows:
                decode(row)
            seconds[name].append(process_time() - started)
    rates = {name: UTTERANCES / float(np.median(each)) for name, each in seconds.items()}
    for name, rate in rates.items():
        print(f"{name:16} {rate:8.1f} utterances/s of CPU time, seqrec is {rates['seqrec'] / rate:.1f} x as fast")


if __name__ == "__main__":
    main()
