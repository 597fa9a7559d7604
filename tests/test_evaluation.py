from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqrec.ctc.greedy import GreedyDecoder
from seqrec.errors import UserError
from seqrec.evaluation import evaluate
from seqrec.metrics.rates import ErrorRates
from seqrec.sequence import Emissions
from seqrec.transcriber import Transcriber, load
from seqrec.transcript import Candidate


class Several(GreedyDecoder):
    """Gives a second candidate: the first without its last token."""

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        return [[best, Candidate(best.tokens[:-1], best.score - 1)] for (best,) in super().decode(emissions)]


@pytest.fixture(scope="module")
def transcriber(speech_run: Path) -> Transcriber:
    return load(speech_run)


@pytest.fixture
def manifest(speech_run: Path) -> Path:
    (path,) = speech_run.parent.glob("data/*/manifest-dev.jsonl")
    return path


def test_times_and_batches_change_no_hypothesis(transcriber: Transcriber, manifest: Path) -> None:
    plain, timed = evaluate(transcriber, manifest), evaluate(transcriber, manifest, max_examples=1, times=True)
    assert plain.hypotheses == timed.hypotheses
    assert plain.confidences is None
    assert timed.confidences is not None
    words = [len(one.hypothesis.split()) for one in timed.hypotheses]
    assert [0 if one.spans is None else len(one.spans) for one in timed.hypotheses] == words
    assert len(timed.confidences.words.values) == sum(words)
    assert all(one.spans is None for one in plain.hypotheses)
    for one, other in zip(plain.hypotheses, timed.hypotheses, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-2)


def test_the_rates_the_seconds_and_the_keys_are_those_of_the_manifest(transcriber: Transcriber, manifest: Path) -> None:
    result = evaluate(transcriber, manifest, by=["num_samples"])
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert [one.id for one in result.hypotheses] == [row["id"] for row in rows]
    assert result.rates == ErrorRates.of([row["text"] for row in rows], [one.hypothesis for one in result.hypotheses])
    assert result.speed.signal == pytest.approx(sum(row["num_samples"] / row["sample_rate"] for row in rows), rel=1e-4)
    assert 0 < result.speed.recognition + result.speed.decoding < result.seconds
    keys = [{"speaker": row["speaker"], "num_samples": str(row["num_samples"])} for row in rows]
    assert [one.keys for one in result.hypotheses] == keys


def test_a_key_that_no_row_has_is_refused(transcriber: Transcriber, manifest: Path) -> None:
    with pytest.raises(UserError, match=r"by=speeker: no row of .* has this key; did you mean `speaker`"):
        evaluate(transcriber, manifest, by=["speeker"])


def test_several_candidates_are_kept(transcriber: Transcriber, manifest: Path) -> None:
    several = evaluate(Transcriber(transcriber.parts, Several()), manifest, times=True)
    assert several.hypotheses == evaluate(transcriber, manifest).hypotheses
    for one in several.hypotheses:
        assert one.guesses[0].text == one.hypothesis
        assert len(one.guesses) == 2
        assert one.guesses[1].score == pytest.approx(one.guesses[0].score - 1)
