"""A file of references or hypotheses, in the format that its name or the user says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqrec.errors import UserError
from seqrec.formats.hypotheses.ctm import read_ctm
from seqrec.formats.hypotheses.jsonl import read_jsonl
from seqrec.formats.hypotheses.plain import read_plain
from seqrec.formats.hypotheses.trn import read_trn
from seqrec.formats.hypotheses.utterances import Utterances

_BY_SUFFIX = {".trn": "trn", ".ctm": "ctm", ".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl"}


def format_of(path: Path, format: str = "auto") -> str:
    """Return `format`, or that of a file of such a name: text where it says nothing."""
    return _BY_SUFFIX.get(path.suffix.lower(), "text") if format == "auto" else format


def read_texts(
    path: Path, format: str = "auto", text_key: str = "text", id_key: str = "id", keys: Sequence[str] = ()
) -> Utterances:
    """Read a file of texts; `text_key`, `id_key` and the other `keys` to keep are those of JSONL.

    Raises:
        UserError: the file cannot be read in this format.
    """
    kind = format_of(path, format)
    if kind == "jsonl":
        return read_jsonl(path, [text_key], id_key, keys)[0]
    return {"text": read_plain, "trn": read_trn, "ctm": read_ctm}[kind](path)


def read_pair(
    path: Path, format: str, text_keys: tuple[str, str], id_key: str = "id", keys: Sequence[str] = ()
) -> tuple[Utterances, Utterances]:
    """Read references and hypotheses from one JSONL file that holds both.

    Raises:
        UserError: the file is no JSONL, or cannot be read.
    """
    if format_of(path, format) != "jsonl":
        raise UserError(
            f"{path}: a single file must be JSONL, with references and hypotheses; name the hypotheses, too"
        )
    references, hypotheses = read_jsonl(path, text_keys, id_key, keys)
    return references, hypotheses
