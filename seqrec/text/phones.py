"""Phones as tokens, and the folding of TIMIT's 61 phones by which results on it are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from seqrec.errors import UserError
from seqrec.text.normalise import Normalisation, UnicodeForm
from seqrec.text.tokens import check_symbols

TIMIT_PHONES = frozenset(
    str.split(
        "aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl h# hh hv ih ix "
        "iy jh k kcl l m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh"
    )
)  # the 61 of its transcriptions
_DELETED = "q"  # the glottal stop
_TO_48 = {
    **{"ax-h": "ax", "axr": "er", "em": "m", "eng": "ng", "hv": "hh", "nx": "n", "ux": "uw", "h#": "sil", "pau": "sil"},
    **dict.fromkeys(("pcl", "tcl", "kcl"), "cl"),
    **dict.fromkeys(("bcl", "dcl", "gcl"), "vcl"),
}
_TO_39 = {
    **{"ao": "aa", "ax": "ah", "ix": "ih", "el": "l", "en": "n", "zh": "sh"},
    **dict.fromkeys(("cl", "vcl", "epi"), "sil"),
}


def fold_timit(text: str, num_phones: Literal[48, 39]) -> str:
    """Return a string of TIMIT's 61 phones in the 48 that are trained on, or in the 39 that are scored.

    `q` is deleted; phones of a smaller set, and symbols that are none, stay; two silences side by side stay two.

    Source: Lee and Hon (1989), Speaker-independent phone recognition using hidden Markov models
    """
    phones = (_TO_48.get(phone, phone) for phone in text.split() if phone != _DELETED)
    return " ".join(phones if num_phones == 48 else (_TO_39.get(phone, phone) for phone in phones))


class PhoneTokenizer:
    """One token a phone, or any other symbol between white space; token 0 is the blank.

    The WER of such texts is the phone error rate; their CER counts the letters of the phones' names, and says little.

    Args:
        symbols: the phones, in the order of their tokens, without the blank; empty: taken from the training text.
        unknown: what to do with a phone outside `symbols`: `error` names it; `drop` leaves it out of the targets, but
            never out of the references that are scored.
        fold: `timit39` scores references and hypotheses in the 39 phones of Lee and Hon, whatever is trained on;
            symbols that are no phones of TIMIT are scored as they are.
        unicode_form: the Unicode normal form of all text, so that ã of IPA is one phone, however it was typed.
    """

    def __init__(
        self,
        symbols: Sequence[str] = (),
        unknown: Literal["error", "drop"] = "error",
        fold: Literal["none", "timit39"] = "none",
        unicode_form: UnicodeForm = "NFC",
    ) -> None:
        check_symbols(symbols, lambda symbol: symbol.split() == [symbol], "one or more characters, without white space")
        self.symbols = tuple(symbols)
        self.unknown = unknown
        self.fold = fold
        self._normalise = Normalisation(unicode_form)
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}

    def __len__(self) -> int:
        """Count the tokens, the blank among them."""
        return len(self.symbols) + 1

    def normalise(self, text: str) -> str:
        """Return `text` in its Unicode form, with single spaces between its phones."""
        return self._normalise(text)

    @property
    def spellings(self) -> tuple[str, ...]:
        """What each phone adds to a text: a word."""
        return tuple(f" {symbol}" for symbol in self.symbols)

    def alphabet(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the phones of `texts`, sorted."""
        return tuple(sorted(set().union(*map(self._phones, texts))))

    def encode(self, text: str, id: str) -> list[int]:
        """Return the tokens of the phones of example `id`.

        Raises:
            UserError: a phone has no token and `unknown` is `error`.
        """
        strangers = self.strangers(text)
        if strangers and self.unknown == "error":
            raise UserError(
                f"example `{id}`: {' '.join(map(repr, strangers))} not among the {len(self.symbols)} phones taken from "
                "the training text; mend the transcript, or set text.unknown=drop to train without such phones "
                "(they still count as errors when scored)"
            )
        return [self._numbers[phone] for phone in self._phones(text) if phone in self._numbers]

    def strangers(self, text: str) -> list[str]:
        """Return the phones of `text` without a token, sorted."""
        return sorted(set(self._phones(text)) - self._numbers.keys())

    def scored(self, text: str) -> str:
        """Return `text` as references and hypotheses are compared: folded, if `fold` says so."""
        return fold_timit(text, 39) if self.fold == "timit39" else self.normalise(text)

    def _phones(self, text: str) -> list[str]:
        return self.normalise(text).split()

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the phones of `tokens`, none of which is the blank, with spaces between."""
        return " ".join(self.symbols[token - 1] for token in tokens)
