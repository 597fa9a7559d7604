"""Phones: the way there and back, and the folding by which TIMIT is scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.corpora.prepare import prepare
from seqrec.errors import UserError
from seqrec.metrics.rates import ErrorRates
from seqrec.parts import Tokenizer
from seqrec.text.phones import TIMIT_PHONES, PhoneTokenizer, fold_timit
from seqrec.text.tokens import CharacterTokenizer, read_tokens, write_tokens

# Lee and Hon (1989): the 39 classes that are scored.
SCORED = str.split(
    "aa ae ah aw ay b ch d dh dx eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh sil t th uh uw v w y z"
)
CORPUS = """
from seqrec.manifest import Row

class FewPhones:
    name, licence, shared_people, notes = "few_phones", "none", "", ()

    def splits(self, folder, downloads):
        return {"train": [Row("x", "h# sh ix h#")], "dev": [Row("y", "h# q sh h#")], "test": [Row("z", "h# zh h#")]}
"""
phone_texts = st.lists(st.sampled_from(sorted(TIMIT_PHONES))).map(" ".join)


def test_a_worked_example() -> None:
    tokenizer: Tokenizer = PhoneTokenizer(["ax-h", "h#", "sh"])
    assert len(tokenizer) == 4
    assert tokenizer.encode(" h#  sh ax-h sh h#\n", "x") == [2, 3, 1, 3, 2]
    assert tokenizer.decode([2, 3, 1, 3, 2]) == "h# sh ax-h sh h#"
    assert tokenizer.decode([]) == ""


@given(st.text(), st.lists(st.text()))
def test_there_and_back_is_the_normalised_text(text: str, others: list[str]) -> None:
    tokenizer = PhoneTokenizer(PhoneTokenizer().alphabet([text, *others]))
    assert tokenizer.decode(tokenizer.encode(text, "x")) == tokenizer.normalise(text)
    assert not tokenizer.strangers(text)


def test_a_phone_is_one_however_it_was_typed() -> None:
    tokenizer = PhoneTokenizer(PhoneTokenizer().alphabet(["\u00e3 b", "a\u0303"]))
    assert tokenizer.symbols == ("b", "\u00e3")
    assert tokenizer.encode("a\u0303 \u00e3", "x") == [2, 2]
    assert tokenizer.scored("a\u0303") == "\u00e3"
    assert len(PhoneTokenizer(unicode_form="none").alphabet(["\u00e3 a\u0303"])) == 2


def test_the_alphabet_is_every_phone_once_in_order() -> None:
    assert PhoneTokenizer().alphabet(["h# sh", " ax-h\tsh", ""]) == ("ax-h", "h#", "sh")
    assert PhoneTokenizer().alphabet([]) == ()


def test_strangers_are_named_with_the_example() -> None:
    assert PhoneTokenizer(["aa"]).strangers("aa zh b zh") == ["b", "zh"]
    with pytest.raises(UserError, match=r"^example `w3`: 'b' 'zh' not among the 1 phones .*text\.unknown=drop"):
        PhoneTokenizer(["aa"]).encode("aa zh b zh", "w3")


def test_strangers_can_be_dropped_from_targets_but_stay_in_references() -> None:
    tokenizer = PhoneTokenizer(["aa"], unknown="drop")
    assert tokenizer.encode("zh aa b", "x") == [1]
    assert tokenizer.scored("zh  aa b") == "zh aa b"


@pytest.mark.parametrize("symbols", [[""], ["a b"], [" "], ["a\n"], [5], ["aa", "b", "aa"]])
def test_symbols_have_no_white_space_and_occur_once(symbols: list[Any]) -> None:
    with pytest.raises(UserError, match=r"text\.symbols=.*(without white space|occurs twice)"):
        PhoneTokenizer(symbols)


def test_61_phones_fold_to_48_and_39() -> None:
    assert len(TIMIT_PHONES) == 61
    assert len(set(fold_timit(" ".join(TIMIT_PHONES), 48).split())) == 48
    assert sorted(set(fold_timit(" ".join(TIMIT_PHONES), 39).split())) == SCORED
    assert len(SCORED) == 39


def test_folding_of_a_sentence() -> None:
    phones = "h# hh ah dx ux w iy dcl d ix f ay n ih q epi zh h#"
    assert fold_timit(phones, 48) == "sil hh ah dx uw w iy vcl d ix f ay n ih epi zh sil"
    assert fold_timit(phones, 39) == "sil hh ah dx uw w iy sil d ih f ay n ih sil sh sil"


@pytest.mark.parametrize(
    ("folded", "phones"),
    [
        ("aa", "aa ao"),
        ("ah", "ah ax ax-h"),
        ("er", "er axr"),
        ("hh", "hh hv"),
        ("ih", "ih ix"),
        ("l", "l el"),
        ("m", "m em"),
        ("n", "n en nx"),
        ("ng", "ng eng"),
        ("sh", "sh zh"),
        ("uw", "uw ux"),
        ("sil", "pcl tcl kcl bcl dcl gcl h# pau epi"),
    ],
)
def test_the_classes_of_lee_and_hon(folded: str, phones: str) -> None:
    assert set(fold_timit(phones, 39).split()) == {folded}
    others = " ".join(TIMIT_PHONES - set(phones.split()))
    assert folded not in fold_timit(others, 39).split()


@given(phone_texts)
def test_folding_twice_or_by_way_of_48_is_the_same(text: str) -> None:
    folded = fold_timit(text, 39)
    assert fold_timit(folded, 39) == fold_timit(fold_timit(text, 48), 39) == folded
    assert len(folded.split()) == len(text.split()) - text.split().count("q")


def test_the_wer_of_folded_phones_is_the_phone_error_rate() -> None:
    tokenizer = PhoneTokenizer(sorted(TIMIT_PHONES), fold="timit39")
    reference, hypothesis = "h# q ao l ix zh h#", "pau aa el ih s s h#"
    rates = ErrorRates.of([tokenizer.scored(reference)], [tokenizer.scored(hypothesis)])
    assert (rates.words.substitutions, rates.words.insertions, rates.words.deletions) == (1, 1, 0)
    assert rates.wer == 2 / 6
    assert PhoneTokenizer().scored(reference) == reference


def test_what_is_no_phone_of_timit_is_scored_as_it_is() -> None:
    assert PhoneTokenizer(["AA1", "the"], fold="timit39").scored("the AA1  ao") == "the AA1 aa"


def test_token_lists_of_phones_come_back_but_are_no_characters(tmp_path: Path) -> None:
    phones = tuple(sorted(TIMIT_PHONES))
    write_tokens(tmp_path / "tokens.json", phones)
    assert read_tokens(tmp_path / "tokens.json") == phones
    with pytest.raises(UserError, match="each symbol is one character"):
        CharacterTokenizer(phones)


def test_a_corpus_of_phones_is_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "few_phones_corpus.py").write_text(CORPUS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SEQREC_PACKAGES", "few_phones_corpus")
    config = {
        "corpus": {"_target_": "few_phones_corpus.FewPhones"},
        "text": {"_target_": "seqrec.text.phones.PhoneTokenizer", "fold": "timit39"},
        "data_dir": str(tmp_path / "data"),
    }
    assert read_tokens(prepare(config).folder / "tokens.json") == ("h#", "ix", "sh")
