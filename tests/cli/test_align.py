from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import Seqrec, assert_one_sentence

from seqrec.cli import align as verb
from seqrec.cli.align import main
from seqrec.errors import UserError


def align(*words: object) -> str | None:
    """Run the verb; return what it refuses."""
    try:
        main([str(word) for word in words])
    except UserError as error:
        return str(error)
    return None


def corpus(run: Path, split: str = "test") -> Path:
    return next((run.parent / "data").glob(f"*/manifest-{split}.jsonl"))


def test_every_row_of_a_split_in_the_manifests_order(speech_run: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in corpus(speech_run).read_text().splitlines()]
    assert align(speech_run, "--output", tmp_path / "a.jsonl") is None
    found = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(one["id"], one["text"]) for one in found] == [(row["id"], row["text"]) for row in rows]
    for one, row in zip(found, rows, strict=True):
        assert [word["text"] for word in one["words"]] == row["text"].split()
        assert 0 <= one["words"][0]["start"] < one["words"][-1]["end"] <= row["duration"] + 0.001


def test_a_file_a_row(speech_run: Path, tmp_path: Path) -> None:
    assert align(speech_run, "split=dev", "--format", "textgrid", "--output", tmp_path / "grids") is None
    ids = [json.loads(line)["id"] for line in corpus(speech_run, "dev").read_text().splitlines()]
    assert sorted(path.name for path in (tmp_path / "grids").iterdir()) == sorted(f"{id}.TextGrid" for id in ids)


def test_rows_that_cannot_be_aligned_are_named_and_the_others_done(
    ink_run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    row = json.loads(corpus(ink_run).read_text().splitlines()[0])
    dot = {"ink": {"strokes": [[[0, 0]]]}, "num_points": 1}
    rows = [
        row,
        {**row, "id": "stranger", "text": "caf\u00e9"},
        {"id": "too-short", "text": "aabbaa", **dot},
        {**row, "id": "no-ink", "ink": "missing.inkml"},
        {**row, "id": "last"},
    ]
    manifest = tmp_path / "mine.jsonl"
    manifest.write_text("".join(json.dumps(one) + "\n" for one in rows))
    said = align(ink_run, manifest, "--output", tmp_path / "out.jsonl")
    assert said == "3 of 5 rows could not be aligned; the reasons stand above"
    reasons = capfd.readouterr().err
    for name in ("`stranger`: '\u00e9'", "`too-short`", "`no-ink`"):
        assert name in reasons
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [one["id"] for one in found] == [row["id"], "last"]
    assert found[0]["characters"] == found[1]["characters"]
    reached = 0
    for character in found[0]["characters"]:
        start, end = character["points"]
        assert reached <= start < end <= row["num_points"]
        reached = end
        assert character["strokes"]
        assert len(character["box"]) == 4


def test_rows_too_long_for_the_memory_are_named(
    speech_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And rows that are batched apart come out in order, with the same times."""
    assert align(speech_run, "--output", tmp_path / "all.jsonl") is None
    monkeypatch.setattr(verb, "_ROWS", 2)
    assert align(speech_run, "--output", tmp_path / "by-two.jsonl") is None
    assert (tmp_path / "by-two.jsonl").read_text() == (tmp_path / "all.jsonl").read_text()
    monkeypatch.setattr(verb, "_STATES", 10)
    assert "rows could not be aligned" in str(align(speech_run, "--output", tmp_path / "none.jsonl"))
    assert "cut the recording at its pauses" in capfd.readouterr().err


def test_mistakes(ink_run: Path, speech_run: Path, tmp_path: Path) -> None:
    assert "measured in points; take json" in str(align(ink_run, "--format", "srt", "--output", tmp_path))
    assert "give --output FOLDER" in str(align(speech_run, "--format", "vtt"))
    assert "did you mean `test`" in str(align(speech_run, "split=tst"))
    assert "`splt` is no option of align; did you mean `split`?" in str(align(speech_run, "splt=test"))
    assert "not both" in str(align(speech_run, "split=dev", corpus(speech_run)))
    assert "one manifest" in str(align(speech_run, "a", "b"))
    assert "given twice" in str(align(speech_run, "split=dev", "split=dev"))


def test_the_command(seqrec: Seqrec, speech_run: Path) -> None:
    outcome = seqrec("align", speech_run, "--format", "ctm")
    assert outcome.code == 0
    assert len(outcome.out.splitlines()[0].split()) == 6
    assert_one_sentence(seqrec("align", "nowhere"), "does not exist")
