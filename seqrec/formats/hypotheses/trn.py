"""sclite's transcripts, `words (speaker-utterance)` a line.

Source: NIST's SCTK 2.4.12, infmts.htm and word.c. In a word, `;` begins a tag, `{` alternatives, and parentheses hold
what may be left out; a backslash takes the meaning away, and is what we write before each of them and before itself.
sclite drops every backslash, takes `@` alone for no word, and drops `*` from a word's end; neither can be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from seqrec.errors import UserError
from seqrec.formats.hypotheses.utterances import Utterances, numbered_lines, unique_ids

_SPECIAL = re.compile(r"([\\(){};])")
_ESCAPED = re.compile(r"\\(.)")
_ID = re.compile(r"(?<!\\)\(([^()\s]+)\)$")
_NOT_IN_IDS = re.compile(r"[%()\s]")
_NOT_IN_SPEAKERS = re.compile(r"[-_%()\s]")  # the first - or _ ends the speaker


def write_trn(path: Path, ids: Sequence[str], texts: Sequence[str], speakers: Sequence[str] | None = None) -> None:
    """Write texts as sclite reads them, with `-i spu_id`.

    White space, parentheses and % in an id, and - and _ in a speaker, are written as in a URL, such as %20.
    """
    people = speakers if speakers is not None else [""] * len(ids)
    with path.open("w", encoding="utf-8") as file:
        for id, text, speaker in zip(ids, texts, people, strict=True):
            file.write(trn_line(id, text, speaker) + "\n")


def trn_line(id: str, text: str, speaker: str = "") -> str:
    """Return a text as a line of a trn file, without its end."""
    words = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    name = escaped_id(id)
    if speaker:
        name = f"{_NOT_IN_SPEAKERS.sub(_percent, speaker)}-{name}"
    return f"{words} ({name})".lstrip()


def escaped_id(id: str) -> str:
    """Return an id without white space, parentheses and %, which are written as in a URL."""
    return _NOT_IN_IDS.sub(_percent, id)


def read_trn(path: Path) -> Utterances:
    """Read a trn file; the key `speaker` is what stands before the first - or _ of an id, as sclite takes it.

    Raises:
        UserError: a line has no id, or the id of another, or holds alternatives.
    """
    ids, texts = [], []
    for number, padded in numbered_lines(path):
        line = padded.strip()
        if not line or line.startswith(";;"):
            continue
        id = _ID.search(line)
        if not id:
            raise UserError(f"{path}:{number}: no id in parentheses ends the line, as in `one two (speaker-utterance)`")
        words = line[: id.start()].split()
        if any(word.startswith("{") for word in words):
            raise UserError(
                f"{path}:{number}: alternatives in braces are not scored; keep one of them, or write \\{{ for a brace"
            )
        ids.append((number, id[1]))
        texts.append(" ".join(_ESCAPED.sub(r"\1", word) for word in words))
    names = unique_ids(ids, path)
    return Utterances(path, texts, names, [{"speaker": _speaker(id)} for id in names])


def _speaker(id: str) -> str:
    return unquote(re.split("[-_]", id, maxsplit=1)[0])


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
