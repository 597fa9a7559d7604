"""JSON lines: everything that is known of a transcript, an object a line.

Keys: `path` or `id`, `text`, `score`; `words` and `characters`, each with `text` and `confidence` and, of a recording,
`start` and `end` in seconds, of an ink `points` (first, and one behind the last, from 0); `others`, the other readings
with their `text` and `score`. A character of an ink also has its `strokes` (from 0) and its `box`, [least x, least y,
greatest x, greatest y] in the ink's own units, from its first point on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.formats.ink import STROKE, X, Y
from seqrec.formats.transcripts.transcribed import Transcribed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seqrec.formats.transcripts.transcribed import Item
    from seqrec.transcript import Span


def write_json_lines(items: Iterable[Item]) -> Iterator[str]:
    """Yield a line for each transcript."""
    for item in (Transcribed(*item) for item in items):
        best, *others = item.transcript.readings
        keys: dict[str, Any] = {item.named_by: item.name, "text": best.text, "score": _number(best.score)}
        if best.words:
            keys["words"] = [_span(item, span) for span in best.words]
            keys["characters"] = [_span(item, span) | _drawn(item, span) for span in best.characters]
        if others:
            keys["others"] = [{"text": other.text, "score": _number(other.score)} for other in others]
        yield json.dumps(keys, ensure_ascii=False, allow_nan=False) + "\n"


def _number(score: float) -> float | None:
    return round(score, 4) if np.isfinite(score) else None  # JSON has no infinity


def _span(item: Transcribed, span: Span) -> dict[str, Any]:
    rate = item.transcript.sample_rate
    if rate is None:
        return {"text": span.text, "points": [span.start, span.end], "confidence": round(span.confidence, 4)}
    start, end = round(span.start / rate, 4), round(span.end / rate, 4)
    return {"text": span.text, "start": start, "end": end, "confidence": round(span.confidence, 4)}


def _drawn(item: Transcribed, span: Span) -> dict[str, Any]:
    """Return the strokes and the box of a character of an ink."""
    if item.signal is None or span.start == span.end:
        return {}
    points = item.signal[span.start : span.end]
    corners = [*points[:, [X, Y]].min(axis=0), *points[:, [X, Y]].max(axis=0)]
    return {
        "strokes": np.unique(points[:, STROKE]).astype(int).tolist(),
        "box": [round(float(corner), 4) for corner in corners],
    }
