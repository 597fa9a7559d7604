"""Reading lexicons, and the trie and the automaton that kernels walk, against plain Python."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.ctc.byte_trie import build_trie, child_of
from seqrec.ctc.hotwords import SPACE, advance_hotword, build_hotwords
from seqrec.ctc.lexicon import build_lexicon, read_lexicon, spellable_words
from seqrec.errors import UserError
from seqrec.text.graphemes import GraphemeTokenizer
from seqrec.text.tokens import CharacterTokenizer

WORDS = st.lists(st.text("abé", min_size=1, max_size=5), unique=True, max_size=12)


def write(folder: Path, content: bytes) -> Path:
    path = folder / "words.txt"
    path.write_bytes(content)
    return path


def test_a_word_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfone\r\n\n  two \nthr\xc3\xa9e")
    assert read_lexicon(path) == ["one", "two", "thrée"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no word"),
        (b"\n \n", "holds no word"),
        (b"one\ntwo words\n", "words.txt:2: `two words` is more than one word"),
        (b"one\n\xff\xfe\n", "words.txt:2: not UTF-8"),
        (b"one\0\n", "words.txt:1: holds a zero byte"),
        (b"one\n" + b"x" * 2000, "words.txt:2: a word of 2,000 bytes"),
    ],
)
def test_no_lexicon(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_lexicon(write(tmp_path, content))


def test_a_missing_lexicon(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_lexicon(tmp_path / "none.txt")


@given(st.binary(max_size=200))
def test_any_bytes_are_words_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    try:
        words = read_lexicon(write(tmp_path_factory.getbasetemp(), content))
    except UserError:
        return
    assert all(word and not word.isspace() for word in words)


def test_words_are_normalised_and_what_cannot_be_spelt_is_named(caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = CharacterTokenizer(["a", "b"], case="lower")
    with caplog.at_level(logging.WARNING):
        assert spellable_words(["Ab", "ab", "cab", "b"], tokenizer, "lexicon x") == ["ab", "b"]
    assert "lexicon x: 1 of 3 words cannot be spelt with the run's tokens and are left out: `cab`" in caplog.text
    with pytest.raises(UserError, match=r"lexicon x: no word can be spelt with the run's 2 tokens \(`cab`\)"):
        spellable_words(["cab"], tokenizer, "lexicon x")


def test_a_grapheme_may_hold_a_stranger() -> None:
    tokenizer = GraphemeTokenizer(["e\u0301", "b"], unicode_form="NFD")
    assert spellable_words(["e\u0301", "be"], tokenizer, "lexicon x") == ["e\u0301"]


@given(WORDS)
@settings(deadline=None)
def test_the_trie_holds_the_words_and_nothing_else(words: list[str]) -> None:
    lexicon = build_lexicon(words, lambda named: np.arange(len(named)))
    by_bytes = sorted(words, key=str.encode)

    def look_up(word: bytes) -> int:
        node = 0
        for byte in word:
            node = child_of(lexicon.trie, node, byte)
            if node < 0:
                return -1
        return int(lexicon.word[node])

    others = {word + end for word in words for end in ("", "a", "b")} | {word[:-1] for word in words} | {"", "c"}
    for word in others:
        assert look_up(word.encode()) == (by_bytes.index(word) if word in by_bytes else -1)
    prefixes = {word.encode()[:end] for word in words for end in range(len(word.encode()) + 1)} | {b""}
    assert len(lexicon.word) == len(prefixes)


def slow_bonus(text: str, phrases: Sequence[str], weight: float) -> float:
    words, distinct = text.split(), {tuple(phrase.split()) for phrase in phrases}
    places = [(at, phrase) for phrase in distinct for at in range(len(words))]
    return weight * sum(len(phrase) for at, phrase in places if tuple(words[at : at + len(phrase)]) == phrase)


PHRASES = st.lists(
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=5
)


@given(PHRASES, st.lists(st.text("ab", min_size=1, max_size=3), max_size=8).map(" ".join))
@settings(deadline=None)
def test_hotwords_gain_where_they_stand_whole_and_nothing_is_lent_for_ever(phrases: list[str], text: str) -> None:
    found = build_hotwords(phrases, 2.0)
    state = advance_hotword(found.trie, found.fail, 0, SPACE)
    assert found.lent[state] == 0
    total = 0.0
    for byte in (text + " ").encode() if text else b"":
        state = advance_hotword(found.trie, found.fail, state, byte)
        total += found.gain[state]
        assert 0 <= found.lent[state] <= found.most
    assert total == slow_bonus(text, phrases, 2.0)


def test_a_hotword_is_lent_letter_by_letter() -> None:
    found = build_hotwords(["abba"], 4.0)
    state, lent = 0, []
    for byte in b" abb":
        state = advance_hotword(found.trie, found.fail, state, byte)
        lent.append(float(found.lent[state]))
    assert lent == [0.0, 1.0, 2.0, 3.0]


def test_an_empty_trie() -> None:
    trie, ends = build_trie([])
    assert len(ends) == 0
    assert child_of(trie, 0, 97) == -1
