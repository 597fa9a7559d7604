from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from seqrec.cli.compare import main
from seqrec.errors import UserError


@pytest.fixture
def runs(ink_run: Path, tmp_path: Path) -> tuple[Path, Path]:
    first, second = (tmp_path / name for name in ("a", "b"))
    for folder in (first, second):
        folder.mkdir()
        for name in ("config.yaml", "evaluation"):
            (shutil.copytree if name == "evaluation" else shutil.copy)(ink_run / name, folder / name)
    path = second / "evaluation/test-greedy/hypotheses.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        length, words = len(row["reference"]), len(row["reference"].split())
        row["hypothesis"] = row["reference"]
        row["edits"] = {
            unit: {"hits": count, "substitutions": 0, "insertions": 0, "deletions": 0}
            for unit, count in (("words", words), ("characters", length))
        }
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return first, second


def test_two_runs_are_compared(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    main([str(run) for run in runs])
    shown = capsys.readouterr().out
    assert "B makes 100.0 % fewer character errors" in shown
    assert "better in B: test-0" in shown
    record = json.loads((runs[1] / "evaluation/test-greedy/comparison.json").read_text())
    assert record["cer"]["difference"] < 0
    assert len(record["better"]) == 8
    assert not record["worse"]


def test_a_run_that_is_not_evaluated_names_the_command(runs: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"write it with `seqrec evaluate .*/b split=test decoder=beam`"):
        main([*map(str, runs), "decoder=greedy,beam"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a"], "takes two runs, not 1"),
        (["a", "b", "c"], "takes two runs, not 3"),
        (["a", "b", "split=tset"], "did you mean `test`"),
        (["a", "b", "decoder=x,y,z"], "one for both runs, or two"),
        (["a", "b", "by=x"], "`by` is no option of compare"),
        (["nowhere", "b"], "run folder nowhere does not exist"),
    ],
)
def test_mistakes(words: list[str], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        main(words)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    assert "usage: seqrec compare RUN_A RUN_B" in capsys.readouterr().out
