"""A reference above its hypothesis, character by character, as markup."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from seqrec.metrics.text_alignment import align_texts
from seqrec.report.page import visible

LONGEST = 600  # characters of a text that are shown


def as_markup(reference: str, hypothesis: str) -> str:
    """Return both texts, the reference above, coloured where they differ; long ones are cut off, and it is said."""
    columns = "".join(_columns(reference[:LONGEST], hypothesis[:LONGEST]))
    more = max(len(reference), len(hypothesis)) - LONGEST
    return f'<div class="aligned">{columns}</div>' + (f"<p>and {more:,} characters more</p>" if more > 0 else "")


def _columns(reference: str, hypothesis: str) -> Iterator[str]:
    """Yield stretches that are right, up to the end of a word so that lines can be broken there, and edits."""
    for edit in align_texts(reference, hypothesis):
        wanted = reference[edit.reference_start : edit.reference_end]
        found = hypothesis[edit.hypothesis_start : edit.hypothesis_end]
        if edit.kind == "hit":
            words = wanted.split(" ")
            yield from (_column(word, word, "") for word in [*(f"{word} " for word in words[:-1]), words[-1]] if word)
        else:
            yield _column(wanted, found, ' class="wrong"')


def _column(wanted: str, found: str, look: str) -> str:
    lines = (escape(visible(text or "·" * len(wanted + found))) for text in (wanted, found))
    return f"<span{look}>{''.join(f'<i>{line}</i>' for line in lines)}</span>"
