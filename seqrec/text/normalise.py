"""Text normalisation: an explicit, recorded choice, applied before tokens are counted or errors scored."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal

from seqrec.errors import UserError

UnicodeForm = Literal["NFC", "NFKC", "none"]
Case = Literal["keep", "lower", "upper"]
_WITHIN_WORDS = "'’׳״"  # punctuation that stays between two letters: don't, l’eau, צה״ל


class Normalisation:
    """Brings text to one Unicode form and case, with runs of white space as single spaces and none at the ends.

    Whatever is chosen, normalised text stays as it is when it is normalised again. Text stays in logical order, as
    Unicode stores it, right-to-left scripts too.

    Args:
        unicode_form: the Unicode normal form; NFKC also takes ligatures, presentation forms and wide letters apart.
        case: the case of all letters.
        drop_punctuation: put a space for all of Unicode's punctuation, but for an apostrophe, a geresh or gershayim
            between two letters; symbols such as + and $ stay.
        replace: what single characters become, such as {’: '}, in this form and case; nothing at all deletes them.

    Raises:
        UserError: `replace` is no such mapping, or what it puts holds a character that it replaces.
    """

    def __init__(
        self,
        unicode_form: UnicodeForm = "NFC",
        case: Case = "keep",
        drop_punctuation: bool = False,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        self._unicode_form = unicode_form
        self._case = case
        self._drop_punctuation = drop_punctuation
        self._table = self._replacements(replace)

    def __call__(self, text: str) -> str:
        """Normalise `text`."""
        text = self._spell(text)
        while self._table:  # what is put beside an accent may compose to a character that is replaced, too
            replaced = self._spell(text.translate(self._table))
            if replaced == text:
                break
            text = replaced
        if self._drop_punctuation:
            text = _without_punctuation(text)
        return " ".join(text.split())

    def _spell(self, text: str) -> str:
        if self._unicode_form != "none":
            text = unicodedata.normalize(self._unicode_form, text)
        if self._case != "keep":
            text = text.lower() if self._case == "lower" else text.upper()
            if self._unicode_form != "none":  # some letters change case only to a decomposed sequence, such as U+0390
                text = unicodedata.normalize(self._unicode_form, text)
        return text

    def _replacements(self, replace: object) -> dict[int, str]:
        if replace is None:
            return {}
        if not isinstance(replace, Mapping) or any(type(word) is not str for pair in replace.items() for word in pair):
            raise UserError(f"text.replace={replace!r} is no mapping of characters to texts; quote digits and spaces")
        table = {}
        for key, value in replace.items():
            character = self._spell(key)
            if len(character) != 1 or character.isspace():
                raise UserError(
                    f"text.replace: {key!r} is not one character, spaces apart, in the Unicode form and case chosen"
                )
            table[ord(character)] = self._spell(value)
        for value in table.values():
            for character in value:
                if ord(character) in table:
                    raise UserError(f"text.replace: {character!r} is replaced, but also put in a replacement; name one")
        return table


def _without_punctuation(text: str) -> str:
    if text.isalnum():
        return text
    kinds = "".join(unicodedata.category(character)[0] for character in text)
    return "".join(
        " " if kind == "P" and not (text[i] in _WITHIN_WORDS and _is_within_word(kinds, i)) else text[i]
        for i, kind in enumerate(kinds)
    )


def _is_within_word(kinds: str, i: int) -> bool:
    """Tell whether letters, marks or numerals stand at both sides, by the first letters of Unicode's categories."""
    return 0 < i < len(kinds) - 1 and kinds[i - 1] in "LMN" and kinds[i + 1] in "LMN"
