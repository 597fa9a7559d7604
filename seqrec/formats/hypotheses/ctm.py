"""Time-marked words of other systems: `recording channel start duration word [confidence]` a line.

Source: NIST's SCTK 2.4.12, infmts.htm.
"""

from __future__ import annotations

from collections import defaultdict
from math import isfinite
from pathlib import Path

from seqrec.errors import UserError
from seqrec.formats.hypotheses.utterances import Utterances, numbered_lines


def read_ctm(path: Path) -> Utterances:
    """Read a CTM file: a text a recording, its words in the order of their starts.

    The id is the recording's name, with `-CHANNEL` behind it where the file holds several channels of a recording.

    Raises:
        UserError: a line is no such line, or holds alternatives.
    """
    words: defaultdict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for number, line in numbered_lines(path):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        where = f"{path}:{number}"
        if len(fields) < 5:
            raise UserError(f"{where}: {len(fields)} fields, where `recording channel start duration word` is expected")
        if fields[4].startswith("<ALT"):
            raise UserError(f"{where}: alternatives ({fields[4]}) are not scored; keep one of them")
        words[fields[0], fields[1]].append((_seconds(fields[2], where), fields[4]))
        _seconds(fields[3], where)
    channels: defaultdict[str, int] = defaultdict(int)
    for recording, _ in words:
        channels[recording] += 1
    ids = [name if channels[name] == 1 else f"{name}-{channel}" for name, channel in words]
    texts = [" ".join(word for _, word in sorted(found, key=lambda pair: pair[0])) for found in words.values()]
    return Utterances(path, texts, ids)


def _seconds(field: str, where: str) -> float:
    try:
        seconds = float(field)
    except ValueError:
        seconds = -1.0
    if not isfinite(seconds) or seconds < 0:
        raise UserError(f"{where}: {field!r} is no number of seconds; a start and a duration stand before the word")
    return seconds
