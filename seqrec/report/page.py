"""Pages: one HTML file each, with everything in it, and every text from outside escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from seqrec.report.style import STYLE


def visible(text: str) -> str:
    """Return `text` with what a terminal does not print, or obeys, written as escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def markup(text: str) -> str:
    """Return `text` from outside as it may stand in a page, in an attribute too."""
    return escape(visible(text))


def write_page(path: Path, title: str, verb: str, parts: Iterable[str]) -> None:
    """Write a page of `parts`, made of markup, as the verb `verb` of seqrec's; `title` is plain text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_page(title, verb, parts)) + "\n", encoding="utf-8")


def _page(title: str, verb: str, parts: Iterable[str]) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{verb} of {markup(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body><main>"
    yield f"<h1>{markup(title)}</h1>"
    yield from parts
    yield f"<footer>written by <code>seqrec {verb}</code></footer></main></body></html>"


def section(title: str, parts: Iterable[str]) -> Iterator[str]:
    """Yield a section of markup under a heading; nothing where there are no parts."""
    content = list(parts)
    if content:
        yield from (f"<section><h2>{markup(title)}</h2>", *content, "</section>")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain texts: names in the first column, numbers in the others."""

    def line(tag: str, cells: Sequence[str]) -> str:
        first, *others = map(markup, cells)
        inner = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in others)
        return f"<tr><{tag}>{first}</{tag}>{inner}</tr>"

    body = line("th", headings) + "".join(line("td", row) for row in rows)
    return f'<div class="wide"><table>{body}</table></div>'


def figure(svg: str, title: str, caption: str | None = None) -> str:
    """Return a picture that stands apart from the page's own markup; `caption` is markup, by default the title."""
    data = base64.b64encode(svg.encode()).decode()
    caption = markup(title) if caption is None else caption
    heading = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure>{heading}<img alt="{markup(title)}" src="data:image/svg+xml;base64,{data}"></figure>'
