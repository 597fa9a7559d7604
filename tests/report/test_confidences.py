from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from evaluations import reading
from hypothesis import given
from hypothesis import strategies as st
from tiny_training import Frames
from torch import nn

from seqrec.checkpoint import Parts
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.errors import UserError
from seqrec.metrics.calibration import Calibration, expected_calibration_error, read_calibration, write_calibration
from seqrec.report.calibrating import Calibrated, calibrate
from seqrec.report.confidences import Confidences, characters_right, matches
from seqrec.sequence import Emissions
from seqrec.text.tokens import CharacterTokenizer
from seqrec.transcriber import Transcriber

texts = st.text("abc", max_size=6)


def common_length(first: str, second: str) -> int:
    """Length of the longest common subsequence, tried out."""
    for count in range(min(len(first), len(second)), 0, -1):
        if set(combinations(first, count)) & set(combinations(second, count)):
            return count
    return 0


@given(texts, texts)
def test_what_matches_is_a_common_subsequence(reference: str, hypothesis: str) -> None:
    found = [letter for letter, right in zip(hypothesis, matches(reference, hypothesis), strict=True) if right]
    letters = iter(reference)
    assert all(letter in letters for letter in found)
    assert len(found) <= common_length(reference, hypothesis)
    assert all(matches(hypothesis, hypothesis))


def test_a_symbol_is_right_where_all_its_letters_are() -> None:
    assert characters_right("the cat", ["th", "e", "bat"]) == [True, True, False]
    assert characters_right("", ["a"]) == [False]
    assert characters_right("a", []) == []


def test_confidences_beside_what_was_right() -> None:
    confidences = Confidences()
    confidences.add("ab cd", reading("ab xd", confidence=0.9))
    confidences.add("a", reading("a", confidence=0.6))
    assert confidences.words.correct.tolist() == [True, False, True]
    assert confidences.characters.correct.tolist() == [True, True, False, True, True]
    np.testing.assert_allclose(confidences.words.values, [0.9, 0.9, 0.6], rtol=1e-6)
    calibrated = Calibrated.of(confidences, None)
    assert calibrated.words.pieces == 3
    assert calibrated.words.error == expected_calibration_error(confidences.words.values, confidences.words.correct)
    assert calibrated.to_json()["temperature"] is None
    assert Calibrated.of(Confidences(), None).characters.error == 0


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    assert read_calibration(path) is None
    calibration = Calibration(1.25, 0.125, 0.0625, "dev", 9)
    write_calibration(path, calibration)
    assert read_calibration(path) == calibration
    for damaged in ("{", "[]", '{"temperature": 0}'):
        path.write_text(damaged)
        with pytest.raises(UserError, match=r"calibration\.json"):
            read_calibration(path)


class Logits:
    """Reads signals that are the logits themselves, and recognises them by a softmax."""

    source_key, length_unit, num_channels, extensions = "logits", "frames", 4, ()
    caches_signals = False

    def signal_lengths(self, manifest: Any, rows: slice) -> np.ndarray:
        return np.array([len(manifest[index].fields["logits"]) for index in range(len(manifest))[rows]])

    def read(self, row: Any, folder: Path) -> torch.Tensor:
        return torch.tensor(row.fields["logits"])


class Softmax(nn.Module):
    """Gives log-probs `sharpness` times as sharp as the logits say."""

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.sharpness, self.frontend = sharpness, Frames()

    def frame_lengths(self, signals: object, lengths: torch.Tensor) -> torch.Tensor:
        return lengths

    output_lengths = staticmethod(lambda lengths: lengths)

    def forward(self, signals: torch.Tensor, lengths: torch.Tensor) -> Emissions:
        return Emissions((self.sharpness * signals).log_softmax(dim=-1), lengths)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_what_made_confidences_wrong(sharpness: float, tmp_path: Path) -> None:
    """Each label is drawn from the softmax of its frame's logits, so at the sharpness 1 confidences are true."""
    random = np.random.default_rng(0)
    with (tmp_path / "manifest.jsonl").open("w") as file:
        for number in range(150):
            logits = np.full((19, 4), -30.0)
            logits[::2, 0] = 30.0  # a blank between the labels, sure
            logits[1::2, 1:] = 2 * random.normal(size=(9, 3))
            probabilities = np.exp(logits[1::2, 1:])
            drawn = ["abc"[random.choice(3, p=row / row.sum())] for row in probabilities]
            file.write(json.dumps({"id": str(number), "text": "".join(drawn), "logits": logits.tolist()}) + "\n")
    parts = Parts({}, Logits(), Softmax(sharpness), CharacterTokenizer("abc"))  # type: ignore[arg-type]
    found = calibrate(Transcriber(parts, GreedyDecoder()), tmp_path / "manifest.jsonl", "dev")
    assert found.temperature == pytest.approx(sharpness, rel=0.1)
    assert found.ece_after < 0.04
    assert found.examples == 150
