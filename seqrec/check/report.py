"""What a check found, as tables on the terminal and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table
from rich.text import Text

from seqrec.check.findings import SEVERITIES
from seqrec.check.histogram import sparkline
from seqrec.corpora.prepare import text_choices
from seqrec.report.page import visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from seqrec.check.checking import Check
    from seqrec.check.counts import SplitCounts

COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_SHOWN_SYMBOLS = 60
_BINS = 30


def show(check: Check, console: Console) -> None:
    """Print all of it."""
    for part in _parts(check):
        console.print(part)


def verdict(check: Check) -> str:
    """Say in one line how it stands."""
    counts = [(check.count(severity), severity) for severity in SEVERITIES]
    said = ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts if count)
    return f"{check.corpus.title}: {said or 'nothing to complain of'}"


def _parts(check: Check) -> Iterator[RenderableType]:
    if check.findings:
        yield _finding_table(check)
    yield split_table(check)
    yield from map(Text, trait_lines(check))
    if any(len(split.inspected) for split in check.splits.values()):
        yield _histograms(check)
    yield Text(visible(f"text: {text_choices(check.corpus.config['text'])}"))
    yield from _symbol_lines(check)
    yield from map(Text, cost_lines(check))
    style = "green" if check.is_good else "bold red"
    yield Text(visible(verdict(check)), style=style)


def _finding_table(check: Check) -> Table:
    table = Table(show_lines=True, expand=True)
    table.add_column("what is wrong, where, how often", width=30)
    table.add_column("such as, and what to do (→)")
    for finding in check.findings:
        what = Text(f"{finding.severity}: ", style=COLOURS[finding.severity])
        what.append(finding.what, style="default not bold")
        what.append(f"\n{finding.where}: {finding.count:,}", style="default not bold")
        body = Text("\n".join(finding.examples) + "\n" * bool(finding.examples))
        body.append(f"→ {visible(finding.mend)}", style="italic")
        table.add_row(what, body)
    return table


def split_table(check: Check) -> Table:
    """Tabulate the splits."""
    headings = split_headings(check)
    table = Table()
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "split" else "right")
    for split in check.splits.values():
        table.add_row(*(Text(visible(cell)) for cell in split_row(check, split)))
    return table


def split_headings(check: Check) -> list[str]:
    """Return the heads of the columns of a table of splits."""
    hours = ["hours"] if _has_seconds(check) else []
    headings = ["split", "examples", "people", *hours, check.reader.length_unit, "symbols", "alphabet"]
    return [*headings, "frames"] if check.corpus.has_recipe else headings


def split_row(check: Check, split: SplitCounts) -> list[str]:
    """Return a row of that table."""
    chosen = split.inspected
    hours = [f"{split.column('seconds')[chosen].sum() / 3600:.2f}"] if _has_seconds(check) else []
    lengths = int(split.column("lengths")[chosen].sum())
    cells = [split.name, f"{len(split):,}", f"{len(split.people):,}", *hours, f"{lengths:,}"]
    cells += [f"{int(split.column('num_symbols').sum()):,}", str(len(split.symbols))]
    frames = int(np.maximum(split.column("frames"), 0).sum())
    return [*cells, f"{frames:,}"] if check.corpus.has_recipe else cells


def _has_seconds(check: Check) -> bool:
    known = [split.has_seconds for split in check.splits.values() if len(split.inspected)]
    return bool(known) and all(known)


def trait_lines(check: Check) -> Iterator[str]:
    """Yield what the sources have in common, and what they mix."""
    for trait in sorted({trait for split in check.splits.values() for trait in split.traits}):
        values: Counter[str] = Counter()
        for split in check.splits.values():
            values.update(split.traits.get(trait, {}))
        shown = [f"{value} ({count:,})" if len(values) > 1 else value for value, count in values.most_common(5)]
        yield f"{trait}: {', '.join(shown)}{', …' if len(values) > len(shown) else ''}"


def _histograms(check: Check) -> Table:
    table = Table("lengths", "least", "median", "most", "")
    for split in check.splits.values():
        sizes = split.sizes()
        if len(sizes):
            unit = "s" if split.has_seconds else check.reader.length_unit
            least, median, most = (f"{value:.4g} {unit}" for value in (sizes.min(), np.median(sizes), sizes.max()))
            table.add_row(Text(visible(split.name)), least, median, most, Text(sparkline(sizes, _BINS)))
    return table


def _symbol_lines(check: Check) -> Iterator[Text]:
    """Yield the symbols of the first split with their counts."""
    split = next(iter(check.splits.values()))
    counts = split.symbols.most_common(_SHOWN_SYMBOLS)
    if not counts:
        return
    shown = "  ".join(f"{'␣' if symbol == ' ' else symbol} {count:,}" for symbol, count in counts)
    more = len(split.symbols) - len(counts)
    yield Text(f"symbols of {split.name}: {visible(shown)}" + (f"  and {more} more" if more else ""))


def cost_lines(check: Check) -> Iterator[str]:
    """Yield sentences on padding, memory and time."""
    if check.padding and check.padding.batches:
        padding = check.padding
        yield f"padding: {100 * padding.share:.1f} % of the frames of {len(padding.batches)} batches an epoch"
    if check.cost:
        cost = check.cost
        yield (
            f"time: about {duration(cost.seconds_per_epoch)} an epoch, "
            f"{duration(cost.seconds_per_epoch * cost.epochs)} for {cost.epochs} epochs, on {cost.device}"
        )
        if cost.peak_bytes is not None:
            yield f"memory: about {cost.peak_bytes / 2**30:.2f} GiB"
        yield f"({cost.how})"


def duration(seconds: float) -> str:
    """Write seconds in a unit that suits them."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def to_json(check: Check) -> dict[str, Any]:
    """Return all of it as plain data."""
    return {
        "what": check.corpus.title,
        "good": check.is_good,
        "findings": [asdict(finding) for finding in check.findings],
        "splits": {name: _split_json(split) for name, split in check.splits.items()},
        "padding": round(check.padding.share, 4) if check.padding and check.padding.batches else None,
        "cost": asdict(check.cost) if check.cost else None,
    }


def _split_json(split: SplitCounts) -> dict[str, Any]:
    return {
        "examples": len(split),
        "people": len(split.people),
        "seconds": round(float(split.column("seconds")[split.inspected].sum()), 3) if split.has_seconds else None,
        "length": int(split.column("lengths")[split.inspected].sum()),
        "num_symbols": int(split.column("num_symbols").sum()),
        "symbols": dict(split.symbols.most_common()),
        "frames": int(np.maximum(split.column("frames"), 0).sum()),
        "traits": {name: dict(values) for name, values in split.traits.items()},
    }
