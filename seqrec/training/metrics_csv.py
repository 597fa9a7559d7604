"""metrics.csv of a run: a row whenever something is logged; resuming goes on in the same file."""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

COLUMNS = (
    "epoch", "step", "train_loss", "dev_loss", "dev_wer", "dev_cer", "learning_rate",
    "gradient_norm", "examples_per_second", "blank_ratio", "length_ratio", "infeasible",
)  # fmt: skip


class MetricsCsv(Logger):
    """Writes the numbers of a run to one CSV file with fixed columns.

    Lightning's own CSV logger deletes what an interrupted run wrote; this one keeps it, up to the step it goes on from.
    """

    def __init__(self, path: Path, resume_step: int | None = None) -> None:
        super().__init__()
        self.path = path
        self._resume_step = resume_step
        self._started = False

    @property
    def name(self) -> str:
        """The logger's name, for Lightning."""
        return "metrics"

    @property
    def version(self) -> str:
        """The run's own folder stands for its version."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append a row."""
        if not self._started:
            self._start()
        row = {"step": step, **metrics}
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore").writerow(row)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Write nothing: config.yaml holds the whole config."""

    def _start(self) -> None:
        """Begin the file, or drop the rows behind the step that training goes on from."""
        kept: list[dict[str, str]] = []
        if self._resume_step is not None and self.path.is_file():
            with self.path.open(newline="", encoding="utf-8") as file:
                kept = [row for row in csv.DictReader(file) if int(row["step"]) < self._resume_step]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(kept)
        self._started = True
