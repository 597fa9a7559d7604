"""The table a sweep ends with: what was changed for each job beside its scores; sweep.csv holds the same."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from seqrec.progress import console

if TYPE_CHECKING:
    from seqrec.cli.sweep import Job

Line = dict[str, Any]  # of one job; scores are fractions, None where it has none
_ABOUT = ("seconds", "epochs", "folder", "failure")
_SCORES = ("dev_wer", "dev_cer", "test_wer", "test_cer")


def show_table(sweep: Path, jobs: Sequence[Job]) -> None:
    """Show the table of the sweep in `sweep`, its best dev CER in bold, and write sweep.csv beside its jobs."""
    lines = tabulate(sweep, jobs)
    path = sweep / "sweep.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    console.print(_table(lines))
    console.print(f"written to {path}", soft_wrap=True, highlight=False)


def tabulate(sweep: Path, jobs: Sequence[Job]) -> list[Line]:
    """Return a line for each job: its number, the overrides that differ between jobs, scores, time, folder.

    Test scores and failures are left out where no job has any.
    """
    chosen = [dict(_key_value(word) for word in job.overrides) for job in jobs]
    keys = dict.fromkeys(key for one in chosen for key in one)
    varied = [key for key in keys if len({one.get(key) for one in chosen}) > 1]
    lines = []
    for job, overrides in zip(jobs, chosen, strict=True):
        about = {"folder": job.folder.relative_to(sweep).as_posix(), "failure": job.failure}
        shown = {key: overrides.get(key) for key in varied}
        lines.append({"job": job.number, **shown, **_scores(job), **about})
    unused = [name for name in (*_SCORES, "failure") if all(line[name] is None for line in lines)]
    return [{name: value for name, value in line.items() if name not in unused} for line in lines]


def _key_value(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key.lstrip("+"), value


def _scores(job: Job) -> Line:
    path = job.folder / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8")) if path.is_file() and not job.failure else {}
    scores = {name: metrics.get(name.split("_")[0], {}).get(name.split("_")[1]) for name in _SCORES}
    train = metrics.get("train", {})
    return {**scores, "seconds": train.get("seconds"), "epochs": train.get("epochs")}


def _table(lines: Sequence[Line]) -> Table:
    shown = [name for name in lines[0] if name not in _ABOUT]
    last_words = [name.rpartition(".")[2] for name in shown]
    table = Table()
    for name, last_word in zip(shown, last_words, strict=True):
        split, _, rate = name.partition("_")
        short = last_word if last_words.count(last_word) == 1 else name
        table.add_column(Text(f"{split} {rate.upper()}" if name in _SCORES else short), justify="right")
    table.add_column("time", justify="right")
    best = min((line["dev_cer"] for line in lines if line.get("dev_cer") is not None), default=None)
    for line in lines:
        cells = [Text(_cell(name, line[name])) for name in shown]
        last = Text("failed" if line["seconds"] is None else f"{line['seconds']:.0f} s")
        is_best = best is not None and line.get("dev_cer") == best
        table.add_row(*cells, last, style="bold" if is_best else None)
    return table


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.2f} %" if name in _SCORES else str(value)
