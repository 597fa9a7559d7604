"""What a language model, a lexicon and hotwords add to a prefix of a beam search, compiled by Numba.

A prefix carries the state of all three, so that one token more is scored from it alone. A word is scored when it ends:
at a token that starts the next one, or at the end of the labelling.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from seqrec.ctc.byte_trie import child_of
from seqrec.ctc.hotwords import SPACE, Hotwords, advance_hotword
from seqrec.ctc.lexicon import Lexicon
from seqrec.lm.ngram_tables import NO_WORD, NgramTables, find_entry, score_word
from seqrec.lm.vocabulary import WORD_CELLS, Vocabulary, hash_word

# A tree of prefixes, 0 the empty one; behind the last stands the one that is being tried. Arrays of records, since a
# kernel that hands on tuples of arrays counts the references to each of them, which costs more than the search.
PREFIX = np.dtype(
    [
        ("parent", np.int32),
        ("token", np.int32),  # the last of the prefix; 0 for the empty one
        ("child", np.int32),  # the one that came last, or -1
        ("sibling", np.int32),  # the next child of the parent, or -1
        ("place", np.int32),  # slot in the beam, or -1
        ("unfinished", np.int32),  # letters of the word that has not ended
        ("lexicon", np.int32),  # node of its trie
        ("hotword", np.int32),  # state of their automaton
        ("latest", np.int32),  # the prefix, this one or one it begins with, that the latest word ended; -1: none
        ("before", np.int32),  # where this one ended a word: the prefix that the word before it ended
        ("word", np.int32),  # and the language model's id of that word
        ("extra", np.float64),  # nats that the rules add, with what hotwords lend
    ],
    align=True,
)


class Spelling(NamedTuple):
    """What the tokens (V,) add to a text, in UTF-8: letters of one word, perhaps with a space before or behind them."""

    starts: np.ndarray  # (V,) bool: a word ends before the token
    ends: np.ndarray  # (V,) bool: a word ends behind it; a token does not do both
    first: np.ndarray  # (V + 1,) int64: letters of token k are first[k] to first[k + 1] - 1
    letters: np.ndarray  # (L,) uint8


class Model(NamedTuple):
    """A language model and its weight."""

    tables: NgramTables
    vocabulary: Vocabulary
    token_ids: np.ndarray  # (V,) int32: the word that each token is to the model; empty where it knows words of text
    bos: int
    eos: int  # -1: the end is not scored
    alpha: float
    beta: float
    unk_score: float


class Rules(NamedTuple):
    """What is added to the log-probability of a prefix, beside the language model."""

    spelling: Spelling
    lexicon: Lexicon
    closed: bool  # only the lexicon's words may come out
    hotwords: Hotwords
    most_gain: float  # nats that one token can bring, with the model


class Scratch(NamedTuple):
    """Room of one search."""

    letters: np.ndarray  # (T' * longest spelling,) uint8, of a word that ends
    history: np.ndarray  # (order - 1,) int32, words of the model, the latest last


@njit(cache=True, nogil=True)
def new_scratch(num_frames: int, model: Model | None, rules: Rules) -> Scratch:
    """Return the room that a search needs."""
    letters = num_frames * np.max(np.diff(rules.spelling.first))
    order = 1 if model is None else model.tables.order
    return Scratch(np.empty(letters, np.uint8), np.empty(order - 1, np.int32))


@njit(cache=True, nogil=True)
def plant(prefixes: np.ndarray, rules: Rules) -> None:
    """Put the empty prefix into a tree of PREFIX (N,)."""
    root = prefixes[0]
    root.parent = root.child = root.sibling = root.latest = root.before = -1
    root.token = root.place = root.unfinished = root.lexicon = 0
    root.extra = 0.0
    root.hotword = advance_hotword(rules.hotwords.trie, rules.hotwords.fail, 0, SPACE)


@njit(cache=True, nogil=True)
def child_with(prefixes: np.ndarray, node: int, token: int) -> int:
    """Return the prefix one token longer, or -1 where it was never kept."""
    found = prefixes[node].child
    while found >= 0 and prefixes[found].token != token:
        found = prefixes[found].sibling
    return found


@njit(cache=True, nogil=True)
def keep_tried(prefixes: np.ndarray, tried: int, node: int, token: int) -> None:
    """Hang the prefix that was tried into the tree."""
    new = prefixes[tried]
    new.parent, new.token = node, token
    new.sibling = prefixes[node].child
    prefixes[node].child = tried
    new.child = new.place = -1


@njit(cache=True, nogil=True)
def tried_extra(
    prefixes: np.ndarray, tried: int, node: int, token: int, model: Model | None, rules: Rules, scratch: Scratch
) -> float:
    """Reckon the prefix `tried`, one token longer than `node`; return the nats it adds, -inf if it is forbidden."""
    new = prefixes[tried]
    new.parent, new.token = node, token
    _copy_state(prefixes[node], new)
    spelling = rules.spelling
    if spelling.starts[token] and not _end_word(prefixes, tried, node, model, rules, scratch):
        return -np.inf
    for index in range(spelling.first[token], spelling.first[token + 1]):
        if rules.closed:
            new.lexicon = child_of(rules.lexicon.trie, new.lexicon, spelling.letters[index])
            if new.lexicon < 0:
                return -np.inf
        _spell(new, spelling.letters[index], rules.hotwords)
        new.unfinished += 1
    if model is not None and len(model.token_ids) > 0:
        _add_word(prefixes, tried, model.token_ids[token], False, model, scratch)
    if spelling.ends[token] and not _end_word(prefixes, tried, tried, model, rules, scratch):
        return -np.inf
    return new.extra - prefixes[node].extra


@njit(cache=True, nogil=True)
def may_end(prefix: np.record, rules: Rules) -> bool:
    """Tell whether a prefix does not end within a word that is none of the lexicon's."""
    return bool(not rules.closed or prefix.unfinished == 0 or rules.lexicon.word[prefix.lexicon] >= 0)


@njit(cache=True, nogil=True)
def finished_extra(
    prefixes: np.ndarray, tried: int, node: int, model: Model | None, rules: Rules, scratch: Scratch
) -> float:
    """Return what the rules add to a prefix that is a whole labelling; minus infinity where they forbid it."""
    new = prefixes[tried]
    _copy_state(prefixes[node], new)
    if not _end_word(prefixes, tried, node, model, rules, scratch):
        return -np.inf
    extra = new.extra - rules.hotwords.lent[new.hotword]
    if model is not None and model.eos >= 0:
        _gather_history(prefixes, new.latest, model.bos, scratch.history)
        extra += model.alpha * score_word(model.tables, scratch.history, model.eos)
    return extra


@njit(cache=True, nogil=True)
def _copy_state(old: np.record, new: np.record) -> None:
    new.unfinished, new.lexicon, new.hotword = old.unfinished, old.lexicon, old.hotword
    new.latest, new.extra = old.latest, old.extra


@njit(cache=True, nogil=True)
def _spell(new: np.record, byte: int, hotwords: Hotwords) -> None:
    state = new.hotword
    found = advance_hotword(hotwords.trie, hotwords.fail, state, byte)
    new.extra += hotwords.gain[found] + hotwords.lent[found] - hotwords.lent[state]
    new.hotword = found


@njit(cache=True, nogil=True)
def _end_word(prefixes: np.ndarray, tried: int, last: int, model: Model | None, rules: Rules, scratch: Scratch) -> bool:
    """End the word, if one is being spelt, whose last token is that of the prefix `last`; False if it is forbidden."""
    new = prefixes[tried]
    if new.unfinished == 0:
        return True
    word = 0
    if rules.closed:
        word = rules.lexicon.word[new.lexicon]
        if word < 0:
            return False
        new.lexicon = 0
    _spell(new, SPACE, rules.hotwords)
    if model is not None and len(model.token_ids) == 0:
        if not rules.closed:
            word = _word_id(prefixes, last, new.unfinished, model.vocabulary, rules.spelling, scratch.letters)
        _add_word(prefixes, tried, word, rules.closed, model, scratch)
    new.unfinished = 0
    return True


@njit(cache=True, nogil=True)
def _add_word(prefixes: np.ndarray, tried: int, word: int, allowed: bool, model: Model, scratch: Scratch) -> None:
    """Score a word behind those of the prefix `tried`; an `allowed` one is not fined for being unknown."""
    new = prefixes[tried]
    _gather_history(prefixes, new.latest, model.bos, scratch.history)
    new.extra += model.alpha * score_word(model.tables, scratch.history, word) + model.beta
    if word == 0 and not allowed:
        new.extra += model.unk_score
    new.word, new.before, new.latest = word, new.latest, tried


@njit(cache=True, nogil=True)
def _gather_history(prefixes: np.ndarray, latest: int, bos: int, history: np.ndarray) -> None:
    """Fill the history with the words up to the one that the prefix `latest` ended."""
    index = len(history) - 1
    while index >= 0 and latest >= 0:
        history[index] = prefixes[latest].word
        latest = prefixes[latest].before
        index -= 1
    if index >= 0:
        history[index] = bos
    for gap in range(index):
        history[gap] = NO_WORD


@njit(cache=True, nogil=True)
def _word_id(
    prefixes: np.ndarray, last: int, length: int, vocabulary: Vocabulary, spelling: Spelling, letters: np.ndarray
) -> int:
    """Return the id of the word of `length` letters that ends with the prefix `last`; 0 where the model lacks it."""
    node, end = last, length
    while end > 0:
        token = prefixes[node].token
        for index in range(spelling.first[token + 1] - 1, spelling.first[token] - 1, -1):
            end -= 1
            letters[end] = spelling.letters[index]
        node = prefixes[node].parent
    cell = find_entry(vocabulary.cells, 0, vocabulary.buckets, WORD_CELLS, hash_word(letters, 0, length))
    return int(vocabulary.cells[cell + 2]) if cell >= 0 else 0
