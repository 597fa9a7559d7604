"""The report of an evaluation as Markdown: figures, breakdowns, confusions, and examples as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.metrics.breakdown import Part
from seqrec.metrics.text_alignment import align_characters
from seqrec.metrics.wording import percent, spell
from seqrec.report.aligned import LONGEST, cut_off
from seqrec.report.figures import (
    PART_HEADINGS,
    confidence_lines,
    drawing_of_intervals,
    edit_rows,
    part_row,
    tiles,
)
from seqrec.report.page import visible

if TYPE_CHECKING:
    from seqrec.report.analysis import Analysis
    from seqrec.report.examples import Shown

_MOST_ROWS = 20
_SPECIAL = "\\`*_{}[]<>|~&$#"


def write_markdown(analysis: Analysis, worst: Sequence[Shown], random: Sequence[Shown], path: Path) -> None:
    """Write the report to `path`."""
    path.write_text("\n".join(_lines(analysis, worst, random)) + "\n", encoding="utf-8")


def _lines(analysis: Analysis, worst: Sequence[Shown], random: Sequence[Shown]) -> Iterator[str]:
    about = analysis.about
    yield f"# {plain(f'{about.run}: {about.split}, {about.decoder}')}"
    yield from table(("", "", ""), ((tile.name, tile.value, tile.note) for tile in tiles(analysis)))
    yield drawing_of_intervals(analysis)
    yield from table(("", "rate", "substitutions", "insertions", "deletions", "of"), edit_rows(analysis))
    for key, parts in analysis.parts.items():
        yield from _breakdown(f"By {key}", key, parts)
    yield from _breakdown(f"By {analysis.length_unit} of the reference", "length", analysis.lengths)
    yield from _confusions(analysis)
    if analysis.unseen:
        words = analysis.unseen.words
        yield "\n## Words never seen in training\n"
        yield f"{words.unseen.total():,} of {words.words:,} running words ({percent(words.share)}); "
        yield f"{percent(analysis.unseen.error_rate)} of them were not recognised."
    if analysis.calibrated:
        yield "\n## Confidence\n"
        yield from (f"- {line}" for line in confidence_lines(analysis.calibrated))
    yield from _examples("The worst examples", worst)
    yield from _examples("Examples drawn at random", random)


def _breakdown(title: str, key: str, parts: Sequence[Part]) -> Iterator[str]:
    if len(parts) < 2:
        return
    shown = parts if len(parts) <= _MOST_ROWS else sorted(parts, key=lambda part: -part.rates.cer)[:_MOST_ROWS]
    yield f"\n## {plain(title)}"
    yield from table((key, *PART_HEADINGS), map(part_row, shown))
    if len(parts) > len(shown):
        yield f"The {len(shown)} worst of {len(parts):,}; report.json has them all."


def _confusions(analysis: Analysis) -> Iterator[str]:
    for name, confusions in (("characters", analysis.character_confusions), ("words", analysis.word_confusions)):
        if confusions:
            pairs = confusions[:_MOST_ROWS]
            rows = ((f"{spell(one.reference)} → {spell(one.hypothesis)}", f"{one.count:,}") for one in pairs)
            yield f"\n## Confusions of {name}"
            yield from table(("reference → hypothesis", "times"), rows)


def _examples(title: str, shown: Sequence[Shown]) -> Iterator[str]:
    if shown:
        yield f"\n## {title}\n"
    for one in shown:
        lines = str(align_characters(one.reference[:LONGEST], one.hypothesis[:LONGEST])).splitlines()
        yield f"Example {plain(one.example.id)}:\n"
        yield from (f"    {line}" for line in [*lines, *cut_off(one.reference, one.hypothesis)])
        yield ""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table of plain texts, blank lines around it; numbers stand to the right."""
    yield ""
    yield f"| {' | '.join(map(plain, headings))} |"
    yield f"|---|{'---:|' * (len(headings) - 1)}"
    yield from (f"| {' | '.join(map(plain, row))} |" for row in rows)
    yield ""


def plain(text: str) -> str:
    """Return `text` as Markdown shows it letter by letter, whatever it holds."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in visible(text))
