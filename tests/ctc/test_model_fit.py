"""A language model of another unit, alphabet or case is said; one that fits is not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from seqrec.ctc.beam_lm import LanguageModelBeamDecoder
from seqrec.ctc.model_fit import misfits
from seqrec.lm.arpa_writer import write_arpa
from seqrec.lm.kneser_ney import estimate
from seqrec.lm.language_model import load_language_model
from seqrec.lm.units import Unit, lm_words
from seqrec.parts import Tokenizer
from seqrec.text.phones import PhoneTokenizer
from seqrec.text.subwords import SubwordTokenizer
from seqrec.text.tokens import CharacterTokenizer

TEXTS = ["a cab", "abba", "cab a", "bac"]
LETTERS = CharacterTokenizer(["a", "b", "c", " "])
NO_SPACE = CharacterTokenizer(["a", "b", "c"])
UPPER = CharacterTokenizer(["A", "B", "C", " "])
DIGITS = CharacterTokenizer(["1", "2", " "])
PIECES = SubwordTokenizer(["▁", "a", "▁ab", "b", "c"], vocab_size=5)
PHONES = PhoneTokenizer(["aa", "b", "c"])


def model(folder: Path, texts: Sequence[str], unit: Unit, tokenizer: Tokenizer) -> Path:
    path = folder / "model.arpa"
    write_arpa(path, estimate([lm_words(text, unit, tokenizer) for text in texts], 2))
    return path


def said(folder: Path, texts: Sequence[str], made: tuple[Unit, Tokenizer], used: tuple[Unit, Tokenizer]) -> str:
    return "".join(misfits(load_language_model(model(folder, texts, *made)), *used))


@pytest.mark.parametrize(
    ("tokenizer", "texts"),
    [
        (LETTERS, TEXTS),
        (NO_SPACE, ["cab", "abba"]),
        (PIECES, TEXTS),
        (PHONES, ["aa b", "c aa"]),
        (DIGITS, ["1 2", "2"]),
    ],
)
@pytest.mark.parametrize("unit", ["char", "word"])
def test_nothing_is_said_of_a_model_that_fits(
    tokenizer: Tokenizer, texts: list[str], unit: Unit, tmp_path: Path
) -> None:
    assert said(tmp_path, texts, (unit, tokenizer), (unit, tokenizer)) == ""


@pytest.mark.parametrize(("tokenizer", "texts"), [(LETTERS, TEXTS), (NO_SPACE, ["cab", "abba"]), (PIECES, TEXTS)])
@pytest.mark.parametrize(("made", "used"), [("char", "word"), ("word", "char")])
def test_the_other_unit(tokenizer: Tokenizer, texts: list[str], made: Unit, used: Unit, tmp_path: Path) -> None:
    assert f"set decoder.unit={made}" in said(tmp_path, texts, (made, tokenizer), (used, tokenizer))


def test_words_that_are_letters_too(tmp_path: Path) -> None:
    """Digits read one by one: the same words in both units, but for the space."""
    assert "(`<space>`): it may be of texts" in said(tmp_path, ["1 2", "2 1"], ("word", DIGITS), ("char", DIGITS))


@pytest.mark.parametrize(("unit", "words"), [("char", "knows 1 of the run's 4 tokens"), ("word", "cannot be spelt")])
def test_another_case(unit: Unit, words: str, tmp_path: Path) -> None:
    found = said(tmp_path, TEXTS, (unit, LETTERS), (unit, UPPER))
    assert words in found
    assert "another alphabet or case" in found


def test_the_decoder_says_it_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = model(tmp_path, TEXTS, "char", LETTERS)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        decoder = LanguageModelBeamDecoder(lm=str(path), unit="word")
        decoder.spell_with(LETTERS)
        decoder.spell_with(LETTERS)
    (message,) = caplog.messages
    assert message.startswith(f"decoder.lm={path} does not fit decoder.unit=word: ")


def test_a_decoder_with_nothing_to_add_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        LanguageModelBeamDecoder()
        LanguageModelBeamDecoder(hotwords=["a"])
    assert [message[:46] for message in caplog.messages] == ["decoder=beam_lm has no decoder.lm=, lexicon= o"]
