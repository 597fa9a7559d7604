"""Graphemes as tokens: what a reader takes for one character, however many code points spell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import regex

from seqrec.text.normalise import Case, UnicodeForm
from seqrec.text.tokens import CharacterTokenizer, check_symbols

_CLUSTER = regex.compile(r"\X")


class GraphemeTokenizer(CharacterTokenizer):
    """One token an extended grapheme cluster; token 0 is the blank.

    A letter with its marks, a Hangul syllable spelt in jamo, an Indic conjunct with its vowel sign, an emoji of several
    code points are one token each. Text stays in logical order, as Unicode stores it and as it is spoken or written,
    in right-to-left scripts too. Error rates count as they do for any tokens: the CER code points of normalised text.

    Where clusters end is that of the Unicode version that the library `regex` knows; the alphabet stays as trained.

    Source: Unicode Standard Annex #29, Unicode text segmentation

    Args:
        symbols: the alphabet, in the order of its tokens, without the blank; empty: taken from the training text.
        unknown: what to do with a grapheme outside the alphabet: `error` names it; `drop` leaves it out of the targets,
            but never out of the references that are scored.
        unicode_form: the Unicode normal form of all text.
        case: the case of all text.
        drop_punctuation: leave punctuation out of all text, but for apostrophes within words.
        replace: what single characters become in all text, such as {’: '}; nothing at all deletes them.
    """

    _kind = "graphemes"

    def __init__(
        self,
        symbols: Sequence[str] = (),
        unknown: Literal["error", "drop"] = "error",
        unicode_form: UnicodeForm = "NFC",
        case: Case = "keep",
        drop_punctuation: bool = False,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(symbols, unknown, unicode_form, case, drop_punctuation, replace)

    def _check(self, symbols: Sequence[object]) -> None:
        check_symbols(symbols, bool, "one grapheme")  # of some Unicode version

    def _split(self, text: str) -> Sequence[str]:
        return _CLUSTER.findall(self.normalise(text))
