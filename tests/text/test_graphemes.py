"""Graphemes: worked examples in many scripts, the way there and back, strangers by name."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.text.graphemes import GraphemeTokenizer
from seqrec.text.tokens import CharacterTokenizer

SCRIPTS = "aé\u0301\u0308 नमस्तेक्षि각한\u1112\u1161\u11abשָׁלמُحَّ👩\u200d👧\ufe0f🇩🇪❤"


def symbols_of(text: str, **options: Any) -> list[str]:
    tokenizer = GraphemeTokenizer(GraphemeTokenizer(**options).alphabet([text]), **options)
    return [tokenizer.symbols[token - 1] for token in tokenizer.encode(text, "x")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ["a", "b", "c"]),
        ("नमस्ते", ["न", "म", "स्ते"]),  # Devanagari: a conjunct with its vowel sign
        ("हिन्दी", ["हि", "न्दी"]),
        ("தமிழ்", ["த", "மி", "ழ்"]),  # Tamil
        ("\u1100\u1161\u11a8\u1112\u1161", ["각", "하"]),  # Hangul jamo, composed by NFC
        ("مُحَمَّد", ["مُ", "حَ", "مَّ", "د"]),  # Arabic with its marks, in logical order
        ("שָׁלוֹם", ["שָׁ", "ל", "וֹ", "ם"]),  # Hebrew with points
        ("👩\u200d👩\u200d👧 🇩🇪❤\ufe0f", ["👩\u200d👩\u200d👧", " ", "🇩🇪", "❤\ufe0f"]),
        ("x\u0323\u0301y", ["x\u0323\u0301", "y"]),  # no code point for both
    ],
)
def test_worked_examples(text: str, expected: list[str]) -> None:
    assert symbols_of(text) == expected


def test_jamo_left_decomposed_are_one_symbol() -> None:
    assert symbols_of("\u1100\u1161\u11a8\u1112\u1161", unicode_form="none") == ["\u1100\u1161\u11a8", "\u1112\u1161"]


@given(st.one_of(st.text(), st.text(SCRIPTS)), st.sampled_from(["keep", "lower", "upper"]))
def test_there_and_back_is_the_normalised_text(text: str, case: Any) -> None:
    tokenizer = GraphemeTokenizer(GraphemeTokenizer(case=case).alphabet([text]), case=case)
    assert tokenizer.decode(tokenizer.encode(text, "x")) == tokenizer.normalise(text)


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_without_marks_they_are_the_characters(text: str) -> None:
    assert GraphemeTokenizer().alphabet([text]) == CharacterTokenizer().alphabet([text])


@given(st.text(SCRIPTS))
def test_a_mark_never_stands_without_its_letter(text: str) -> None:
    for symbol in symbols_of("a" + text)[1:]:
        assert not unicodedata.combining(symbol[0])


def test_strangers_are_named_with_all_their_code_points() -> None:
    tokenizer = GraphemeTokenizer(["क", "क्ष", " "])
    assert tokenizer.strangers("क क्षि") == ["क्षि"]
    message = r"^example `w3`: 'क्षि' \(U\+0915 U\+094D U\+0937 U\+093F\) not in the alphabet of 3 graphemes taken "
    with pytest.raises(UserError, match=message):
        tokenizer.encode("क क्षि", "w3")
    tokenizer.unknown = "drop"
    assert tokenizer.encode("क क्षि क्ष", "w3") == [1, 3, 3, 2]


def test_an_alphabet_of_another_unicode_version_still_loads() -> None:
    tokenizer = GraphemeTokenizer(["क्", "ष"], unknown="drop")  # two clusters before Unicode 15.1, one since
    assert tokenizer.decode([1, 2]) == "क्ष"


@pytest.mark.parametrize("symbols", [[""], [5], ["a", "a"], [["a", -1.0]]])
def test_symbols_are_texts_each_once(symbols: list[Any]) -> None:
    with pytest.raises(UserError, match=r"text\.symbols=.*(each symbol is one grapheme|occurs twice)"):
        GraphemeTokenizer(symbols)
