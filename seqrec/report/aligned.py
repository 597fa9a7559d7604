"""A reference above its hypothesis, character by character, as markup."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from seqrec.metrics.text_alignment import align_texts
from seqrec.report.page import visible

LONGEST = 600  # characters of a text that are shown
_WIDEST = 30  # characters between which no line can be broken: a phone's width


def as_markup(reference: str, hypothesis: str) -> str:
    """Return both texts, the reference above, coloured where they differ; long ones are cut off, and it is said."""
    columns = "".join(_columns(reference[:LONGEST], hypothesis[:LONGEST]))
    return f'<div class="aligned">{columns}</div>' + "".join(
        f"<p>{line}</p>" for line in cut_off(reference, hypothesis)
    )


def cut_off(*texts: str) -> Iterator[str]:
    """Yield how many characters of texts shown one above the other are not shown, if there are any."""
    more = max(map(len, texts)) - LONGEST
    if more > 0:
        yield f"and {more:,} characters more"


def _columns(reference: str, hypothesis: str) -> Iterator[str]:
    """Yield stretches that are right, up to the end of a word, and edits; between them lines can be broken."""
    for edit in align_texts(reference, hypothesis):
        wanted = reference[edit.reference_start : edit.reference_end]
        found = hypothesis[edit.hypothesis_start : edit.hypothesis_end]
        if edit.kind == "hit":
            words = wanted.split(" ")
            for word in [*(f"{word} " for word in words[:-1]), words[-1]]:
                yield from _narrow_columns(word, word, "")
        else:
            yield from _narrow_columns(wanted, found, ' class="wrong"')


def _narrow_columns(wanted: str, found: str, look: str) -> Iterator[str]:
    for start in range(0, max(len(wanted), len(found)), _WIDEST):
        yield _column(wanted[start : start + _WIDEST], found[start : start + _WIDEST], look)


def _column(wanted: str, found: str, look: str) -> str:
    lines = (escape(visible(text or "·" * len(wanted + found))) for text in (wanted, found))
    return f"<span{look}>{''.join(f'<i>{line}</i>' for line in lines)}</span>"
