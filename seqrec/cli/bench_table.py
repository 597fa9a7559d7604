"""What `seqrec bench` shows: a table of figures, and what changed since an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from seqrec.benchmark.results import Benchmark, BenchmarkComparison, Change, Measurement
from seqrec.report.page import visible

_MACHINE = ("processor", "cores", "threads", "gpus", "system", "python", "torch", "seqrec", "commit", "date")


def about_lines(benchmark: Benchmark) -> Iterator[str]:
    """Yield what was measured, and where."""
    about = benchmark.about
    yield f"bench {benchmark.kind}: " + "; ".join(
        f"{name} {value}" for name, value in about.items() if name not in _MACHINE
    )
    yield (
        f"{about['processor']}, {about['cores']} cores, threads: {about['threads']}, GPU: {about['gpus']}; "
        f"torch {about['torch']}, seqrec {about['seqrec']}"
    )


def result_table(benchmark: Benchmark, comparison: BenchmarkComparison | None = None) -> Table:
    """Tabulate the figures; beside earlier ones, where there are some."""
    table = Table("what")
    earlier = {(change.now.name, change.now.unit): change for change in comparison.changes} if comparison else {}
    for heading in ("now", "before") if comparison else ("value",):
        table.add_column(heading, justify="right")
    for heading in ("unit", "") if comparison else ("unit",):
        table.add_column(heading)
    for one in benchmark.measurements:
        change = earlier.get((one.name, one.unit))
        before = [number(change.before.value) if change else "-"] if comparison else []
        verdict = [_verdict(change, comparison)] if comparison else []
        table.add_row(Text(visible(one.name)), number(one.value), *before, Text(visible(one.unit)), *verdict)
    return table


def number(value: float) -> str:
    """Write a figure with three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _verdict(change: Change | None, comparison: BenchmarkComparison) -> Text:
    if change is None:
        return Text("new", style="dim")
    if change in comparison.worse:
        return Text("worse", style="red")
    return Text("better", style="green") if change in comparison.better else Text("")


def comparison_lines(comparison: BenchmarkComparison, name: str) -> Iterator[str]:
    """Yield sentences on what changed since the benchmark `name`, and on what makes the two unlike."""
    if comparison.differences:
        yield f"not measured alike, so what changed may be their doing: {visible('; '.join(comparison.differences))}"
    if comparison.only_before:
        yield f"not measured now: {_names(comparison.only_before)}"
    tolerance = f"{100 * comparison.tolerance:.3g} %"
    for change in comparison.worse:
        yield f"worse: {_in_words(change)}"
    for change in comparison.better:
        yield f"better: {_in_words(change)}"
    worse, better, count = len(comparison.worse), len(comparison.better), len(comparison.changes)
    yield f"beside {name}: {worse} worse and {better} better by over {tolerance}, of {count} figures"


def _in_words(change: Change) -> str:
    now, before = change.now, change.before
    times = change.times_as_good or 0.0
    factor = f"{times:.3g} times as good" if times >= 1 else f"{100 * times:.0f} % as good"
    return f"{visible(now.name)}: {number(now.value)} {visible(now.unit)}, before {number(before.value)}; {factor}"


def _names(measurements: Sequence[Measurement]) -> str:
    return ", ".join(visible(one.name) for one in measurements)
