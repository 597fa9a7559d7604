"""What `seqrec score` shows and writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from unicodedata import category, is_normalized

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seqrec.formats.hypotheses.matching import Matched
from seqrec.metrics.breakdown import Part, by_key, by_length
from seqrec.metrics.confusions import Confusion, confusions
from seqrec.metrics.edits import EditCounts
from seqrec.metrics.scored import ScoredExample, Unit, worst_first
from seqrec.metrics.summary import Summary
from seqrec.metrics.text_alignment import align_characters, align_words, visible
from seqrec.metrics.wording import between, percent, spell, value_name

_MOST_ROWS = 20  # of a table
_MOST_CONFUSIONS = 10


@dataclass(frozen=True)
class Report:
    """All there is to say about a pair of files."""

    summary: Summary
    examples: Sequence[ScoredExample]
    matched: Matched
    by: Sequence[str]
    normalisation: Mapping[str, object]  # as asked for

    @property
    def unit(self) -> Unit:
        """What errors are looked at in: characters where every reference is one word."""
        return "words" if any(one.words.reference_length > 1 for one in self.examples) else "characters"


def to_json(report: Report, per_example: bool) -> dict[str, Any]:
    """Return the report as plain data; rates are fractions."""
    examples = [_example(one) for one in report.examples] if per_example else None
    return {
        **report.summary.to_json(),
        "normalisation": dict(report.normalisation),
        "hints": hints(report.examples),
        "missing": list(report.matched.missing),
        "extra": list(report.matched.extra),
        "parts": {key: [_part(part) for part in by_key(report.examples, key)] for key in report.by},
        "lengths": {"unit": report.unit, "parts": [_part(part) for part in by_length(report.examples, report.unit)]},
        "confusions": {
            "words": [asdict(one) for one in confusions(report.examples, "words")],
            "characters": [asdict(one) for one in confusions(report.examples, "characters")],
        },
        **({} if examples is None else {"examples": examples}),
    }


def hints(examples: Sequence[ScoredExample]) -> list[str]:
    """Name differences of writing between references and hypotheses that count as errors and may not be meant."""
    references = set().union(*(one.reference for one in examples))
    hypotheses = set().union(*(one.hypothesis for one in examples))
    found = []
    if any(_cases(references)) and any(_cases(hypotheses)) and _cases(references) != _cases(hypotheses):
        found.append("one side has lower and upper case, the other has not: --case lower compares them alike")
    if references and hypotheses and _has_punctuation(references) != _has_punctuation(hypotheses):
        found.append("one side has punctuation, the other has none: --drop-punctuation leaves it out of both")
    if not all(is_normalized("NFC", one.reference) and is_normalized("NFC", one.hypothesis) for one in examples):
        found.append("not all text is in Unicode's NFC: --unicode-form NFC spells accents in one way")
    return found


def show(report: Report, worst: int) -> None:
    """Print the report to standard output."""
    console = Console(highlight=False)
    for sentence in _said(report):
        console.print(Text(sentence), soft_wrap=True)
    console.print(_rate_table(report.summary))
    for key in report.by:
        parts = by_key(report.examples, key)
        console.print(_part_table(parts[:_MOST_ROWS], key))
        _say_more(console, len(parts) - _MOST_ROWS, "in the JSON (--json)")
    for unit in dict.fromkeys((report.unit, "characters")):
        pairs = confusions(report.examples, unit)
        if pairs:
            console.print(_confusion_table(pairs[:_MOST_CONFUSIONS], unit))
    _show_worst(console, report, worst)
    for hint in hints(report.examples):
        console.print(Text(f"hint: {hint}"), soft_wrap=True)


def _said(report: Report) -> Iterator[str]:
    done = [
        f"{name}={value}" for name, value in report.normalisation.items() if value not in ("keep", "none", False, {})
    ]
    yield f"normalised: {', '.join(done)}"
    for ids, what in (
        (report.matched.missing, "have no hypothesis: all their words count as deleted"),
        (report.matched.extra, "have no reference: left out"),
    ):
        if ids:
            shown = ", ".join(visible(id) for id in ids[:5]) + (", ..." if len(ids) > 5 else "")
            yield f"{len(ids):,} ids {what} ({shown})"


def _rate_table(summary: Summary) -> Table:
    rates = summary.rates
    table = Table(
        title=f"{rates.examples:,} utterances; intervals drawn by {summary.drawn_by}",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for heading in ("", "rate", "95 % interval", "S", "I", "D", "of"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, edits, interval in (("WER", rates.words, summary.wer), ("CER", rates.characters, summary.cer)):
        kinds = (edits.substitutions, edits.insertions, edits.deletions, edits.reference_length)
        table.add_row(name, percent(edits.rate), between(interval), *(f"{count:,}" for count in kinds))
    share = percent(summary.sentence_error_rate)
    table.add_row("SER", share, between(summary.sentences), "", "", "", f"{rates.examples:,}")
    return table


def _part_table(parts: Sequence[Part], key: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(Text(visible(key)))
    for heading in ("utterances", "words", "WER", "CER", "wrong"):
        table.add_column(heading, justify="right")
    for part in parts:
        rates = part.rates
        table.add_row(
            Text(visible(value_name(part.name))),
            f"{rates.examples:,}",
            f"{rates.words.reference_length:,}",
            percent(rates.wer),
            percent(rates.cer),
            percent(rates.wrong_examples / rates.examples),
        )
    return table


def _confusion_table(pairs: Sequence[Confusion], unit: Unit) -> Table:
    table = Table(title=f"confusions of {unit}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("reference")
    table.add_column("hypothesis")
    table.add_column("count", justify="right")
    for pair in pairs:
        table.add_row(Text(visible(spell(pair.reference))), Text(visible(spell(pair.hypothesis))), f"{pair.count:,}")
    return table


def _show_worst(console: Console, report: Report, count: int) -> None:
    align = align_words if report.unit == "words" else align_characters
    for example in worst_first(report.examples, report.unit)[: max(count, 0)]:
        edits: EditCounts = getattr(example, report.unit)
        heading = f"\n{visible(example.id)}: {edits.errors} errors in {edits.reference_length} {report.unit}"
        console.print(Text(heading), soft_wrap=True)
        for lines in align(example.reference, example.hypothesis).fold(max(console.width - 5, 20)):
            console.print(Text(str(lines)), soft_wrap=True)


def _say_more(console: Console, count: int, where: str) -> None:
    if count > 0:
        console.print(f"and {count:,} more, {where}")


def _example(example: ScoredExample) -> dict[str, Any]:
    edits = {"words": example.words, "characters": example.characters}
    return {
        "id": example.id,
        "reference": example.reference,
        "hypothesis": example.hypothesis,
        **{name: asdict(counts) for name, counts in edits.items()},
    }


def _part(part: Part) -> dict[str, Any]:
    return {"name": part.name, **part.rates.to_json()}


def _cases(characters: Collection[str]) -> tuple[bool, bool]:
    return any(c.islower() for c in characters), any(c.isupper() for c in characters)


def _has_punctuation(characters: Collection[str]) -> bool:
    return any(category(c).startswith("P") and c not in "'’-" for c in characters)
