"""The beam search with a language model, a lexicon and hotwords against its formula over every labelling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from ctc.brute_force import Arpa, Formula
from torch import Tensor

from seqrec.ctc.beam import BeamDecoder
from seqrec.ctc.beam_lm import LanguageModelBeamDecoder
from seqrec.errors import UserError
from seqrec.lm.language_model import load_language_model, words_of_model
from seqrec.parts import Tokenizer
from seqrec.sequence import Emissions
from seqrec.share import build
from seqrec.text.phones import PhoneTokenizer
from seqrec.text.subwords import SubwordTokenizer
from seqrec.text.tokens import CharacterTokenizer
from seqrec.transcript import Candidate

WIDE: dict[str, Any] = {
    "beam_size": 5000,
    "n_best": 5000,
    "token_min_logp": -math.inf,
    "beam_threshold": math.inf,
}
FIXTURES = Path(__file__).parents[1] / "lm" / "fixtures"
LETTERS = CharacterTokenizer(["a", "b", " "])
PIECES = SubwordTokenizer(["▁", "a", "▁ab", "b"], vocab_size=4)
PHONES = PhoneTokenizer(["a", "ab", "c"])
WORDS = ["a", "ab", "b", "aba", "aab"]


def random_log_probs(num_frames: int, num_tokens: int, seed: int) -> Tensor:
    return (2 * torch.randn(num_frames, num_tokens, generator=torch.Generator().manual_seed(seed))).log_softmax(-1)


def decode(decoder: LanguageModelBeamDecoder | BeamDecoder, log_probs: Tensor) -> list[Candidate]:
    return decoder.decode(Emissions(log_probs[None], torch.tensor([len(log_probs)])))[0]


def decoder_of(tokenizer: Tokenizer, **options: Any) -> LanguageModelBeamDecoder:
    decoder = LanguageModelBeamDecoder(**options)
    decoder.spell_with(tokenizer)
    return decoder


def assert_ranks_all(tokenizer: Tokenizer, formula: Formula, log_probs: Tensor, **options: Any) -> None:
    """Check the n-best, its order and its scores."""
    found = decode(decoder_of(tokenizer, **options, **WIDE), log_probs)
    expected = formula.ranking(log_probs.double().numpy())
    assert [candidate.score for candidate in found] == pytest.approx([score for _, score in expected], abs=1e-6)
    assert [candidate.tokens for candidate in found] == [labelling for labelling, _ in expected]


def lexicon_file(folder: Path, words: Sequence[str]) -> str:
    path = folder / "lexicon.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("eos", [True, False])
def test_a_language_model(order: int, unit: str, eos: bool, tmp_path: Path) -> None:
    words = ["a", "b", "<space>"] if unit == "char" else ["a", "ab", "aba"]
    arpa = Arpa.random(words, order, seed=order)
    weights = {"unit": unit, "alpha": 0.7, "beta": 0.3, "unk_score": -2.0, "eos": eos}
    log_probs = random_log_probs(6, 4, seed=order)
    formula = Formula(LETTERS.spellings, arpa, **weights)
    assert_ranks_all(LETTERS, formula, log_probs, lm=arpa.write(tmp_path / "lm.arpa"), **weights)


@pytest.mark.parametrize("unit", ["char", "word"])
def test_a_symbol_that_the_model_lacks(unit: str, tmp_path: Path) -> None:
    arpa = Arpa.random(["a"], 2, seed=5)
    formula = Formula(LETTERS.spellings, arpa, unit)
    assert_ranks_all(LETTERS, formula, random_log_probs(5, 4, 5), lm=arpa.write(tmp_path / "lm.arpa"), unit=unit)


@pytest.mark.parametrize("tokenizer", [LETTERS, PIECES, PHONES])
@pytest.mark.parametrize("seed", [0, 1])
def test_all_at_once(tokenizer: Tokenizer, seed: int, tmp_path: Path) -> None:
    arpa = Arpa.random(["a", "ab", "aba", "c"], 3, seed)
    lexicon = ["a", "ab", "aba"]
    hotwords = ["ab", "a ab", "ab a", "a ab"]
    formula = Formula(tokenizer.spellings, arpa, lexicon=lexicon, hotwords=hotwords, hotword_weight=1.5)
    files = {"lm": arpa.write(tmp_path / "lm.arpa"), "lexicon": lexicon_file(tmp_path, lexicon)}
    log_probs = random_log_probs(6, len(tokenizer), seed)
    assert_ranks_all(tokenizer, formula, log_probs, **files, hotwords=hotwords, hotword_weight=1.5)
    formula = Formula(tokenizer.spellings, arpa, hotwords=hotwords, hotword_weight=1.5)
    assert_ranks_all(tokenizer, formula, log_probs, lm=files["lm"], hotwords=hotwords, hotword_weight=1.5)


@pytest.mark.parametrize("tokenizer", [LETTERS, PIECES, PHONES])
def test_hotwords_or_a_lexicon_alone(tokenizer: Tokenizer, tmp_path: Path) -> None:
    log_probs = random_log_probs(6, len(tokenizer), seed=7)
    hotwords = ["a", "ab a", "a a"]
    assert_ranks_all(tokenizer, Formula(tokenizer.spellings, hotwords=hotwords), log_probs, hotwords=hotwords)
    lexicon = ["ab", "a"]
    formula = Formula(tokenizer.spellings, lexicon=lexicon)
    assert_ranks_all(tokenizer, formula, log_probs, lexicon=lexicon_file(tmp_path, lexicon))


def test_a_binary_of_kenlm_reads_as_its_arpa_does() -> None:
    arpa = FIXTURES / "tiny.arpa"
    words = [word for word in words_of_model(load_language_model(arpa)) if word.isalpha()][:5]
    tokenizer = PhoneTokenizer(words)
    log_probs = random_log_probs(20, len(tokenizer), seed=4)
    by_arpa, by_binary, by_none = (
        decode(decoder_of(tokenizer, lm=lm, n_best=20), log_probs)
        for lm in (str(arpa), str(FIXTURES / "tiny.binary"), None)
    )
    assert by_binary == by_arpa
    assert by_binary[0].score != by_none[0].score


def test_a_char_model_with_a_lexicon(tmp_path: Path) -> None:
    arpa = Arpa.random(["a", "b", "<space>"], 3, seed=3)
    files = {"lm": arpa.write(tmp_path / "lm.arpa"), "lexicon": lexicon_file(tmp_path, ["ab", "aab"])}
    formula = Formula(LETTERS.spellings, arpa, "char", lexicon=["ab", "aab"])
    assert_ranks_all(LETTERS, formula, random_log_probs(6, 4, 8), **files, unit="char")


def test_nothing_added_is_the_plain_beam() -> None:
    log_probs = random_log_probs(40, 4, seed=9)
    options = {"beam_size": 8, "n_best": 8, "beam_threshold": 15.0, "token_min_logp": -7.0}
    plain = BeamDecoder(**options)
    plain.spell_with(LETTERS)
    found, expected = decode(decoder_of(LETTERS, **options), log_probs), decode(plain, log_probs)
    assert [candidate.tokens for candidate in found] == [candidate.tokens for candidate in expected]
    assert [c.score for c in found] == pytest.approx([c.score for c in expected], abs=1e-9)  # logs, and probabilities


def spelt(text: str, tokenizer: CharacterTokenizer, doubt: float = 0.1) -> Tensor:
    """Log-probs whose likeliest path spells `text`, with a blank behind each token."""
    path = [token for letter in text for token in (tokenizer.symbols.index(letter) + 1, 0)]
    probs = torch.full((len(path), len(tokenizer)), doubt / (len(tokenizer) - 1))
    probs[torch.arange(len(path)), torch.tensor(path)] = 1 - doubt
    return probs.log()


ALPHABET = CharacterTokenizer([*"abcdefghijklmnopqrstuvwxyz", " "])


def text_of(decoder: LanguageModelBeamDecoder, log_probs: Tensor) -> str:
    return ALPHABET.decode(decode(decoder, log_probs)[0].tokens)


def test_only_the_lexicons_words_come_out_even_of_a_narrow_beam(tmp_path: Path) -> None:
    lexicon = lexicon_file(tmp_path, ["other", "another", "mother"])
    for beam_size in (1, 2, 50):
        decoder = decoder_of(ALPHABET, lexicon=lexicon, beam_size=beam_size)
        assert text_of(decoder, spelt("another mothr", ALPHABET)) in ("another mother", "another", "")
    wide = decoder_of(ALPHABET, lexicon=lexicon, beam_size=200, beam_threshold=100.0)
    assert text_of(wide, spelt("another mothr", ALPHABET)) == "another mother"


def test_a_hotword_is_a_whole_word() -> None:
    log_probs = spelt("another day", ALPHABET, doubt=1e-3)
    plain = decode(decoder_of(ALPHABET), log_probs)[0]
    assert decode(decoder_of(ALPHABET, hotwords=["an", "other", "her day"]), log_probs)[0] == plain
    whole = decode(decoder_of(ALPHABET, hotwords=["another", "another day"]), log_probs)[0]
    assert whole.tokens == plain.tokens
    assert whole.score == pytest.approx(plain.score + 15)


def test_a_hotword_is_heard_where_it_was_missed() -> None:
    log_probs = torch.logaddexp(spelt("call jon", ALPHABET), spelt("call jan", ALPHABET) + math.log(0.2))
    log_probs = log_probs.log_softmax(-1)
    assert text_of(decoder_of(ALPHABET), log_probs) == "call jon"
    assert text_of(decoder_of(ALPHABET, hotwords=["jan"], beam_size=4), log_probs) == "call jan"


@pytest.mark.parametrize("garbage", [math.nan, 1e9])
def test_a_ragged_batch_is_its_examples_alone(garbage: float, tmp_path: Path) -> None:
    lm = Arpa.random(WORDS, 3, seed=1).write(tmp_path / "lm.arpa")
    decoder = decoder_of(LETTERS, lm=lm, hotwords=["ab"], beam_size=6, n_best=3)
    lengths = [12, 0, 5, 1]
    log_probs = torch.stack([random_log_probs(12, 4, seed) for seed in range(4)])
    expected = [decode(decoder, row[:length]) for row, length in zip(log_probs, lengths, strict=True)]
    for row, length in zip(log_probs, lengths, strict=True):
        row[length:] = garbage
    found = decoder.decode(Emissions(log_probs, torch.tensor(lengths)))
    assert found == expected
    assert found == decoder.decode(Emissions(log_probs, torch.tensor(lengths)))


def test_nothing_can_be_told_from_no_probability(tmp_path: Path) -> None:
    lm = Arpa.random(WORDS, 2, seed=1).write(tmp_path / "lm.arpa")
    decoder = decoder_of(LETTERS, lm=lm, lexicon=lexicon_file(tmp_path, WORDS))
    assert decode(decoder, torch.full((4, 4), -math.inf)) == [Candidate((), -math.inf)]
    blank_only = CharacterTokenizer([])
    assert decode(decoder_of(blank_only, lm=lm), torch.zeros(3, 1))[0].tokens == ()


def test_weights_may_be_set_between_calls(tmp_path: Path) -> None:
    arpa = Arpa.random(WORDS, 2, seed=2)
    lm = arpa.write(tmp_path / "lm.arpa")
    log_probs = random_log_probs(6, 4, seed=2)
    decoder = decoder_of(LETTERS, lm=lm)
    before = decode(decoder, log_probs)
    decoder.alpha, decoder.beta = 2.0, -1.0
    assert decode(decoder, log_probs) == decode(decoder_of(LETTERS, lm=lm, alpha=2.0, beta=-1.0), log_probs)
    assert decode(decoder, log_probs) != before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha": -1.0}, "decoder.alpha=-1.0"),
        ({"beta": math.nan}, "decoder.beta=nan"),
        ({"unk_score": 1.0}, "decoder.unk_score=1.0"),
        ({"hotword_weight": math.inf}, "decoder.hotword_weight=inf"),
        ({"hotwords": "word"}, "'word' is no list of strings"),
        ({"hotwords": ["a", 3]}, "3 is no list of strings"),
        ({"unit": "piece"}, "decoder.unit=piece"),
        ({"lexicon": "none.txt"}, "lexicon none.txt cannot be read"),
        ({"lm": "none.arpa"}, "none.arpa"),
        ({"n_best": 100}, "decoder.n_best=100"),
    ],
)
def test_options_that_no_search_can_have(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        build({"_target_": "seqrec.ctc.beam_lm.LanguageModelBeamDecoder", **options}, "decoder")


@pytest.mark.parametrize(
    ("hotword", "said"),
    [
        ("axe", "`axe` can never come out, since 'e' 'x'"),
        ("  ", "can never come out"),
        ("a aab", "`aab` is not in the"),
    ],
)
def test_hotwords_that_can_never_come_out(hotword: str, said: str, tmp_path: Path) -> None:
    decoder = LanguageModelBeamDecoder(hotwords=[hotword], lexicon=lexicon_file(tmp_path, ["a", "ab"]))
    with pytest.raises(UserError, match=said):
        decoder.spell_with(LETTERS)


def test_hotwords_are_normalised() -> None:
    tokenizer = CharacterTokenizer(["a", "b", " "], case="lower")
    log_probs = random_log_probs(6, 4, seed=1)
    found = decode(decoder_of(tokenizer, hotwords=["AB  a"]), log_probs)
    assert found == decode(decoder_of(tokenizer, hotwords=["ab a"]), log_probs)


def test_a_token_of_two_words_is_refused() -> None:
    decoder = LanguageModelBeamDecoder()

    class Odd(CharacterTokenizer):
        spellings = ("a b",)

    with pytest.raises(UserError, match="'a b' spells more than one word"):
        decoder.spell_with(Odd(["a"]))
