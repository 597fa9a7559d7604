from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluations import PAIRS, make_evaluation

from seqrec.evaluation import Evaluation, Guess
from seqrec.metrics.intervals import bootstrap_interval
from seqrec.metrics.rates import ErrorRates
from seqrec.report.analysis import About, Analysis, analyse
from seqrec.report.figures import part_row
from seqrec.report.plain_data import hypothesis_row, to_json
from seqrec.report.training_text import training_words
from seqrec.text.tokens import CharacterTokenizer


def analysed(evaluation: Evaluation, words: set[str] | None = None) -> Analysis:
    return analyse(evaluation, CharacterTokenizer(), About("run", "test", "greedy"), training_words=words)


def test_rates_are_those_of_the_corpus_and_intervals_are_drawn_by_speaker(analysis: Analysis) -> None:
    expected = ErrorRates.of([one[0] for one in PAIRS], [one[1] for one in PAIRS])
    assert analysis.rates.words == expected.words
    assert analysis.rates.characters == expected.characters
    assert analysis.summary.drawn_by == "speaker"
    people = [person or f"\0id {number}" for number, (_, _, person) in enumerate(PAIRS)]
    words = [one.words for one in analysis.scored]
    errors, lengths = np.array([one.errors for one in words]), np.array([one.reference_length for one in words])
    assert analysis.summary.wer == bootstrap_interval(errors, lengths, people)


def test_parts_add_up_to_the_whole(analysis: Analysis) -> None:
    for parts in (analysis.parts["speaker"], analysis.lengths):
        total = ErrorRates()
        for part in parts:
            total += part.rates
        assert total == analysis.rates
    assert [part.name for part in analysis.parts["speaker"]] == ["<i>bob</i>", "ann", None]


def test_the_oracle_takes_the_best_guess_of_each_example() -> None:
    pairs = [("a b", "a c", None), ("d", "e", None), ("f", "f", None)]
    guesses = {0: ["a c", "x y", "a b"], 1: ["e", "de", "ee"]}
    oracle = analysed(make_evaluation(pairs, guesses)).oracle
    assert oracle is not None
    assert (oracle.words.errors, oracle.characters.errors, oracle.wrong_examples) == (1, 1, 1)
    assert oracle.examples == 3
    assert analysed(make_evaluation(pairs)).oracle is None


def test_unseen_words_and_how_many_of_them_were_missed() -> None:
    pairs = [("one two three", "one too three", None), ("two two", "two tu", None), ("one", "none", None)]
    unseen = analysed(make_evaluation(pairs), {"one", "three"}).unseen
    assert unseen is not None
    assert dict(unseen.words.unseen) == {"two": 3}
    assert (unseen.words.share, unseen.missed, unseen.error_rate) == (3 / 6, 2, 2 / 3)
    none = analysed(make_evaluation(pairs), {"one", "two", "three"}).unseen
    assert none is not None
    assert none.error_rate == 0
    assert analysed(make_evaluation(pairs)).unseen is None


def test_words_of_the_training_text_are_normalised(tmp_path: Path) -> None:
    path = tmp_path / "manifest-train.jsonl"
    path.write_text('{"id": "a", "text": "One  TWO"}\n{"id": "b", "text": "two three"}\n')
    assert training_words(path, CharacterTokenizer(case="lower")) == {"one", "two", "three"}
    assert training_words(tmp_path / "none.jsonl", CharacterTokenizer()) is None


def test_the_report_is_json_with_its_rates_on_top(analysis: Analysis) -> None:
    report = json.loads(json.dumps(to_json(analysis), allow_nan=False))
    assert report["wer"] == pytest.approx(analysis.rates.wer)
    assert report["cer"] == pytest.approx(analysis.rates.cer)
    assert report["oracle"]["examples"] == len(PAIRS)
    assert report["calibration"]["temperature"] == 1.5
    assert report["speed"]["signal_seconds"] == 20
    assert report["unseen_words"]["words"] == analysis.unseen.words.unseen.total()  # type: ignore[union-attr]


def test_insertions_into_nothing_are_no_number_in_json() -> None:
    report = to_json(analysed(make_evaluation([("", "a", None)])))
    assert report["wer"] is None
    json.dumps(report, allow_nan=False)


def test_a_row_of_an_example(analysis: Analysis) -> None:
    row = hypothesis_row(analysis.evaluation.hypotheses[0], analysis.scored[0])
    assert list(row)[:3] == ["id", "reference", "hypothesis"]
    assert row["edits"]["words"] == {"hits": 2, "substitutions": 1, "insertions": 0, "deletions": 0}
    assert row["n_best"][1] == {"text": "one two three", "score": -2.0}
    assert (row["score"], row["speaker"]) == (-1.235, "ann")


def test_a_score_that_is_no_number_is_none(analysis: Analysis) -> None:
    hypothesis = replace(analysis.evaluation.hypotheses[0], score=float("-inf"), guesses=(Guess("a", float("nan")),))
    row = json.loads(json.dumps(hypothesis_row(hypothesis, analysis.scored[0]), allow_nan=False))
    assert (row["score"], row["n_best"][0]["score"]) == (None, None)


def test_a_value_cannot_pass_for_a_missing_one() -> None:
    parts = analysed(make_evaluation([("a", "a", None), ("b", "b", ""), ("c", "c", "unknown")])).parts["speaker"]
    assert [part_row(part)[0] for part in parts] == ["(empty)", "unknown", "(none)"]
