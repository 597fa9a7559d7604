"""Recipes made tiny, how a command ended, and what a run has logged; for the tests of verbs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TINY = {
    "synth/ink": ["corpus.num_train=60", "corpus.num_dev=8", "corpus.num_test=8", "corpus.num_writers=10"],
    "synth/speech": ["corpus.num_train=24", "corpus.num_dev=4", "corpus.num_test=4"],
}
SMALL_MODEL = ["encoder.hidden_size=12", "encoder.num_layers=1", "data.max_frames=1500", "logger=none"]


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Seqrec = Callable[..., Outcome]


def assert_one_sentence(outcome: Outcome, *words: str) -> None:
    """Check that a mistake was answered with `words` and exit code 2, without a traceback."""
    assert outcome.code == 2, outcome.err
    assert "Traceback" not in outcome.err
    sentences = [line for line in outcome.err.splitlines() if line.startswith("seqrec: ")]
    assert sentences, outcome.err
    for word in words:
        assert word in outcome.err, outcome.err


def tiny_options(recipe: str, data: Path) -> list[str]:
    """The overrides that make a recipe a matter of a second."""
    return [*TINY[recipe], *SMALL_MODEL, f"data_dir={data}"]


def logged(run: Path) -> list[dict[str, str]]:
    """The rows of a run's metrics.csv, but for its speed, which is another each time."""
    with (run / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "examples_per_second"} for row in csv.DictReader(file)]
