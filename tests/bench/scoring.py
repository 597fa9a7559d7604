"""How fast 100,000 utterances are scored: counts of edits beside jiwer's, and the whole command.

Run: python tests/bench/scoring.py [UTTERANCES]

Seconds are of this process's CPU, so that other work on the machine does not count; the best of five.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

import jiwer
import numpy as np

from seqrec.metrics.edits import count_character_edits, count_word_edits
from seqrec.metrics.intervals import bootstrap_interval
from seqrec.metrics.scored import score_pairs


def main(count: int) -> None:
    references, hypotheses = texts(count)
    ids = [f"u{i}" for i in range(count)]
    say("WER", count, seconds(lambda: count_word_edits(references, hypotheses)))
    say("CER", count, seconds(lambda: count_character_edits(references, hypotheses)))
    say("score_pairs (both, an object each)", count, seconds(lambda: score_pairs(ids, references, hypotheses)))
    say("WER by jiwer", count, seconds(lambda: jiwer.process_words(references, hypotheses), times=1))
    scored = score_pairs(ids, references, hypotheses)
    edits = np.array([(one.characters.errors, one.characters.reference_length) for one in scored])
    speakers = [f"s{i % 500}" for i in range(count)]
    say("interval of the CER", count, seconds(lambda: bootstrap_interval(edits[:, 0], edits[:, 1])))
    say("the same by speaker", count, seconds(lambda: bootstrap_interval(edits[:, 0], edits[:, 1], speakers)))
    say("seqrec score, the whole command", count, whole_command(references, hypotheses))


def texts(count: int) -> tuple[list[str], list[str]]:
    """Draw references of 3 to 20 of 20,000 words, and hypotheses with a WER of about 10 %."""
    source = random.Random(0)
    words = [f"w{i}" for i in range(20_000)]
    references, hypotheses = [], []
    for _ in range(count):
        reference = source.choices(words, k=source.randint(3, 20))
        found: list[str] = []
        for word in reference:
            chance = source.random()
            found += [] if chance < 0.02 else [source.choice(words)] if chance < 0.08 else [word]
            found += [source.choice(words)] if chance > 0.98 else []
        references.append(" ".join(reference))
        hypotheses.append(" ".join(found))
    return references, hypotheses


def seconds(work: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        started = process_time()
        work()
        best = min(best, process_time() - started)
    return best


def whole_command(references: list[str], hypotheses: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("ref.txt", "hyp.txt")]
        for path, lines in zip(paths, (references, hypotheses), strict=True):
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        before = getrusage(RUSAGE_CHILDREN)
        code = "import sys; from seqrec.cli.score import main; main(sys.argv[1:])"
        subprocess.run([sys.executable, "-c", code, *map(str, paths)], check=True, stdout=subprocess.DEVNULL)
        after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def say(what: str, count: int, taken: float) -> None:
    print(f"{what:<36}{taken:8.3f} s {count / taken:12,.0f} utterances/s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
