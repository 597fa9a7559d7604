from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from evaluations import HOSTILE, make_evaluation, reading

from seqrec.ink.reader import InkReader
from seqrec.report import charts
from seqrec.report.aligned import LONGEST, as_markup
from seqrec.report.analysis import About, Analysis, analyse
from seqrec.report.calibrating import Calibrated
from seqrec.report.charts import rate_bars
from seqrec.report.drawings import example_drawing, is_drawable
from seqrec.report.examples import Shown
from seqrec.report.html import write_html
from seqrec.speech.audio import AudioReader
from seqrec.text.tokens import CharacterTokenizer

pytest.importorskip("matplotlib")


class Tags(HTMLParser):
    """Collects the tags of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(markup: str) -> Tags:
    tags = Tags()
    tags.feed(markup)
    assert not tags.open
    return tags


def matplotlib_axes() -> Any:
    from matplotlib.figure import Figure

    return Figure().subplots()


def examples_of(analysis: Analysis) -> list[Shown]:
    signal = torch.from_numpy(np.random.default_rng(0).normal(size=(4000, 1)).astype(np.float32))
    example = analysis.scored[3]  # the hostile one
    found = reading(HOSTILE)
    drawing = example_drawing(AudioReader(), signal, found.characters)
    drawn = Shown(example, example.reference, example.hypothesis, drawing, found)
    return [drawn, Shown(analysis.scored[0], "a", "b"), Shown(analysis.scored[1], "", "")]


def test_the_page_is_whole_and_safe(analysis: Analysis, tmp_path: Path) -> None:
    examples = examples_of(analysis)
    write_html(analysis, examples, examples[:1], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:image/svg)|url\(|@import", text)
    tags = parsed(text)
    assert "script" not in tags.tags
    assert "\x1b" not in text
    assert "alert(1)" in tags.text
    assert "<i>bob</i>" in tags.text  # as letters
    assert "too long to be drawn" in tags.text
    assert "recognition, real-time factor" in tags.text
    for picture in re.findall(r"base64,([^\"]+)", text):
        ElementTree.fromstring(base64.b64decode(picture))  # a broken one would not be shown at all


def test_the_same_report_makes_the_same_page(analysis: Analysis, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_html(analysis, examples_of(analysis)[:1], [], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_rate_has_a_bar_of_its_own_height(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = matplotlib_axes()
    monkeypatch.setattr(charts, "draw_svg", lambda draw, *size: draw(axes) or "")
    pairs = [("", "abc", "a"), ("a", "bcdefg", "b")]  # infinite, and 600 %
    analysis = analyse(make_evaluation(pairs), CharacterTokenizer(), About("run", "test", "greedy"))
    rate_bars(analysis.parts["speaker"], "speaker")
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0, 100, 0, 600])


def test_many_parts_are_cut_and_counted(tmp_path: Path) -> None:
    evaluation = make_evaluation([("ab", "ab" if n else "x", f"person {n:03}") for n in range(60)])
    analysis = analyse(evaluation, CharacterTokenizer(), About("run", "test", "greedy"))
    write_html(analysis, [], [], tmp_path / "report.html")
    text = parsed((tmp_path / "report.html").read_text()).text
    assert "the 20 worst of 60; report.json has them all" in text
    assert "person 000" in text


def test_where_nothing_is_recognised_there_is_no_confidence_to_draw(tmp_path: Path) -> None:
    evaluation = make_evaluation([("ab", "", None)])
    assert evaluation.confidences is not None
    calibrated = Calibrated.of(evaluation.confidences, None)
    analysis = analyse(evaluation, CharacterTokenizer(), About("run", "test", "greedy"), calibrated=calibrated)
    write_html(analysis, [], [], tmp_path / "report.html")
    assert "Confidence" not in parsed((tmp_path / "report.html").read_text()).text


def test_aligned_texts_keep_every_character() -> None:
    tags = parsed(as_markup("five <b>six</b>", "five six"))
    assert tags.text == "five five <b>···sixsix</b>····"
    assert as_markup("a" * LONGEST, "a" * (LONGEST + 1000)).endswith("<p>and 1,000 characters more</p>")
    assert len(as_markup("ab" * 10**5, "ba" * 10**5)) < 200_000


@pytest.mark.parametrize(("reference", "hypothesis"), [("a" * 99, "a" * 99), ("b" * 99, "c" * 77), ("", "d" * 99)])
def test_a_line_of_aligned_texts_can_be_broken(reference: str, hypothesis: str) -> None:
    rows = re.findall("<i>(.*?)</i>", as_markup(reference, hypothesis))
    assert max(map(len, rows)) <= 30
    assert "".join(rows[::2]).strip("·") == reference
    assert "".join(rows[1::2]).strip("·") == hypothesis


def test_ink_is_drawn_in_the_colours_of_its_characters() -> None:
    strokes = [[[0, 0], [5, 5], [9, 0]], [[20, 5]], [[30, 0], [40, 9]]]
    signal = InkReader().load(strokes)
    plain, coloured = (example_drawing(InkReader(), signal, some) for some in ((), reading("$").characters))
    assert plain != coloured
    assert "#2f6db3" in coloured
    assert "#b4bbc3" not in coloured  # ten points belong to the one character
    assert "#b4bbc3" in example_drawing(InkReader(), torch.cat([signal] * 3), reading("a").characters)


def test_what_is_too_long_is_not_drawn() -> None:
    assert is_drawable(AudioReader(), torch.zeros(60 * 16000, 1))
    assert not is_drawable(AudioReader(), torch.zeros(60 * 16000 + 1, 1))
    assert not is_drawable(InkReader(), torch.zeros(20_001, 6))


@pytest.mark.parametrize("name", [HOSTILE, "$a$", "语音", None, ""])
def test_any_name_can_stand_under_a_bar(name: str | None) -> None:
    evaluation = make_evaluation([("", "abc", name), ("ab", "b", "x")])  # the first's rate is infinite
    analysis = analyse(evaluation, CharacterTokenizer(), About("run", "test", "greedy"))
    ElementTree.fromstring(rate_bars(analysis.parts["speaker"], "speaker"))
