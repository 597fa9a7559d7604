"""The page of a check: one HTML file with everything in it, and every text in it escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from seqrec.check.counts import SplitCounts
from seqrec.check.findings import SEVERITIES
from seqrec.check.plots import example_picture, histogram, padding_picture
from seqrec.check.report import cost_lines, split_headings, split_row, trait_lines, verdict
from seqrec.errors import UserError
from seqrec.report.page import figure, markup, section, table, visible, write_page

if TYPE_CHECKING:
    from seqrec.check.checking import Check

_DRAWN = 10
_SHOWN_SYMBOLS = 200


def write_check(check: Check, path: Path) -> None:
    """Write the page to `path`."""
    write_page(path, check.corpus.title, "check", _parts(check))


def _parts(check: Check) -> Iterator[str]:
    yield f'<p class="verdict {"good" if check.is_good else "bad"}">{markup(verdict(check))}</p>'
    yield from section("Findings", _findings(check))
    yield from section("Splits", _splits(check))
    yield from section("Lengths", _lengths(check))
    yield from section("Padding and cost", _costs(check))
    yield from section("Symbols", _symbols(check))
    yield from section("Examples, from the shortest to the longest", _examples(check))


def _findings(check: Check) -> Iterator[str]:
    if not check.findings:
        yield "<p>Nothing to complain of.</p>"
        return
    yield '<div class="wide"><table class="findings"><tr><th></th><th>what</th><th>where</th>'
    yield '<th class="number">count</th><th>such as</th><th>what to do</th></tr>'
    for one in sorted(check.findings, key=lambda finding: SEVERITIES.index(finding.severity)):
        examples = "".join(f"<li>{escape(example)}</li>" for example in one.examples)
        yield (
            f'<tr><td><span class="badge {one.severity}">{one.severity}</span></td><td>{escape(one.what)}</td>'
            f'<td>{escape(one.where)}</td><td class="number">{one.count:,}</td><td><ul>{examples}</ul></td>'
            f"<td>{markup(one.mend)}</td></tr>"
        )
    yield "</table></div>"


def _splits(check: Check) -> Iterator[str]:
    rows = [split_row(check, split) for split in check.splits.values()]
    yield table(split_headings(check), rows)
    yield f'<p class="caption">{markup("; ".join(trait_lines(check)))}</p>'


def _lengths(check: Check) -> Iterator[str]:
    splits = {name: split for name, split in check.splits.items() if len(split.inspected)}
    if not splits:
        return
    in_seconds = all(split.has_seconds for split in splits.values())
    unit = "seconds" if in_seconds else check.reader.length_unit
    column = "seconds" if in_seconds else "lengths"
    yield '<div class="pair">'
    sizes = {name: split.column(column)[split.inspected] for name, split in splits.items()}
    yield figure(histogram(sizes, unit), f"{unit} of an example")
    texts = {name: split.column("num_symbols") for name, split in splits.items()}
    yield figure(histogram(texts, "symbols"), "symbols of a text")
    frames = {name: split.column("frames")[split.column("frames") > 0] for name, split in splits.items()}
    if any(map(len, frames.values())):
        yield figure(histogram(frames, "frames"), "frames that enter the encoder")
        ratios = {name: _slack(split) for name, split in splits.items()}
        yield figure(histogram(ratios, "frames behind the encoder / frames the text needs"), "room for the text")
    yield "</div>"


def _slack(split: SplitCounts) -> np.ndarray:
    """Return how many times over the frames behind the encoder carry the text; cut at 30."""
    outputs, needs = split.column("output_frames"), split.column("required_frames")
    chosen = (outputs > 0) & (needs > 0)
    return np.minimum(outputs[chosen] / needs[chosen], 30.0)


def _costs(check: Check) -> Iterator[str]:
    lines = "".join(f"<li>{escape(line)}</li>" for line in cost_lines(check))
    if not check.padding or not check.padding.batches:
        return
    yield '<div class="pair">'
    yield figure(padding_picture(check.padding), "the batches of an epoch")
    yield f'<ul class="plain">{lines}</ul></div>'


def _symbols(check: Check) -> Iterator[str]:
    splits = list(check.splits.values())
    symbols = sorted(set().union(*(split.symbols for split in splits)), key=lambda one: -splits[0].symbols[one])
    if not symbols:
        return
    most = max(max(split.symbols.values(), default=1) for split in splits[:1])
    yield '<div class="symbols">'
    for symbol in symbols[:_SHOWN_SYMBOLS]:
        counts = ", ".join(f"{split.name} {split.symbols[symbol]:,}" for split in splits)
        share = 100 * splits[0].symbols[symbol] / most
        shown = "␣" if symbol == " " else visible(symbol)
        yield (
            f'<div class="symbol" title="{escape(counts)}"><b>{escape(shown)}</b>'
            f'<i><s style="width:{share:.2f}%"></s></i><span>{splits[0].symbols[symbol]:,}</span></div>'
        )
    yield "</div>"
    if len(symbols) > _SHOWN_SYMBOLS:
        yield f"<p>and {len(symbols) - _SHOWN_SYMBOLS} rarer ones</p>"
    yield f'<p class="caption">occurrences in {escape(splits[0].name)}; the others show under the pointer</p>'


def _examples(check: Check) -> Iterator[str]:
    split = next(iter(check.splits.values()))
    pictures = []
    for example in chosen_examples(split, int(check.corpus.config.get("seed", 0))):
        row = split.manifest[split.lines[example] - 1]
        try:
            picture = example_picture(split.dataset.reader, split.dataset.reader.read(row, split.dataset.folder))
        except UserError:
            continue  # its source is among the findings
        caption = f'<b>{markup(row.text)}</b> <span class="id">{markup(row.id)}</span>'
        pictures.append(figure(picture, "", caption))
    if pictures:
        yield f'<div class="pair">{"".join(pictures)}</div>'


def chosen_examples(split: SplitCounts, seed: int) -> list[int]:
    """Return ten inspected examples over the whole range of lengths, the same for a seed."""
    chosen = split.inspected
    order = chosen[np.argsort(split.column("lengths")[chosen], kind="stable")]
    edges = np.linspace(0, len(order), min(_DRAWN, len(order)) + 1).astype(int)
    random = Random(seed)
    return [int(order[random.randrange(low, high)]) for low, high in pairwise(edges)]
