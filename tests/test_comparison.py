from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from seqrec.comparison import System, compare, read_hypotheses
from seqrec.errors import UserError
from seqrec.metrics.intervals import paired_bootstrap
from seqrec.metrics.scored import ScoredExample, score_pairs
from seqrec.report.comparison import change_lines, counts, to_json, verdict, write_comparison

REFERENCES = ["one two", "three", "four five", "six", "seven eight"]
IDS = ["a", "b", "c", "d", "e"]


def system(name: str, hypotheses: list[str], people: list[str] | None = None) -> System:
    keys = [{"writer": person} for person in people] if people else None
    return System(name, score_pairs(IDS[: len(hypotheses)], REFERENCES[: len(hypotheses)], hypotheses, keys))


A = system("A", ["one two", "thre", "four", "siks", "seven eight"])
B = system("B", ["one to", "three", "four five", "ciks", "seven eight"])


def test_changes_are_sorted_by_what_they_gain() -> None:
    found = compare(A, B)
    assert [change.characters for change in found.changes] == [-5, -1, 1, 1]
    assert [change.a.id for change in found.better] == ["c", "b"]
    assert [change.characters for change in found.worse] == [1, 1]
    assert counts(found).startswith("Of 5 examples B reads 2 better, 2 worse, and 0 otherwise with as many errors")


def test_the_order_of_examples_does_not_matter() -> None:
    turned = System("B", list(reversed(B.examples)))
    assert to_json(compare(A, B)) == to_json(compare(A, turned))


def test_significance_is_that_of_the_paired_bootstrap_by_writer() -> None:
    people = ["x", "x", "y", "y", "z"]
    a, b = (
        system("A", [e.hypothesis for e in A.examples], people),
        system("B", [e.hypothesis for e in B.examples], people),
    )
    found = compare(a, b)
    assert found.drawn_by == "writer"
    errors = [np.array([example.characters.errors for example in one.examples]) for one in (a, b)]
    lengths = np.array([len(reference) for reference in REFERENCES])
    assert found.cer == paired_bootstrap(*errors, lengths, people)
    assert found.cer.difference == pytest.approx(b.rates.cer - a.rates.cer)


def test_a_run_beside_itself_differs_by_nothing() -> None:
    found = compare(A, System("again", A.examples))
    assert found.changes == ()
    assert found.cer.difference == 0
    assert "may be chance" in verdict(found)


def test_a_clear_difference_is_said() -> None:
    ids, references = [str(n) for n in range(200)], ["word"] * 200
    good = System("good", score_pairs(ids, references, ["word"] * 200))
    bad = System("bad", score_pairs(ids, references, ["work"] * 200))
    assert verdict(compare(bad, good)).startswith("B makes 100.0 % fewer character errors")
    assert verdict(compare(good, bad)).startswith("A makes 100.0 % fewer character errors")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (system("B", ["one two"]), r"B lacks `b`, `c`, `d`, `e`, which the other has"),
        (System("B", [*A.examples, *score_pairs(["z"], ["z"], ["z"])]), r"A lacks `z`"),
        (System("B", [*A.examples, A.examples[0]]), r"B: the id `a` occurs 2 times"),
        (
            System("B", score_pairs(IDS, [*REFERENCES[:4], "other"], REFERENCES)),
            r"references of `e` differ between A and B",
        ),
    ],
)
def test_only_the_same_examples_are_compared(other: System, message: str) -> None:
    with pytest.raises(UserError, match=message):
        compare(A, other)


def write(path: Path, examples: list[ScoredExample]) -> Path:
    rows = [
        {
            **{name: getattr(one, name) for name in ("id", "reference", "hypothesis")},
            "edits": {"words": asdict(one.words), "characters": asdict(one.characters)},
            **one.keys,
        }
        for one in examples
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_hypotheses_are_read_as_they_are_written(tmp_path: Path) -> None:
    examples = list(system("A", REFERENCES, ["x"] * 5).examples)
    assert read_hypotheses(write(tmp_path / "hypotheses.jsonl", examples), "c") == examples


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[" * 10**5,
        b"[1]",
        b"\xff\xfe",
        b'{"id": 1, "reference": "a", "hypothesis": "b"}',
        b'{"id": "a", "reference": "a", "hypothesis": "b"}',
        b'{"id": "a", "reference": "a", "hypothesis": "b", "edits": {"words": {"hits": -1}}}',
        b'{"id": "a", "reference": "a", "hypothesis": "b", "edits": [1]}',
    ],
)
def test_a_damaged_line_is_named_with_the_command_that_mends_it(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hypotheses.jsonl"
    path.write_bytes(line)
    with pytest.raises(UserError, match=r"hypotheses\.jsonl.*`seqrec evaluate run`"):
        read_hypotheses(path, "seqrec evaluate run")


def test_a_missing_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; write it with `seqrec evaluate run`"):
        read_hypotheses(tmp_path / "hypotheses.jsonl", "seqrec evaluate run")


def test_the_files_of_a_comparison(tmp_path: Path) -> None:
    write_comparison(compare(A, B), tmp_path)
    record = json.loads((tmp_path / "comparison.json").read_text())
    assert [change["id"] for change in record["better"]] == ["c", "b"]
    assert record["a"]["name"] == "A"
    text = (tmp_path / "comparison.md").read_text()
    assert "    REF: three\n      A: thre*\n" in text
    assert "## Better in B" in text


def test_references_of_nothing_give_no_numbers_in_json() -> None:
    ids, nothing = [str(number) for number in range(50)], [""] * 50
    silent, noisy = (System("x", score_pairs(ids, nothing, texts)) for texts in (nothing, ["uh"] * 50))
    found = compare(silent, noisy)
    assert json.loads(json.dumps(to_json(found), allow_nan=False))["cer"]["difference"] is None
    assert verdict(found).startswith("A makes fewer character errors")


def test_what_is_cut_off_is_said() -> None:
    texts = ["a" * 3000], ["b" * 10]
    change = compare(*(System("x", score_pairs(["a"], ["a" * 5000], some)) for some in texts)).changes[0]
    assert list(change_lines(change))[-1] == "and 4,400 characters more"


def test_no_torch_is_imported() -> None:
    modules = "seqrec.cli.compare, seqrec.comparison, seqrec.report.comparison"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
