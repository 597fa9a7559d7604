"""What the words of a language model are: the recogniser's own symbols, or the words between spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from seqrec.parts import Tokenizer
from seqrec.text.subwords import SubwordTokenizer

Unit = Literal["char", "word"]
UNITS = ("char", "word")
SPACE, UNKNOWN = "<space>", "<unk>"
# Words that mean something to readers of ARPA files, what they would cut in two, and what would look like a code below.
_TO_CODE = re.compile(r"<s>|</s>|<unk>|<UNK>|<space>|(<U\+[0-9A-F]+>)+|.*[\s\0].*", re.DOTALL)


@lru_cache(maxsize=1 << 16)
def lm_word(symbol: str) -> str:
    """Return how a symbol of the tokenizer is written in a language model of unit `char`: a word without white space.

    A space is `<space>`, and almost any other symbol itself. One that would be taken for something else, such as `<s>`,
    or that holds white space, is written as its code points, `<U+003C><U+0073><U+003E>`: no two symbols are one word.
    """
    if symbol == " ":
        return SPACE
    return "".join(f"<U+{ord(one):04X}>" for one in symbol) if _TO_CODE.fullmatch(symbol) else symbol


def lm_words(text: str, unit: Unit, tokenizer: Tokenizer) -> list[str]:
    """Return the words of a normalised `text`, as a language model counts them.

    Of unit `char`, what the tokenizer has no symbol for is `<unk>` in its place, so that what stands around it does not
    become neighbours; of subwords, a word with such a character is `<unk>` as a whole.
    """
    if unit == "word":
        return [lm_word(word) for word in text.split()]
    strangers = tokenizer.strangers(text)
    if not strangers:
        return _encoded(text, tokenizer)
    if isinstance(tokenizer, SubwordTokenizer):
        return [word for part in text.split() for word in _or_unknown(part, tokenizer)]
    return list(_around(text, strangers, tokenizer))


def _encoded(text: str, tokenizer: Tokenizer) -> list[str]:
    return [lm_word(tokenizer.symbols[token - 1]) for token in tokenizer.encode(text, "text")]


def _or_unknown(word: str, tokenizer: Tokenizer) -> list[str]:
    return [UNKNOWN] if tokenizer.strangers(word) else _encoded(word, tokenizer)


def _around(text: str, strangers: list[str], tokenizer: Tokenizer) -> Iterator[str]:
    """Yield the words of a text whose symbols, strangers included, are the longest that stand at each place."""
    symbols = sorted({*tokenizer.symbols, *strangers}, key=len, reverse=True)
    outside = set(strangers)
    for found in re.findall("|".join(map(re.escape, symbols)), text):
        yield UNKNOWN if found in outside else lm_word(found)
