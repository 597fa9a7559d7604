"""Plain text: one utterance a line, nothing else."""

from __future__ import annotations

from pathlib import Path

from seqrec.formats.hypotheses.utterances import Utterances, numbered_lines


def read_plain(path: Path) -> Utterances:
    """Read a text a line; an empty line is an empty text."""
    return Utterances(path, [line for _, line in numbered_lines(path)])
