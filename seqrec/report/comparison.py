"""A comparison of two evaluations in words: as plain data, as Markdown, and as sentences for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from seqrec.comparison import Change, Comparison
from seqrec.metrics.intervals import PairedComparison
from seqrec.metrics.summary import finite
from seqrec.metrics.text_alignment import align_characters
from seqrec.metrics.wording import percent
from seqrec.report.aligned import LONGEST, cut_off
from seqrec.report.markdown import plain, table

HEADINGS = ("", "A", "B", "B - A", "95 % interval", "p")
_SIGNIFICANT = 0.05
_MOST_CHANGES = 20  # of each kind in Markdown


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write `comparison.json` and `comparison.md` into `folder`."""
    record = json.dumps(to_json(comparison), ensure_ascii=False, indent=2)
    (folder / "comparison.json").write_text(record + "\n", encoding="utf-8")
    (folder / "comparison.md").write_text("\n".join(_lines(comparison)) + "\n", encoding="utf-8")


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Return all of it as plain data; rates and differences are fractions."""
    return {
        "a": {"name": comparison.a.name, **comparison.a.rates.to_json()},
        "b": {"name": comparison.b.name, **comparison.b.rates.to_json()},
        "drawn_by": comparison.drawn_by,
        "wer": _paired(comparison.wer),
        "cer": _paired(comparison.cer),
        "better": [_change(change) for change in comparison.better],
        "worse": [_change(change) for change in comparison.worse],
        "otherwise_changed": sum(change.characters == 0 for change in comparison.changes),
    }


def _paired(paired: PairedComparison) -> dict[str, Any]:
    return {
        "difference": finite(paired.difference),
        "interval": [finite(paired.interval.low), finite(paired.interval.high)],
        "p_value": paired.p_value,
    }


def _change(change: Change) -> dict[str, Any]:
    a, b = change.a, change.b
    errors = {"errors_a": a.characters.errors, "errors_b": b.characters.errors}
    return {"id": a.id, "reference": a.reference, "a": a.hypothesis, "b": b.hypothesis, **errors}


def rate_rows(comparison: Comparison) -> Iterator[Sequence[str]]:
    """Yield a row of the table of rates for words and for characters."""
    a, b = comparison.a.rates, comparison.b.rates
    for name, paired in (("WER", comparison.wer), ("CER", comparison.cer)):
        rates = (percent(getattr(rates, name.lower())) for rates in (a, b))
        low, high = (f"{100 * bound:+.2f}" for bound in (paired.interval.low, paired.interval.high))
        yield name, *rates, f"{100 * paired.difference:+.2f} %", f"{low} to {high} %", f"{paired.p_value:.3f}"


def verdict(comparison: Comparison) -> str:
    """Say in a sentence what the comparison tells."""
    difference, p = comparison.cer.difference, comparison.cer.p_value
    if p < _SIGNIFICANT:
        better, relative = ("B", -difference) if difference < 0 else ("A", difference)
        base = comparison.a.rates.cer if better == "B" else comparison.b.rates.cer
        share = f"{100 * relative / base:.1f} % " if isfinite(relative) else ""
        return f"{better} makes {share}fewer character errors, which is not chance (p = {p:.3f})."
    return f"The difference in character errors may be chance (p = {p:.3f})."


def counts(comparison: Comparison) -> str:
    """Say how many examples changed."""
    better, worse, changed = len(comparison.better), len(comparison.worse), len(comparison.changes)
    return (
        f"Of {len(comparison.a.examples):,} examples B reads {better:,} better, {worse:,} worse, and "
        f"{changed - better - worse:,} otherwise with as many errors; paired bootstrap, drawn by {comparison.drawn_by}."
    )


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"# {plain(comparison.b.name)} (B) beside {plain(comparison.a.name)} (A)\n"
    yield verdict(comparison)
    yield from table(HEADINGS, rate_rows(comparison))
    yield counts(comparison)
    for title, changes in (("Better in B", comparison.better), ("Worse in B", comparison.worse)):
        if changes:
            yield f"\n## {title}\n"
        for change in changes[:_MOST_CHANGES]:
            yield f"Example {plain(change.a.id)}:\n"
            yield from (f"    {line}" for line in change_lines(change))
            yield ""
        if len(changes) > _MOST_CHANGES:
            yield f"and {len(changes) - _MOST_CHANGES:,} more, in comparison.json"


def change_lines(change: Change) -> Iterator[str]:
    """Yield the reference above each system's hypothesis, aligned."""
    for name, example in (("A", change.a), ("B", change.b)):
        lines = align_characters(example.reference[:LONGEST], example.hypothesis[:LONGEST])
        yield from (f"REF: {lines.reference}", f"  {name}: {lines.hypothesis}", f"     {lines.marks}")
    yield from cut_off(change.a.reference, change.a.hypothesis, change.b.hypothesis)
