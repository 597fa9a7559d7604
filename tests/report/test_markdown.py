from __future__ import annotations

from pathlib import Path

import pytest
from evaluations import make_evaluation

from seqrec.metrics.scored import score_pairs
from seqrec.report.analysis import About, Analysis, analyse
from seqrec.report.examples import Shown, shown
from seqrec.report.markdown import plain, table, write_markdown
from seqrec.text.tokens import CharacterTokenizer


def test_the_report_says_it_all_and_escapes(analysis: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_markdown(analysis, shown(analysis, [0, 3]), shown(analysis, [1]), path)
    text = path.read_text()
    for heading in ("By speaker", "Confusions of words", "Words never seen", "Confidence", "The worst examples"):
        assert f"## {heading}" in text
    assert "    REF: one␣two␣three\n    HYP: one␣too␣three\n" in text
    assert "\x1b" not in text
    outside_code = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert "<script" not in outside_code.replace("\\<", "")
    assert "drawn by speaker" in text


@pytest.mark.parametrize("text", ["a|b", "`c`", "<d>", "$e$", "*f*"])
def test_a_cell_cannot_break_its_table(text: str) -> None:
    (line,) = [line for line in table(("x", "y"), [(text, "1")]) if "1" in line]
    assert line == f"| {plain(text)} | 1 |"
    assert line.replace("\\|", "").count("|") == 3


def test_what_is_cut_off_is_said(tmp_path: Path) -> None:
    long = Shown(score_pairs(["a"], ["a" * 2000], [""])[0], "a" * 2000, "")
    analysis = analyse(make_evaluation([("a", "a", None)]), CharacterTokenizer(), About("run", "test", "greedy"))
    write_markdown(analysis, [long], [], tmp_path / "report.md")
    assert "    and 1,400 characters more\n" in (tmp_path / "report.md").read_text()
