from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from seqrec.cli.console import sample_table, score_table
from seqrec.evaluation import Hypothesis
from seqrec.metrics.rates import ErrorRates


def printed(table: Table) -> str:
    console = Console(file=io.StringIO(), width=400)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_texts_of_manifests_do_not_command_the_terminal() -> None:
    hostile = "\x1b[2J[bold]x[/]\n\u202e"
    shown = printed(sample_table([Hypothesis(hostile, hostile, "é" * 10_000)]))
    assert shown.count(r"\x1b[2J[bold]x[/]\n\u202e") == 2
    assert "\x1b" not in shown
    assert shown.count("é") == 300


def test_names_of_splits_are_no_markup() -> None:
    shown = printed(score_table({"my[b]manifest": (ErrorRates.of(["a b"], ["a c"]), 1.0)}))
    assert "my[b]manifest" in shown
    assert "50.00 %" in shown
