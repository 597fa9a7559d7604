"""How many times faster than real time 5,000 utterances are aligned: `python tests/bench/align.py [THREADS]`.

Utterances of 4 seconds on average (2 to 6), 33 output frames a second, a label for each 3 or so frames, 29 tokens,
sorted into batches of 64 as an evaluation makes them. Every path must read its target again, and those of a few
utterances must be those of the recursion in plain Python. Beside it runs torchaudio's forced alignment, one utterance
at a time as that takes no batch on a CPU, where its compiled part is installed; CPU-only torch has none. CPU seconds
of all threads stand beside the wall clock's, which other work on the machine makes longer.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqrec.ctc.align import Alignment, align
from seqrec.sequence import Emissions

UTTERANCES = 5000
BATCH = 64
FRAMES_A_SECOND = 100 / 3
FRAMES = (66, 200)  # 2 to 6 seconds
TOKENS = 29
Utterance = tuple[Tensor, Tensor]  # log-probs (T', V) and target (U,)


def utterances() -> list[Utterance]:
    """Draw log-probs that lean to their target, as a recogniser's do."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for num_frames in torch.randint(*FRAMES, (UTTERANCES,), generator=generator).sort().values.tolist():
        target = torch.randint(1, TOKENS, (int(num_frames * 0.3),), generator=generator)
        logits = 2 * torch.randn(num_frames, TOKENS, generator=generator)
        logits[:, 0] += 2
        logits[torch.linspace(1, num_frames - 2, len(target)).long(), target] += 5
        found.append((logits.log_softmax(-1), target))
    return found


def batches_of(drawn: list[Utterance]) -> list[tuple[Emissions, Tensor, Tensor]]:
    parts = [drawn[first : first + BATCH] for first in range(0, len(drawn), BATCH)]
    return [
        (
            Emissions(
                pad_sequence([row for row, _ in part], batch_first=True), torch.tensor([len(r) for r, _ in part])
            ),
            pad_sequence([target for _, target in part], batch_first=True),
            torch.tensor([len(target) for _, target in part]),
        )
        for part in parts
    ]


def check(drawn: list[Utterance], alignments: list[Alignment]) -> None:
    """Compare with the test's plain Python for some, and read every path again."""
    path = Path(__file__).parents[1] / "ctc" / "test_align.py"
    spec = importlib.util.spec_from_file_location("test_align", path)
    assert spec is not None
    assert spec.loader is not None
    oracle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(oracle)
    rows = [
        (labels, score)
        for found in alignments
        for labels, score in zip(found.labels, found.log_probs.tolist(), strict=True)
    ]
    for number, ((log_probs, target), (labels, score)) in enumerate(zip(drawn, rows, strict=True)):
        runs = labels[labels >= 0].unique_consecutive()
        assert runs.equal(torch.arange(len(target))), number
        if number % 250 == 0:
            assert (labels[: len(log_probs)].tolist(), score) == oracle.slow_align(log_probs, target.tolist()), number


def measure(name: str, run: Callable[[], object], seconds: float) -> None:
    times, busy = [], []
    for _ in range(5):
        started, worked = perf_counter(), process_time()
        run()
        times.append(perf_counter() - started)
        busy.append(process_time() - worked)
    print(
        f"{name}: {median(times):.2f} s (fastest {min(times):.2f}), {seconds / median(times):,.0f} x real time "
        f"(fastest {seconds / min(times):,.0f}), {median(busy):.2f} CPU seconds"
    )


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    drawn = utterances()
    frames = sum(len(log_probs) for log_probs, _ in drawn)
    seconds = frames / FRAMES_A_SECOND
    labels = sum(len(target) for _, target in drawn)
    print(
        f"{UTTERANCES:,} utterances, {seconds / 3600:.1f} hours, {frames / UTTERANCES:.0f} frames and "
        f"{labels / UTTERANCES:.0f} labels each on average, {torch.get_num_threads()} threads"
    )
    batches = batches_of(drawn)
    check(drawn, [align(*batch) for batch in batches])
    measure("seqrec", lambda: [align(*batch) for batch in batches], seconds)
    try:
        from torchaudio.functional import forced_align

        forced_align(drawn[0][0][None], drawn[0][1][None])
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        print(f"torchaudio: not measured, its forced_align does not run here ({type(error).__name__})")
        return
    measure("torchaudio", lambda: [forced_align(row[None], target[None]) for row, target in drawn], seconds)


if __name__ == "__main__":
    main()
