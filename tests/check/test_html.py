from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from seqrec.check.checking import Check, Effort, check
from seqrec.check.corpus import corpus_of_path
from seqrec.check.html import chosen_examples, write_check

HOSTILE = "<script>alert(1)</script> & \"'$x$ \x1b[31m"


def checked(path: Path) -> Check:
    return check(corpus_of_path(path, None), Effort(workers=1), lambda items, title, total=None: items)


@pytest.fixture
def page(workshop: Any, row: Any) -> Path:
    rows = [row(f"<b>{i}</b>", HOSTILE, points=3 + i) for i in range(12)]
    path = workshop.folder / "page.html"
    write_check(checked(workshop.write("train", rows)), path)
    return path


def test_the_page_holds_everything_and_asks_for_nothing(page: Path) -> None:
    text = page.read_text()
    assert text.count("<figure>") == 12  # two histograms, ten examples
    assert not re.findall(r"(?:src|href)=\"(?!data:image/svg)|url\(|<script|@import", text)


def test_every_text_is_escaped(page: Path) -> None:
    text = page.read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#x27;$x$ \\x1b[31m" in text
    assert "<b>0</b>" not in text
    assert "\x1b" not in text


def test_the_same_check_makes_the_same_page(page: Path, workshop: Any) -> None:
    again = page.with_name("again.html")
    write_check(checked(workshop.folder / "manifest-train.jsonl"), again)
    assert again.read_bytes() == page.read_bytes()


def test_examples_are_drawn_over_the_range_of_lengths(workshop: Any, row: Any) -> None:
    split = workshop.split("train", [row(f"a{i}", points=2 + 7 * i % 101) for i in range(100)])
    lengths = split.column("lengths")
    chosen = chosen_examples(split, 0)
    assert chosen == chosen_examples(split, 0) != chosen_examples(split, 1)
    assert len(set(chosen)) == 10
    assert [lengths[i] for i in chosen] == sorted(lengths[i] for i in chosen)
    assert lengths[chosen[0]] < 15
    assert lengths[chosen[-1]] > 88
    assert len(chosen_examples(workshop.split("few", [row("a"), row("b")]), 0)) == 2
