"""`seqrec compare RUN_A RUN_B`: whether one run is better than another, or chance; and what changed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.options import options_of, split_name
from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.comparison import Comparison, System

USAGE = """usage: seqrec compare RUN_A RUN_B [split=test] [manifest=PATH] [decoder=NAME[,NAME]]

Compares what `seqrec evaluate` has written for both runs: a paired bootstrap, by speaker or writer where they are
known, says whether the difference may be chance; the examples that changed are shown aligned. All of it goes into
comparison.json and comparison.md beside the evaluation of RUN_B, in RUN_B/evaluation/SPLIT-DECODER/.

  split=dev             the split that both were evaluated on
  manifest=PATH         the manifest that both were evaluated on
  decoder=NAME          the decoder of both evaluations, where it is not that of the runs; decoder=greedy,beam
                        takes greedy for RUN_A and beam for RUN_B, which may be the same run
"""
OPTIONS = ("split", "manifest", "decoder")
_SHOWN = 3  # examples of each kind on the terminal


def main(words: Sequence[str]) -> None:
    """Compare the two runs named first in `words`, under the options that follow."""
    if not words or {"-h", "--help"} & set(words):
        print(USAGE, end="")
        return
    runs = [word for word in words if "=" not in word or Path(word).is_dir()]
    if len(runs) != 2:
        raise UserError(f"compare takes two runs, not {len(runs)}: seqrec compare RUN_A RUN_B [split=test]")
    options = options_of([word for word in words if word not in runs], OPTIONS, "compare")
    split = split_name(options)
    from seqrec.comparison import compare
    from seqrec.report.comparison import write_comparison

    decoders = options["decoder"].split(",") if "decoder" in options else [None]
    if len(decoders) > 2:
        raise UserError(f"decoder={options['decoder']}: one for both runs, or two with a comma between")
    found = [
        _find(run, split, decoder, options) for run, decoder in zip(runs, (decoders[0], decoders[-1]), strict=True)
    ]
    (system_a, _), (system_b, folder) = found
    comparison = compare(system_a, system_b)
    write_comparison(comparison, folder)
    _show(comparison, folder)


def _find(run: str, split: str, decoder: str | None, options: Mapping[str, str]) -> tuple[System, Path]:
    """Return a run's evaluation, and its folder."""
    from seqrec.comparison import System, read_hypotheses
    from seqrec.run_folder import open_run, part_name

    folder = open_run(run)
    name = decoder or part_name(folder.read_config()["decoder"])
    evaluation = folder.evaluation(split, name)
    where = f"manifest={options['manifest']}" if "manifest" in options else f"split={split}"
    command = shlex.join(["seqrec", "evaluate", run, where, *([f"decoder={decoder}"] if decoder else [])])
    return System(f"{run} ({name})", read_hypotheses(evaluation / "hypotheses.jsonl", command)), evaluation


def _show(comparison: Comparison, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seqrec.report.comparison import HEADINGS, change_lines, counts, rate_rows, verdict
    from seqrec.report.page import visible

    console = Console(highlight=False, markup=False)
    for name, system in (("A", comparison.a), ("B", comparison.b)):
        console.print(Text(f"{name}: {system.name}"), soft_wrap=True)
    rates = Table()
    for heading in HEADINGS:
        rates.add_column(heading, justify="right" if heading else "left")
    for row in rate_rows(comparison):
        rates.add_row(*row)
    console.print(rates)
    for title, changes in (("better in B", comparison.better), ("worse in B", comparison.worse)):
        for change in changes[:_SHOWN]:
            console.print(Text(f"{title}: {visible(change.a.id)}"), soft_wrap=True)
            console.print(Text("\n".join(f"  {line}" for line in change_lines(change))), soft_wrap=True)
    console.print(Text(f"{counts(comparison)}\n{verdict(comparison)}"), soft_wrap=True)
    console.print(Text(f"written to {folder}: comparison.json, comparison.md"), soft_wrap=True)
