"""What the verbs show: tables and samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from seqrec.evaluation import Hypothesis
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.wording import percent
from seqrec.report.analysis import Analysis
from seqrec.report.figures import confidence_lines, drawing_of_intervals, tiles
from seqrec.report.page import visible

_LONGEST = 300  # characters of a text in a table


def score_table(scores: Mapping[str, tuple[ErrorRates, float]]) -> Table:
    """Tabulate each split's error rates and seconds."""
    table = Table()
    for heading in ("split", "WER", "CER", "S", "I", "D", "words", "examples", "time"):
        table.add_column(heading, justify="left" if heading == "split" else "right")
    for split, (rates, seconds) in scores.items():
        words = rates.words
        edits = (words.substitutions, words.insertions, words.deletions, words.reference_length, rates.examples)
        table.add_row(Text(split), percent(rates.wer), percent(rates.cer), *map(str, edits), f"{seconds:.1f} s")
    return table


def report_lines(analysis: Analysis) -> Iterator[str]:
    """Yield the other figures of a report, and what its intervals are."""
    yield from (f"{tile.name}: {tile.value} ({tile.note})" for tile in tiles(analysis))
    yield drawing_of_intervals(analysis)
    if analysis.calibrated:
        yield from confidence_lines(analysis.calibrated)


def sample_table(hypotheses: Sequence[Hypothesis], count: int = 3) -> Table:
    """Show some transcripts beside their references, spread over the set."""
    table = Table("example", "reference", "hypothesis")
    for hypothesis in hypotheses[:: max(1, len(hypotheses) // count)][:count]:
        texts = (hypothesis.id, hypothesis.reference, hypothesis.hypothesis)
        table.add_row(*(Text(visible(text[:_LONGEST])) for text in texts))
    return table


def corpus_table(statistics: Mapping[str, Any]) -> Table:
    """Tabulate what a prepared corpus holds."""
    table = Table(title=f"{statistics['corpus']} ({statistics['licence']})")
    for heading in ("split", "examples", "people", "hours", "points", "characters"):
        table.add_column(heading, justify="left" if heading == "split" else "right")
    for split, counts in statistics["splits"].items():
        hours = f"{counts['seconds'] / 3600:.2f}" if counts["seconds"] else "-"
        points = str(counts["points"]) if counts["points"] else "-"
        table.add_row(split, str(counts["examples"]), str(counts["people"]), hours, points, str(counts["characters"]))
    return table
