"""The words of language models: of every tokenizer, strangers in their place, and no symbol taken for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.lm.units import lm_word, lm_words
from seqrec.parts import Tokenizer
from seqrec.text.graphemes import GraphemeTokenizer
from seqrec.text.phones import PhoneTokenizer
from seqrec.text.subwords import SubwordTokenizer
from seqrec.text.tokens import CharacterTokenizer

LETTERS = CharacterTokenizer([" ", "a", "b", "c"])
PIECES = SubwordTokenizer(["▁", "a", "b", "c", "▁a", "▁ab"])


@pytest.mark.parametrize(
    ("symbol", "word"),
    [
        ("a", "a"),
        (" ", "<space>"),
        ("<", "<"),
        ("▁the", "▁the"),
        ("नि", "नि"),
        ("<S>", "<S>"),
        ("<s>", "<U+003C><U+0073><U+003E>"),
        ("</s>", "<U+003C><U+002F><U+0073><U+003E>"),
        ("<unk>", "<U+003C><U+0075><U+006E><U+006B><U+003E>"),
        ("<space>", "<U+003C><U+0073><U+0070><U+0061><U+0063><U+0065><U+003E>"),
        (" \u0301", "<U+0020><U+0301>"),  # a grapheme: a space with an accent
        ("\t", "<U+0009>"),
        ("\0", "<U+0000>"),
        ("\u2028", "<U+2028>"),
        ("<U+0041>", "<U+003C><U+0055><U+002B><U+0030><U+0030><U+0034><U+0031><U+003E>"),
    ],
)
def test_how_symbols_are_written(symbol: str, word: str) -> None:
    assert lm_word(symbol) == word


symbols = st.text("<>/su+U0041nk \t", min_size=1) | st.sampled_from(["<s>", "</s>", "<unk>", "<UNK>", "<space>"])


@given(st.sets(symbols | st.text(min_size=1), min_size=2))
def test_no_two_symbols_are_one_word(some: set[str]) -> None:
    words = {lm_word(symbol) for symbol in some | {lm_word(symbol) for symbol in some}}
    assert len(words) == len(some | {lm_word(symbol) for symbol in some})
    assert not words & {"<s>", "</s>", "<unk>", "<UNK>"}
    assert all(word.split() == [word] for word in words)


@pytest.mark.parametrize(
    ("tokenizer", "text", "words"),
    [
        (LETTERS, "ab c", ["a", "b", "<space>", "c"]),
        (LETTERS, "aéb é", ["a", "<unk>", "b", "<space>", "<unk>"]),
        (LETTERS, "", []),
        (CharacterTokenizer(["a"]), "a a", ["a", "<unk>", "a"]),
        (GraphemeTokenizer(["e", "e\u0301", "x"], unicode_form="none"), "ee\u0301x", ["e", "e\u0301", "x"]),
        (GraphemeTokenizer(["e\u0301", "x"], unicode_form="none"), "ee\u0301x", ["<unk>", "e\u0301", "x"]),
        (GraphemeTokenizer(["e", "x"], unicode_form="none"), "ee\u0301x", ["e", "<unk>", "x"]),
        (PhoneTokenizer(["b", "bcl", "aa"]), "bcl b aa", ["bcl", "b", "aa"]),
        (PhoneTokenizer(["b", "aa"]), "bcl b aa <s>", ["<unk>", "b", "aa", "<unk>"]),
        (PhoneTokenizer(["b", "<s>"]), "<s> b", ["<U+003C><U+0073><U+003E>", "b"]),
        (PIECES, "abc a", ["▁ab", "c", "▁a"]),
        (PIECES, "abéc a", ["<unk>", "▁a"]),
    ],
)
@pytest.mark.parametrize("unknown", ["error", "drop"])
def test_symbols_as_words(tokenizer: Tokenizer, text: str, words: list[str], unknown: str) -> None:
    tokenizer.unknown = unknown  # type: ignore[assignment]
    assert lm_words(text, "char", tokenizer) == words


@given(st.text("abc xé", max_size=30))
def test_known_symbols_stay_in_their_order(text: str) -> None:
    text = LETTERS.normalise(text)
    words = lm_words(text, "char", LETTERS)
    assert len(words) == len(text)
    known = [symbol for symbol in text if symbol in LETTERS.symbols]
    assert [word for word in words if word != "<unk>"] == [lm_word(symbol) for symbol in known]


def test_words_between_spaces() -> None:
    assert lm_words("ab é<s> </s> ab", "word", LETTERS) == ["ab", "é<s>", lm_word("</s>"), "ab"]
    assert lm_words("", "word", LETTERS) == []
