from __future__ import annotations

from pathlib import Path

import pytest
from evaluations import PAIRS

from seqrec.formats.hypotheses.ctm import read_ctm
from seqrec.formats.hypotheses.trn import read_trn
from seqrec.report.analysis import Analysis
from seqrec.report.sclite import write_sclite


def test_texts_and_times_are_read_back(analysis: Analysis, tmp_path: Path) -> None:
    write_sclite(analysis, tmp_path, sample_rate=100.0)
    for name, column in (("references", 0), ("hypotheses", 1)):
        texts = read_trn(tmp_path / f"{name}.trn")
        assert list(texts.texts) == [" ".join(pair[column].split()) for pair in PAIRS]
    words = read_ctm(tmp_path / "hypotheses.ctm")
    assert words.texts[0] == "one too three"
    first = (tmp_path / "hypotheses.ctm").read_text().splitlines()[1].split()
    assert first == ["id%200", "1", "0.400", "0.300", "too", "0.7500"]


def test_ink_has_no_seconds(analysis: Analysis, tmp_path: Path) -> None:
    write_sclite(analysis, tmp_path, sample_rate=None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hypotheses.trn", "references.trn"]


def test_words_without_times_are_named(analysis: Analysis, tmp_path: Path) -> None:
    object.__setattr__(analysis.evaluation.hypotheses[0], "spans", None)
    write_sclite(analysis, tmp_path, sample_rate=100.0)
    assert ";; id%200: 3 words without times" in (tmp_path / "hypotheses.ctm").read_text()


@pytest.mark.parametrize("rate", [1.0, 16000.0])
def test_times_are_in_seconds(rate: float, analysis: Analysis, tmp_path: Path) -> None:
    write_sclite(analysis, tmp_path, rate)
    lines = [line.split() for line in (tmp_path / "hypotheses.ctm").read_text().splitlines()]
    assert float(lines[1][2]) == pytest.approx(40 / rate, abs=6e-4)
