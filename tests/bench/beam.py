"""How many utterances a second beam search decodes, beside other libraries: `python tests/bench/beam.py [BEAM_SIZE]`.

T' = 500, V = 29, one thread, no language model, in one run, on the synthetic log-probs of `seqrec bench decode`.
`pyctcdecode` and `fast-ctc-decode` are measured where they are installed (pyctcdecode needs numpy<2), each with its own
pruning as it comes, at the same beam; fast-ctc-decode also with our threshold for tokens, which it has no name for.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from time import process_time

import numpy as np
import torch

from seqrec.benchmark.decoding import FRAMES, LETTERS, UTTERANCES, synthetic_log_probs
from seqrec.ctc.beam import BeamDecoder
from seqrec.sequence import Emissions

ROUNDS = 5
Decode = Callable[[np.ndarray], object]


def decoders(beam_size: int) -> dict[str, Decode]:
    """Return what decodes the log-probs (T', V) of an utterance, by name."""
    ours = BeamDecoder(beam_size)
    length = torch.tensor([FRAMES])
    found: dict[str, Decode] = {"seqrec": lambda row: ours.decode(Emissions(torch.from_numpy(row)[None], length))}
    try:
        import fast_ctc_decode

        search = partial(fast_ctc_decode.beam_search, alphabet="_" + LETTERS, beam_size=beam_size)
        found["fast-ctc-decode"] = lambda row: search(np.exp(row))
        cut = float(np.exp(ours.token_min_logp))
        found["the same, cut"] = lambda row: search(np.exp(row), beam_cut_threshold=cut)
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
    rows = synthetic_log_probs()
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
