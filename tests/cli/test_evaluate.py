from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny import Seqrec, assert_one_sentence

from seqrec.report import pictures


@pytest.fixture(scope="module")
def run(speech_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(speech_run, tmp_path_factory.mktemp("evaluated") / "run"))


def test_everything_is_written(run: Path, seqrec: Seqrec) -> None:
    outcome = seqrec("evaluate", run, "split=dev", "by=num_samples")
    assert outcome.code == 0, outcome.err
    folder = run / "evaluation/dev-greedy"
    written = {path.name for path in folder.iterdir()}
    sclite = {"references.trn", "hypotheses.trn", "hypotheses.ctm"}
    assert written == {"report.json", "report.md", "report.html", "hypotheses.jsonl", *sclite}
    report = json.loads((folder / "report.json").read_text())
    assert report["parts"].keys() == {"speaker", "num_samples"}
    assert report["intervals"]["drawn_by"] in ("speaker", "example")
    assert report["calibration"]["fitted_on"] == json.loads((run / "calibration.json").read_text())
    assert "drawn by" in outcome.err
    page = (folder / "report.html").read_text()
    assert len(page) < 3_000_000
    assert "<script" not in page


def test_another_split_uses_the_calibration_of_dev(run: Path, seqrec: Seqrec) -> None:
    calibration = {"temperature": 3.5, "ece_before": 0.1, "ece_after": 0.1, "split": "dev", "examples": 4}
    (run / "calibration.json").write_text(json.dumps(calibration))
    assert seqrec("evaluate", run).code == 0
    report = json.loads((run / "evaluation/test-greedy/report.json").read_text())
    assert report["calibration"]["temperature"] == 3.5
    (run / "calibration.json").unlink()


def test_without_matplotlib_only_the_page_is_missing(
    run: Path, seqrec: Seqrec, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(run / "evaluation")
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    outcome = seqrec("evaluate", run)
    assert outcome.code == 0, outcome.err
    assert "no report.html: Matplotlib is not installed; pip install 'seqrec[report]'" in outcome.err
    assert (run / "evaluation/test-greedy/report.md").is_file()
    assert not (run / "evaluation/test-greedy/report.html").exists()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("by=nobody", "by=nobody: no row of"),
        ("split=tset", "did you mean `test`"),
        ("split=dev manifest=x", "not both"),
        ("dev", "options of evaluate read KEY=VALUE"),
    ],
)
def test_mistakes(option: str, expected: str, run: Path, seqrec: Seqrec) -> None:
    assert_one_sentence(seqrec("evaluate", run, *option.split()), expected)
