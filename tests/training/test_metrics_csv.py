from __future__ import annotations

import csv
from math import inf
from pathlib import Path

from seqrec.training.metrics_csv import COLUMNS, MetricsCsv


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_rows_are_appended_under_fixed_columns(tmp_path: Path) -> None:
    logger = MetricsCsv(tmp_path / "metrics.csv")
    logger.log_metrics({"epoch": 0, "train_loss": 2.5}, step=9)
    logger.log_metrics({"epoch": 0, "dev_cer": 0.5}, step=10)
    first, second = rows(tmp_path / "metrics.csv")
    assert tuple(first) == COLUMNS
    assert (first["step"], first["train_loss"], first["dev_cer"]) == ("9", "2.5", "")
    assert (second["step"], second["dev_cer"]) == ("10", "0.5")


def test_resuming_keeps_what_came_before_the_step_and_drops_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    interrupted = MetricsCsv(path)
    for step in range(5):
        interrupted.log_metrics({"train_loss": float(step)}, step=step)
    resumed = MetricsCsv(path, resume_step=3)
    resumed.log_metrics({"train_loss": 33.0}, step=3)
    assert [row["train_loss"] for row in rows(path)] == ["0.0", "1.0", "2.0", "33.0"]


def test_a_fresh_run_begins_a_fresh_file(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("left over")
    MetricsCsv(tmp_path / "metrics.csv").log_metrics({"train_loss": 1.0}, step=0)
    assert len(rows(tmp_path / "metrics.csv")) == 1


def test_a_run_fills_the_columns_of_its_steps_and_epochs(ink_run: Path) -> None:
    of_steps = {"epoch", "step", "train_loss", "learning_rate", "gradient_norm", "examples_per_second", "infeasible"}
    of_epochs = {"epoch", "step", "dev_loss", "dev_wer", "dev_cer", "blank_ratio", "length_ratio"}
    assert of_steps | of_epochs == set(COLUMNS)
    found = [{name: float(value) for name, value in row.items() if value} for row in rows(ink_run / "metrics.csv")]
    steps = [row for row in found if "train_loss" in row]
    epochs = [row for row in found if "train_loss" not in row]
    assert steps
    assert [row["epoch"] for row in epochs] == [0, 1]
    for row in steps:
        assert row.keys() == of_steps
        assert row["train_loss"] > 0
        assert 0 < row["learning_rate"] < 1
        assert 0 < row["gradient_norm"] < inf
        assert 0 < row["examples_per_second"] < inf
        assert row["infeasible"] == 0
    for row in epochs:
        assert row.keys() == of_epochs
        assert 0 < row["dev_loss"] < inf
        assert 0 <= row["blank_ratio"] <= 1
        assert 0 <= row["length_ratio"] < inf
