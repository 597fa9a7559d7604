"""Subwords: the same tokens as SentencePiece's own, the way there and back, and symbols that are none."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.corpora import synth
from seqrec.ctc.feasibility import required_frames
from seqrec.errors import UserError
from seqrec.text.subwords import SubwordTokenizer, _train
from seqrec.text.tokens import read_tokens, write_tokens

FOREIGN = "नमस्ते दुनिया नमन שלום עולם مرحبا بالعالم عالم 한국 사람 한국말 caffè, perché ١٢٣ 1234"
WORDS = [*FOREIGN.split(), *(Path(synth.__file__).parent / "words.txt").read_text(encoding="utf-8").split()[::5]]
TEXTS = WORDS + [" ".join(Random(seed).choices(WORDS, k=6)) for seed in range(100)]
KINDS = pytest.mark.parametrize("kind", ["bpe", "unigram"])
CHARACTERS = sorted(set("".join(WORDS)))
KNOWN = st.lists(st.sampled_from(WORDS) | st.text(CHARACTERS, min_size=1, max_size=12), max_size=6).map(" ".join)


def trained(kind: Any, size: int = 150, **options: Any) -> SubwordTokenizer:
    plain = SubwordTokenizer(model_type=kind, vocab_size=size, **options)
    return SubwordTokenizer(plain.alphabet(TEXTS), model_type=kind, vocab_size=size, **options)


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, SubwordTokenizer]:
    return {kind: trained(kind) for kind in ("bpe", "unigram")}


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return {kind: _train(TEXTS, kind, 150) for kind in ("bpe", "unigram")}


@KINDS
@given(text=KNOWN)
def test_there_and_back_is_the_normalised_text(tokenizers: dict[str, SubwordTokenizer], kind: str, text: str) -> None:
    tokenizer = tokenizers[kind]
    tokens = tokenizer.encode(text, "x")
    assert all(0 < token < len(tokenizer) for token in tokens)
    assert tokenizer.decode(tokens) == tokenizer.normalise(text)


@given(text=KNOWN)
def test_byte_pairs_are_sentencepieces_own(
    tokenizers: dict[str, SubwordTokenizer], models: dict[str, Any], text: str
) -> None:
    tokenizer = tokenizers["bpe"]
    assert tokenizer.encode(text, "x") == models["bpe"].encode(tokenizer.normalise(text))


@given(text=KNOWN)
def test_unigram_pieces_are_as_likely_as_sentencepieces_own(
    tokenizers: dict[str, SubwordTokenizer], models: dict[str, Any], text: str
) -> None:
    tokenizer, model = tokenizers["unigram"], models["unigram"]

    def score(tokens: list[int]) -> float:
        return sum(model.get_score(token) for token in tokens)

    ours, theirs = tokenizer.encode(text, "x"), model.encode(tokenizer.normalise(text))
    assert score(ours) == pytest.approx(score(theirs), abs=1e-3)  # of equals another may be taken


@KINDS
def test_training_texts_are_cut_as_sentencepiece_cuts_them(
    tokenizers: dict[str, SubwordTokenizer], models: dict[str, Any], kind: str
) -> None:
    for text in TEXTS:
        assert tokenizers[kind].encode(text, "x") == models[kind].encode(text)
    assert any(len(symbol) > 3 for symbol in tokenizers[kind].symbols)


@KINDS
def test_the_size_is_the_one_asked_for_and_training_always_the_same(kind: Any) -> None:
    first, again = trained(kind, 90), trained(kind, 90)
    assert len(first) == 90
    assert (first.symbols, first.scores) == (again.symbols, again.scores)


@KINDS
def test_pieces_are_of_the_normalised_text(kind: Any) -> None:
    tokenizer = trained(kind, 90, case="upper", replace={"…": "..."})
    assert not any(symbol != symbol.upper() for symbol in tokenizer.symbols)
    assert tokenizer.decode(tokenizer.encode("The Cat", "x")) == "THE CAT"


@KINDS
def test_ctc_needs_a_frame_a_piece(tokenizers: dict[str, SubwordTokenizer], kind: str) -> None:
    tokens = tokenizers[kind].encode("the cat sat", "x")
    assert required_frames(tokens) < len("the cat sat")


@KINDS
def test_strangers_are_named_or_dropped(kind: Any) -> None:
    tokenizer = trained(kind)
    assert tokenizer.strangers("the ☃ c\u2581at") == ["\u2581", "☃"]
    with pytest.raises(UserError, match=r"^example `w3`: '▁' \(U\+2581\) '☃' \(U\+2603\) not in the alphabet of \d+ c"):
        tokenizer.encode("the ☃ c\u2581at", "w3")
    tokenizer.unknown = "drop"
    assert tokenizer.encode("the ☃ c\u2581at", "w3") == tokenizer.encode("the cat", "w4")
    assert tokenizer.normalise("the ☃") == "the ☃"


def test_characters_that_sentencepiece_keeps_take_no_text_with_them() -> None:
    tokenizer = SubwordTokenizer(vocab_size=4)
    symbols = tokenizer.alphabet(["a\u2585\u0000\u2581b"])
    assert {"a", "b", "\u2581"} == set(symbols)


@KINDS
@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        (TEXTS, 12, r"text\.vocab_size=12: the training text needs \d+ tokens for its characters alone; set"),
        (TEXTS, 9000, r"text\.vocab_size=9000: the training text yields \d+ tokens at most; set text\.vocab_size="),
        ([""], 9, r"text\.vocab_size=9: the training text holds nothing to learn from"),
    ],
)
def test_what_cannot_be_learnt_is_a_sentence(kind: Any, texts: list[str], size: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        SubwordTokenizer(model_type=kind, vocab_size=size).alphabet(texts)


@pytest.mark.parametrize("size", [-1, 1, 10**12])
def test_a_size_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(UserError, match=rf"text\.vocab_size={size} is not between 2 and 1,000,000"):
        SubwordTokenizer(vocab_size=size)


def test_without_sentencepiece_a_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(UserError, match=r"needs the library `sentencepiece`, .* `pip install 'seqrec\[subwords\]'`"):
        SubwordTokenizer(vocab_size=9).alphabet(["a"])
    assert SubwordTokenizer(["▁", "a", "▁a"]).encode("a a", "x") == [3, 3]  # recognising needs it not


@KINDS
def test_pieces_come_back_from_tokens_json(kind: Any, tmp_path: Path) -> None:
    symbols = SubwordTokenizer(model_type=kind, vocab_size=90).alphabet(TEXTS)
    write_tokens(tmp_path / "tokens.json", symbols)
    assert read_tokens(tmp_path / "tokens.json") == symbols


@pytest.mark.parametrize(
    ("kind", "symbols", "message"),
    [
        ("bpe", ["a", "▁a"], "lacks '▁'"),
        ("bpe", ["▁", "a b"], "each symbol is a piece of text, without white space"),
        ("bpe", ["▁", "a", "a"], "occurs twice"),
        ("bpe", [["▁", -1.0]], "each symbol is a piece of text"),
        ("unigram", ["▁", "a"], "'▁' is no pair of a piece and its log-probability, as text.model_type=unigram needs"),
        ("unigram", [["▁", 1.0]], "is no pair"),
        ("unigram", [["▁", float("nan")]], "is no pair"),
        ("unigram", [["▁", -1e300]], "is no pair"),
        ("unigram", [["▁", True]], "is no pair"),
        ("unigram", [["▁", -1, 3]], "is no pair"),
        ("unigram", [["▁", -1], ["▁", -2]], "occurs twice"),
        ("unigram", [["a", -1]], "lacks '▁'"),
    ],
)
def test_symbols_that_are_no_pieces_are_refused(kind: Any, symbols: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        SubwordTokenizer(symbols, model_type=kind)


@KINDS
@pytest.mark.parametrize("seed", range(60))
def test_damaged_symbols_raise_nothing_but_user_errors(
    tokenizers: dict[str, SubwordTokenizer], kind: Any, seed: int, tmp_path: Path
) -> None:
    random, tokenizer = Random(seed), tokenizers[kind]
    symbols: list[Any] = list(tokenizer.scores.items()) or list(tokenizer.symbols)
    for _ in range(random.randint(1, 3)):
        strange = ["", "a\u2581b", "zz", 5, None, [], {}, ["a"], ["q", -3], ["r", -1e999], ["▁▁", -2], "x" * 5000, "\0"]
        symbols[random.randrange(len(symbols))] = random.choice(strange)
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(["<blank>", *symbols]))
    for read in (lambda: symbols, lambda: read_tokens(path)):
        try:
            damaged = SubwordTokenizer(read(), "drop", kind)
        except UserError:
            continue
        for text in TEXTS[:10]:
            assert damaged.decode(damaged.encode(text, "x")) is not None
