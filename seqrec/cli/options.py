"""Options of verbs that read KEY=VALUE, without loading anything heavy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqrec.errors import UserError, did_you_mean

SPLITS = ("train", "dev", "test")


def options_of(words: Sequence[str], known: Sequence[str], verb: str) -> dict[str, str]:
    """Return the options KEY=VALUE of a verb; one that knows `decoder` also takes that decoder's, as decoder.OPTION.

    Raises:
        UserError: a word is none of the `known` options, or one is given twice.
    """
    options: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign:
            raise UserError(f"`{word}`: options of {verb} read KEY=VALUE, such as split=dev")
        if key not in known and not ("decoder" in known and key.startswith("decoder.")):
            raise UserError(f"`{key}` is no option of {verb}{did_you_mean(key, known)}")
        if key in options:
            raise UserError(f"`{key}` is given twice; give it once")
        options[key] = value
    return options


def split_name(options: Mapping[str, str]) -> str:
    """Return the split, or a name for the manifest that no split of a corpus has."""
    if "manifest" in options:
        if "split" in options:
            raise UserError("give split= or manifest=, not both")
        manifest = Path(options["manifest"])
        return f"{manifest.stem}-{hashlib.sha256(str(manifest.absolute()).encode()).hexdigest()[:6]}"
    split = options.get("split", "test")
    if split not in SPLITS:
        raise UserError(f"split={split} is none of {', '.join(SPLITS)}{did_you_mean(split, SPLITS)}")
    return split
