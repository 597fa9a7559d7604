from __future__ import annotations

import pytest
from evaluations import HOSTILE, PAIRS, make_evaluation

from seqrec.metrics.calibration import Calibration
from seqrec.report.analysis import About, Analysis, analyse
from seqrec.report.calibrating import Calibrated
from seqrec.text.tokens import CharacterTokenizer


@pytest.fixture
def analysis() -> Analysis:
    evaluation = make_evaluation(PAIRS, {0: ["one too three", "one two three"]})
    assert evaluation.confidences is not None
    calibrated = Calibrated.of(evaluation.confidences, Calibration(1.5, 0.1, 0.05, "dev", 7))
    about = About(HOSTILE, "test", "greedy", {"by": HOSTILE})
    return analyse(
        evaluation, CharacterTokenizer(), about, training_words={"one", "four", "five"}, calibrated=calibrated
    )
