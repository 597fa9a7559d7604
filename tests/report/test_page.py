from __future__ import annotations

import re
from pathlib import Path

import pytest
from evaluations import HOSTILE

from seqrec.errors import UserError
from seqrec.report import pictures
from seqrec.report.analysis import Analysis
from seqrec.report.examples import Shown, random_of, shown, worst_of
from seqrec.report.page import figure, section, table, visible, write_page


def test_a_page_asks_for_nothing_and_escapes_its_title(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    write_page(path, HOSTILE, "check", [table((HOSTILE, HOSTILE), [(HOSTILE, HOSTILE)]), figure("<svg/>", HOSTILE)])
    text = path.read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:image/svg)|url\(|<script|@import", text)
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#x27;$x$ \\x1b[31m") == 8
    assert "\x1b" not in text


def test_a_section_without_parts_is_none() -> None:
    assert list(section("a", [])) == []
    assert list(section("<", ["b"])) == ["<section><h2>&lt;</h2>", "b", "</section>"]


def test_what_a_terminal_obeys_is_spelt_out() -> None:
    assert visible("a\x1b[31m\u202eb\nc é") == "a\\x1b[31m\\u202eb\\nc é"


def test_where_there_is_no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"--html draws .* pip install 'seqrec\[report\]'"):
        pictures.need_matplotlib("--html")


def test_the_worst_have_the_most_wrong_characters(analysis: Analysis) -> None:
    worst = worst_of(analysis.scored, 3)
    errors = [one.characters.errors for one in analysis.scored]
    assert [errors[index] for index in worst] == sorted(errors, reverse=True)[:3]
    assert 1 not in worst_of(analysis.scored, 99)  # it is right
    assert shown(analysis, [1]) == [Shown(analysis.scored[1], "four", "four")]


def test_random_examples_are_the_same_for_a_seed(analysis: Analysis) -> None:
    assert random_of(analysis.scored, 3) == random_of(analysis.scored, 3)
    assert len({tuple(random_of(analysis.scored, 3, seed)) for seed in range(20)}) > 1
    assert random_of(analysis.scored, 99) == list(range(len(analysis.scored)))
