"""The page of an evaluation: one HTML file with everything in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seqrec.metrics.breakdown import Part
from seqrec.metrics.confusions import Confusion
from seqrec.metrics.wording import percent, spell
from seqrec.report.aligned import as_markup
from seqrec.report.analysis import Analysis
from seqrec.report.charts import error_bars, rate_bars, reliability_diagram
from seqrec.report.drawings import COLOURS
from seqrec.report.examples import Shown
from seqrec.report.figures import (
    PART_HEADINGS,
    confidence_lines,
    drawing_of_intervals,
    edit_rows,
    part_row,
    tiles,
)
from seqrec.report.page import figure, markup, section, table, write_page
from seqrec.transcript import Reading

_MOST_PARTS = 20  # of a table
_MOST_BARS = 24
_MOST_CONFUSIONS = 15
_MOST_WORDS = 40


def write_html(analysis: Analysis, worst: Sequence[Shown], random: Sequence[Shown], path: Path) -> None:
    """Write the page, with the examples chosen for it, to `path`."""
    about = analysis.about
    title = f"{about.run}: {about.split}, {about.decoder}"
    write_page(path, title, "evaluate", _parts(analysis, worst, random))


def _parts(analysis: Analysis, worst: Sequence[Shown], random: Sequence[Shown]) -> Iterator[str]:
    yield '<div class="tiles">'
    for tile in tiles(analysis):
        note = markup(tile.note)
        yield f'<div class="tile"><span>{markup(tile.name)}</span><b>{markup(tile.value)}</b><span>{note}</span></div>'
    yield f'</div><p class="caption">{markup(drawing_of_intervals(analysis))}</p>'
    yield from section("Errors", _errors(analysis))
    for key, parts in analysis.parts.items():
        yield from section(f"By {key}", _breakdown(parts, key))
    yield from section(f"By {analysis.length_unit} of the reference", _breakdown(analysis.lengths, "length"))
    yield from section("Confusions", _confusions(analysis))
    yield from section("Words never seen in training", _unseen(analysis))
    yield from section("Confidence", _confidence(analysis))
    yield from section("The worst examples", _examples(worst))
    yield from section("Examples drawn at random", _examples(random))


def _errors(analysis: Analysis) -> Iterator[str]:
    edits = table(("", "rate", "subst.", "insert.", "delet.", "of"), edit_rows(analysis))
    yield f'<div class="pair">{edits}{figure(error_bars(analysis.scored), "wrong characters of an example")}</div>'


def _breakdown(parts: Sequence[Part], key: str) -> Iterator[str]:
    if len(parts) < 2:
        return
    shown = parts if len(parts) <= _MOST_PARTS else sorted(parts, key=lambda part: -part.rates.cer)[:_MOST_PARTS]
    rows = table((key, *PART_HEADINGS), map(part_row, shown))
    bars = figure(rate_bars(parts, key), f"error rates by {key}") if len(parts) <= _MOST_BARS else ""
    yield f'<div class="pair">{rows}{bars}</div>' if bars else rows
    if len(parts) > len(shown):
        yield f'<p class="caption">the {len(shown)} worst of {len(parts):,}; report.json has them all</p>'


def _confusions(analysis: Analysis) -> Iterator[str]:
    tables = [
        table((f"{name}s, reference → hypothesis", "times"), _confusion_rows(confusions))
        for name, confusions in (("character", analysis.character_confusions), ("word", analysis.word_confusions))
        if confusions
    ]
    if tables:
        yield f'<div class="pair">{"".join(tables)}</div>'


def _confusion_rows(confusions: Sequence[Confusion]) -> Iterator[Sequence[str]]:
    for one in confusions[:_MOST_CONFUSIONS]:
        yield f"{spell(one.reference)} → {spell(one.hypothesis)}", f"{one.count:,}"


def _unseen(analysis: Analysis) -> Iterator[str]:
    unseen = analysis.unseen
    if unseen is None:
        return
    words = unseen.words
    yield (
        f"<p>{words.unseen.total():,} of {words.words:,} running words ({percent(words.share)}) stand nowhere in the "
        f"training text; {percent(unseen.error_rate)} of them were not recognised.</p>"
    )
    if words.unseen:
        listed = ", ".join(f"{markup(word)} {count}" for word, count in words.unseen.most_common(_MOST_WORDS))
        yield f'<p class="caption">the most frequent: {listed}</p>'


def _confidence(analysis: Analysis) -> Iterator[str]:
    calibrated = analysis.calibrated
    if calibrated is None or not calibrated.characters.pieces:
        return
    yield '<div class="pair">'
    picture = reliability_diagram(calibrated.characters.bins, calibrated.words.bins)
    yield figure(picture, "how often pieces of some confidence are right; larger dots stand for more of them")
    yield f'<ul class="plain">{"".join(f"<li>{markup(line)}</li>" for line in confidence_lines(calibrated))}</ul></div>'


def _examples(shown: Sequence[Shown]) -> Iterator[str]:
    if shown:
        yield f'<div class="pair">{"".join(map(_example, shown))}</div>'


def _example(shown: Shown) -> str:
    errors = f"{shown.example.characters.errors} wrong characters, {shown.example.words.errors} wrong words"
    picture = figure(shown.drawing, "", "") if shown.drawing else '<p class="caption">too long to be drawn</p>'
    letters = _letters(shown.reading) if shown.reading and shown.drawing else ""
    return (
        f'<div class="example"><p class="id">{markup(shown.example.id)} — {errors}</p>{picture}{letters}'
        f"{as_markup(shown.reference, shown.hypothesis)}</div>"
    )


def _letters(reading: Reading) -> str:
    """Return the recognised text, its characters in the colours they are drawn in."""
    spans = enumerate(reading.characters)
    words = []
    for word in reading.words:
        letters, length = "", 0
        while length < len(word.text):
            number, span = next(spans)
            letters += f'<span style="color:{COLOURS[number % len(COLOURS)]}">{markup(span.text)}</span>'
            length += len(span.text)
        words.append(letters)
    return f'<p class="letters">{" ".join(words)}</p>'
