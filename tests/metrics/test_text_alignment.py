"""Alignments: jiwer's, and lines whose columns stand one above the other in any script."""

from __future__ import annotations

import unicodedata

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from seqrec.metrics.edits import character_edits, word_edits
from seqrec.metrics.text_alignment import AlignedLines, align_characters, align_texts, align_words, visible

WORDS = st.lists(st.sampled_from(["a", "b", "bb", "日本", "é", "e\u0301"]), max_size=8)
TEXTS = st.text("ab 日é\u0301\u200d\x1b\u202e😀", max_size=12).map(lambda text: " ".join(text.split()))
KINDS = {"equal": "hit", "substitute": "substitution", "insert": "insertion", "delete": "deletion"}


@given(WORDS, WORDS)
def test_edits_are_jiwers(reference: list[str], hypothesis: list[str]) -> None:
    (chunks,) = jiwer.process_words([" ".join(reference)], [" ".join(hypothesis)]).alignments
    expected = [
        (KINDS[one.type], one.ref_start_idx, one.ref_end_idx, one.hyp_start_idx, one.hyp_end_idx) for one in chunks
    ]
    assert [tuple(vars(edit).values()) for edit in align_texts(reference, hypothesis)] == expected


@given(TEXTS, TEXTS)
def test_edits_turn_the_reference_into_the_hypothesis(reference: str, hypothesis: str) -> None:
    edits = align_texts(reference, hypothesis)
    rebuilt = "".join(
        (reference[e.reference_start : e.reference_end] if e.kind == "hit" else "")
        or hypothesis[e.hypothesis_start : e.hypothesis_end]
        for e in edits
    )
    assert rebuilt == hypothesis
    assert "".join(reference[e.reference_start : e.reference_end] for e in edits) == reference


def test_words_one_above_the_other() -> None:
    assert str(align_words("one two three", "one too three four")) == (
        "REF: one two three ****\nHYP: one too three four\n         S         I"
    )
    assert str(align_words("a long", "a")).splitlines()[1:] == ["HYP: a ****", "       D"]


def test_characters_one_above_the_other() -> None:
    lines = align_characters("a cafe\u0301", "acafé")
    assert lines.reference == "a␣cafe\u25cc\u0301"
    assert lines.hypothesis == "a*café*"
    assert lines.marks == " D   SD"


def test_wide_characters_take_two_columns() -> None:
    lines = align_words("日本 a", "x 日本語 a")
    assert lines.reference == "* 日本   a"
    assert lines.hypothesis == "x 日本語 a"
    assert align_characters("日a", "aa").hypothesis == "a a"


@pytest.mark.parametrize("align", [align_words, align_characters])
@given(reference=TEXTS, hypothesis=TEXTS)
def test_columns_are_of_one_width_and_errors_marked(align, reference: str, hypothesis: str) -> None:
    lines = align(reference, hypothesis)
    for cells in lines.cells:
        assert len({cell_len(cell) for cell in cells}) == 1
    count = word_edits if align is align_words else character_edits
    (edits,) = count([reference], [hypothesis])
    for mark, expected in (("S", edits.substitutions), ("I", edits.insertions), ("D", edits.deletions)):
        assert lines.marks.count(mark) == expected


@given(TEXTS, TEXTS)
def test_nothing_shown_is_obeyed_by_a_terminal(reference: str, hypothesis: str) -> None:
    for lines in (align_words(reference, hypothesis), align_characters(reference, hypothesis)):
        shown = lines.reference + lines.hypothesis
        assert not any(unicodedata.category(c) in ("Cc", "Cs") or c == "\u202e" for c in shown)


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert visible("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
    assert visible("\u202eabc") == "\\u202eabc"
    assert visible("\u0301a") == "\u25cc\u0301a"
    assert visible("می\u200cرود") == "می\u200cرود"  # a joiner shapes the word and stays
    assert visible("a\u200d") == "a\\u200d"
    assert align_characters("\u200c", "a").reference == "\\u200c"


@given(WORDS, WORDS, st.integers(1, 30))
def test_folded_lines_are_the_whole_and_no_wider(reference: list[str], hypothesis: list[str], width: int) -> None:
    lines = align_words(" ".join(reference), " ".join(hypothesis))
    pieces = list(lines.fold(width))
    assert AlignedLines(tuple(cells for piece in pieces for cells in piece.cells)) == lines
    assert all(cell_len(piece.reference) <= width or len(piece.cells) == 1 for piece in pieces)
