"""Normalisation: worked examples, and the same text however often it is applied."""

from __future__ import annotations

import unicodedata
from typing import Any, get_args

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.text.normalise import Case, Normalisation, UnicodeForm

FORMS = st.sampled_from(get_args(UnicodeForm))
CASES = st.sampled_from(get_args(Case))
ACCENTED = st.text("aeEéÉ\u0301\u0323ſßΣς' -’\u200f", max_size=8)  # what composes, changes case, is dropped


def normalise(text: str, unicode_form: UnicodeForm = "NFC", case: Case = "keep", **options: Any) -> str:
    return Normalisation(unicode_form, case, **options)(text)


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
        ("it’s “so”", {"replace": {"’": "'", "“": '"', "”": '"'}}, 'it\'s "so"'),
        ("\u200fשלום\u200f", {"replace": {"\u200f": ""}}, "שלום"),
        ("Æsop", {"case": "lower", "replace": {"æ": "ae"}}, "aesop"),
        ("Æsop", {"case": "lower", "replace": {"Æ": "AE"}}, "aesop"),  # both are brought to the case
        ("qx\u0301", {"replace": {"x": "e", "é": "i"}}, "qi"),  # composes when x has become e
        ("e\u200f\u0301", {"replace": {"\u200f": ""}}, "é"),
        ("a,b;c", {"replace": {",": " ", ";": "\t"}}, "a b c"),
        ("Don't - stop! “Now”?", {"drop_punctuation": True}, "Don't stop Now"),
        ("'tis the dogs' l’eau", {"drop_punctuation": True}, "tis the dogs l’eau"),
        ("well-known, 3.5 + $2", {"drop_punctuation": True}, "well known 3 5 + $2"),
        ("צה״ל, בית־ספר.", {"drop_punctuation": True}, "צה״ל בית ספר"),
        ("नमस्ते।", {"drop_punctuation": True}, "नमस्ते"),
        ("مَرْحَبًا؟", {"drop_punctuation": True}, "مَرْحَبًا"),
        ("\ufefb", {"unicode_form": "NFKC"}, "\u0644\u0627"),  # Arabic lam-alef as one glyph
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


@given(
    ACCENTED,
    FORMS,
    CASES,
    st.booleans(),
    st.dictionaries(st.sampled_from("aeéÉ\u0301\u0323ſ'’-\u200f"), ACCENTED.map(lambda text: text[:2]), max_size=4),
)
def test_twice_is_once_whatever_is_replaced_or_dropped(
    text: str, form: UnicodeForm, case: Case, drop_punctuation: bool, replace: dict[str, str]
) -> None:
    try:
        normalisation = Normalisation(form, case, drop_punctuation, replace)
    except UserError:
        reject()
    once = normalisation(text)
    assert normalisation(once) == once
    assert form == "none" or unicodedata.is_normalized(form, once)


@given(st.text(), FORMS, CASES)
def test_defaults_are_what_they_were_before_there_were_more_options(text: str, form: UnicodeForm, case: Case) -> None:
    expected = text if form == "none" else unicodedata.normalize(form, text)
    if case != "keep":
        expected = expected.lower() if case == "lower" else expected.upper()
        expected = expected if form == "none" else unicodedata.normalize(form, expected)
    assert normalise(text, form, case) == " ".join(expected.split())


@given(st.text())
def test_dropping_takes_all_punctuation_but_apostrophes(text: str) -> None:
    left = normalise(text, drop_punctuation=True)
    assert {character for character in left if unicodedata.category(character)[0] == "P"} <= set("'’׳״")
    words = [character for character in normalise(text) if unicodedata.category(character)[0] not in "PZC"]
    assert [character for character in left if unicodedata.category(character)[0] not in "PZC"] == words


@pytest.mark.parametrize(
    ("replace", "message"),
    [
        ([["a", "b"]], "is no mapping of characters to texts; quote digits and spaces"),
        ({"a": 1}, "is no mapping of characters to texts"),
        ({1: "a"}, "is no mapping of characters to texts"),
        ({"ab": "c"}, "'ab' is not one character"),
        ({"": "c"}, "'' is not one character"),
        ({" ": "_"}, "' ' is not one character, spaces apart"),
        ({"q\u0301": "c"}, "is not one character"),
        ({"a": "b", "b": "c"}, "'b' is replaced, but also put in a replacement"),
        ({"a": "a"}, "'a' is replaced, but also put"),
    ],
)
def test_replacements_that_are_none_are_named(replace: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Normalisation(replace=replace)
