"""An evaluation as plain data: `report.json`, and a line of `hypotheses.jsonl` an example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from seqrec.evaluation import Hypothesis
from seqrec.metrics.breakdown import Part
from seqrec.metrics.confusions import Confusion
from seqrec.metrics.scored import ScoredExample
from seqrec.metrics.summary import finite
from seqrec.report.analysis import Analysis, Unseen

_MOST = 200  # confusions or words that are listed


def to_json(analysis: Analysis) -> dict[str, Any]:
    """Return the report as plain data, with `wer` and `cer` at its top."""
    rates, speed = analysis.rates, analysis.evaluation.speed
    return {
        **analysis.summary.to_json(),
        "seconds": round(analysis.evaluation.seconds, 3),
        "run": analysis.about.run,
        "split": analysis.about.split,
        "decoder": analysis.about.decoder,
        "options": dict(analysis.about.options),
        "speed": {
            "device": analysis.about.device,
            "engine": analysis.about.engine,
            "recognition_seconds": round(speed.recognition, 3),
            "decoding_seconds": round(speed.decoding, 3),
            "signal_seconds": None if speed.signal is None else round(speed.signal, 3),
            "examples_per_second": round(rates.examples / max(speed.recognition + speed.decoding, 1e-9), 3),
        },
        "parts": {key: [_part(part) for part in parts] for key, parts in analysis.parts.items()},
        "lengths": {"unit": analysis.length_unit, "parts": [_part(part) for part in analysis.lengths]},
        "confusions": {
            "words": _confusions(analysis.word_confusions),
            "characters": _confusions(analysis.character_confusions),
        },
        "unseen_words": analysis.unseen and _unseen_json(analysis.unseen),
        "oracle": analysis.oracle and analysis.oracle.to_json(),
        "calibration": analysis.calibrated and analysis.calibrated.to_json(),
    }


def _part(part: Part) -> dict[str, Any]:
    return {"name": part.name, **part.rates.to_json()}


def _unseen_json(unseen: Unseen) -> dict[str, Any]:
    words = unseen.words
    return {
        "share": words.share,
        "words": words.unseen.total(),
        "missed": unseen.missed,
        "error_rate": unseen.error_rate,
        "most_frequent": dict(words.unseen.most_common(_MOST)),
    }


def _confusions(confusions: Sequence[Confusion]) -> list[dict[str, Any]]:
    return [asdict(one) for one in confusions[:_MOST]]


def hypothesis_row(hypothesis: Hypothesis, example: ScoredExample) -> dict[str, Any]:
    """Return an example as a line of `hypotheses.jsonl` holds it.

    Scores are rounded: their last digits depend on the batch an example was recognised in.
    """
    row: dict[str, Any] = {
        "id": hypothesis.id,
        "reference": hypothesis.reference,
        "hypothesis": hypothesis.hypothesis,
        "score": _rounded(hypothesis.score),
        "edits": {"words": asdict(example.words), "characters": asdict(example.characters)},
    }
    if hypothesis.guesses:
        row["n_best"] = [{"text": guess.text, "score": _rounded(guess.score)} for guess in hypothesis.guesses]
    return {**row, **{name: value for name, value in hypothesis.keys.items() if name not in row}}


def _rounded(score: float) -> float | None:
    return finite(round(score, 3))
