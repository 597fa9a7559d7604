"""A lexicon: the only words that a decoder may give, from a file with a word a line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqrec.errors import UserError
from seqrec.parts import Tokenizer

if TYPE_CHECKING:
    from seqrec.ctc.byte_trie import Trie

MOST_BYTES = 1000  # of a word
_MOST_FILE_BYTES = 1 << 30
logger = logging.getLogger(__name__)


class Lexicon(NamedTuple):
    """The trie of a lexicon's words, for a kernel."""

    trie: Trie
    word: np.ndarray  # (N,) int32: id of the word that ends at a node, -1 where none does


def read_lexicon(path: str | Path) -> list[str]:
    """Read the words of a file, a word a line, in UTF-8; empty lines are skipped.

    Raises:
        UserError: the file cannot be read, is no such list, or holds no word.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise UserError(f"lexicon {path} is larger than {_MOST_FILE_BYTES:,} bytes; give a list of words")
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UserError(
            f"lexicon {path} cannot be read ({error.strerror or error}); give a file with a word a line"
        ) from None
    words = [word for number, line in enumerate(lines, start=1) if (word := _word(path, number, line))]
    if not words:
        raise UserError(f"lexicon {path} holds no word; give a file with a word a line")
    return words


def _word(path: Path, number: int, line: bytes) -> str:
    if len(line) > MOST_BYTES:
        raise UserError(f"{path}:{number}: a word of {len(line):,} bytes; at most {MOST_BYTES:,} are taken")
    if b"\0" in line:
        raise UserError(f"{path}:{number}: holds a zero byte; give a text file with a word a line")
    try:
        words = line.decode("utf-8").split()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}:{number}: not UTF-8 ({error.reason}); save the lexicon as UTF-8") from None
    if len(words) > 1:
        raise UserError(f"{path}:{number}: `{' '.join(words)[:60]}` is more than one word; give a word a line")
    return words[0] if words else ""


def spellable_words(words: Sequence[str], tokenizer: Tokenizer, where: str) -> list[str]:
    """Return the distinct words, normalised as the tokenizer does it, that its tokens can spell; the others are named.

    Raises:
        UserError: it can spell none of them.
    """
    normalised = {part: None for word in words for part in tokenizer.normalise(word).split()}
    strangers = tokenizer.strangers(" ".join(normalised))
    suspects = [word for word in normalised if any(stranger in word for stranger in strangers)] if strangers else []
    left_out = [word for word in suspects if tokenizer.strangers(word)]
    for word in left_out:
        del normalised[word]
    named = f"{', '.join(f'`{word}`' for word in left_out[:5])}{', ...' * (len(left_out) > 5)}"
    if not normalised:
        raise UserError(f"{where}: no word can be spelt with the run's {len(tokenizer) - 1} tokens ({named})")
    if left_out:
        counts = f"{len(left_out)} of {len(left_out) + len(normalised)} words"
        logger.warning("%s: %s cannot be spelt with the run's tokens and are left out: %s", where, counts, named)
    return list(normalised)


def build_lexicon(words: Sequence[str], word_ids: Callable[[Sequence[str]], np.ndarray]) -> Lexicon:
    """Build the trie of distinct words; `word_ids` gives their ids (N,) in a language model."""
    from seqrec.ctc.byte_trie import build_trie

    by_bytes = sorted(words, key=str.encode)
    trie, ends = build_trie([word.encode() for word in by_bytes])
    ids = np.full(len(trie.first) - 1, -1, np.int32)
    ids[ends] = word_ids(by_bytes)
    return Lexicon(trie, ids)
