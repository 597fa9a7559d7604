"""Text normalisation: an explicit, recorded choice, applied before tokens are counted or errors scored."""

from __future__ import annotations

import unicodedata
from typing import Literal

UnicodeForm = Literal["NFC", "NFKC", "none"]
Case = Literal["keep", "lower", "upper"]


def normalise(text: str, unicode_form: UnicodeForm = "NFC", case: Case = "keep") -> str:
    """Return `text` in one Unicode form and case, with runs of white space as single spaces and none at the ends."""
    if unicode_form != "none":
        text = unicodedata.normalize(unicode_form, text)
    if case != "keep":
        text = text.lower() if case == "lower" else text.upper()
        if unicode_form != "none":  # some letters change case only to a decomposed sequence, such as U+0390
            text = unicodedata.normalize(unicode_form, text)
    return " ".join(text.split())
