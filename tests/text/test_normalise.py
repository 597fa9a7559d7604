"""Normalisation: worked examples, and the same text however often it is applied."""

from __future__ import annotations

import unicodedata
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqrec.text.normalise import Case, UnicodeForm, normalise

FORMS = st.sampled_from(get_args(UnicodeForm))
CASES = st.sampled_from(get_args(Case))


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("  two\t words\u00a0\n here \u3000", {}, "two words here"),
        ("", {}, ""),
        (" \n", {}, ""),
        ("e\u0301", {}, "\u00e9"),
        ("e\u0301", {"unicode_form": "none"}, "e\u0301"),
        ("\ufb01ve \u2167", {"unicode_form": "NFKC"}, "five VIII"),
        ("\ufb01ve", {}, "\ufb01ve"),
        ("Straße", {"case": "upper"}, "STRASSE"),
        ("ÉTÉ", {"case": "lower"}, "été"),
        ("ΐ", {"case": "upper"}, unicodedata.normalize("NFC", "ΐ".upper())),  # upper case comes decomposed
    ],
)
def test_worked_examples(text: str, options: dict[str, str], expected: str) -> None:
    assert normalise(text, **options) == expected


@given(st.text(), FORMS, CASES)
@example("ΐ", "NFC", "upper")
@example("İ", "NFC", "lower")
def test_twice_is_once(text: str, form: UnicodeForm, case: Case) -> None:
    once = normalise(text, form, case)
    assert normalise(once, form, case) == once


@given(st.text(), st.sampled_from(["NFC", "NFKC"]), CASES)
@example("ΐ", "NFC", "upper")
def test_the_result_is_in_its_form(text: str, form: UnicodeForm, case: Case) -> None:
    assert unicodedata.is_normalized(form, normalise(text, form, case))


@given(st.lists(st.sampled_from(["a", "b", " ", "\t", "\n", "\u00a0", "\u2003"])).map("".join), FORMS, CASES)
def test_white_space_is_single_spaces_between_words(text: str, form: UnicodeForm, case: Case) -> None:
    result = normalise(text, form, case)
    assert result.split() == result.split(" ") or result == ""
    assert len(result.split()) == len(text.split())
