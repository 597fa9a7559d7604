"""Recipes made tiny, and how a command ended; for the tests of verbs."""

from __future__ import annotations

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


def tiny_options(recipe: str, data: Path) -> list[str]:
    """The overrides that make a recipe a matter of a second."""
    return [*TINY[recipe], *SMALL_MODEL, f"data_dir={data}"]
