"""`seqrec transcribe MODEL.onnx`: sources, formats, and what is said of those that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exported.exported_models import INK, SPEECH, random_parts, write_model, write_sources
from tiny import Seqrec, assert_one_sentence


@pytest.fixture
def ink_model(tmp_path: Path) -> Path:
    parts = random_parts(INK)
    write_sources(parts, tmp_path / "inks", 4)
    return write_model(parts, tmp_path / "a.onnx")


def test_lines_name_their_files(ink_model: Path, seqrec: Seqrec) -> None:
    outcome = seqrec("transcribe", ink_model, "inks/02.json", "inks")
    assert outcome.code == 0, outcome.err
    names = [line.split("\t")[0] for line in outcome.out.splitlines()]
    assert names == ["inks/02.json", *(f"inks/{number:02}.json" for number in range(4))]


def test_batches_change_nothing(ink_model: Path, seqrec: Seqrec) -> None:
    together = seqrec("transcribe", ink_model, "inks").out
    for options in (["--batch-size", "1"], ["--batch-frames", "5"]):
        assert seqrec("transcribe", *options, ink_model, "inks").out == together


def test_json_and_files_of_their_own(ink_model: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    text = seqrec("transcribe", ink_model, "inks").out.splitlines()[0].split("\t")[1]
    assert seqrec("transcribe", ink_model, "inks", "--format", "json", "--output", "out/").out == ""
    found = json.loads((tmp_path / "out" / "00.jsonl").read_text())
    assert (found["path"], found["text"]) == ("inks/00.json", text)
    assert [word["text"] for word in found["words"]] == text.split()
    assert found["characters"][0].keys() == {"text", "points", "confidence", "strokes", "box"}
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_decoders_and_their_options(ink_model: Path, seqrec: Seqrec) -> None:
    greedy = seqrec("transcribe", ink_model, "inks").out
    assert seqrec("transcribe", ink_model, "inks", "--decoder", "greedy").out == greedy
    beam = seqrec(
        "transcribe", ink_model, "inks", "decoder=beam", "decoder.beam_size=4", "--n-best", "2", "--format", "json"
    )
    assert [len(json.loads(line)["others"]) for line in beam.out.splitlines()] == [1] * 4
    for words, says in (
        (["decoder=beem"], "did you mean `beam`"),
        (["--n-best", "2"], "`decoder.n_best` is no option of"),
        (["decoder=beam", "decoder.beamsize=4"], "did you mean `beam_size`"),
        (["decoder=beam", "--decoder", "beam"], "given twice"),
        (["decoder=beam", "decoder.beam_size=x"], "decoder.beam_size"),
        (["decoder=beam_lm", "decoder.lm=absent.arpa"], "absent.arpa"),
    ):
        assert_one_sentence(seqrec("transcribe", ink_model, "inks", *words), says)


def test_what_an_exported_model_cannot_do(ink_model: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    for words, says in (
        (["--format", "srt"], "ink, measured in points; take json"),
        (["--window", "5"], "--window is for runs"),
        (["--context", "1"], "--context is for runs"),
        (["--engine", "onnx"], "--engine is for runs"),
        (["--device", "cuda"], "runs on the CPU"),
        (["--output", "inks/01.json"], "would be written over"),
    ):
        assert_one_sentence(seqrec("transcribe", ink_model, "inks", *words), says)
    assert_one_sentence(seqrec("transcribe", ink_model, "decoder=beam"), "no source is named")
    assert_one_sentence(seqrec("transcribe", "absent.onnx", "inks"), "absent.onnx: no such file")


def test_what_cannot_be_read_is_named_and_counted(ink_model: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "note.md").write_text("words")
    outcome = seqrec("transcribe", ink_model, "bad.json", "inks", "note.md", "absent.json")
    assert_one_sentence(outcome, "bad.json: ", "note.md: ", "this model reads .json", "absent.json: ", "3 of 7 files")
    assert len(outcome.out.splitlines()) == 4


def test_speech(seqrec: Seqrec, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parts = random_parts(SPEECH)
    paths = write_sources(parts, tmp_path / "sources", 3)
    outcome = seqrec("transcribe", write_model(parts, tmp_path / "a.onnx"), *paths)
    assert outcome.code == 0, outcome.err
    assert [line.split("\t")[0] for line in outcome.out.splitlines()] == [str(path) for path in paths]
    assert "resampling 16000 Hz to 8000 Hz (said once for each rate)" in caplog.text


def test_times_of_words_in_every_format(seqrec: Seqrec, tmp_path: Path) -> None:
    parts = random_parts(SPEECH)
    write_sources(parts, tmp_path / "sources", 3)
    model = write_model(parts, tmp_path / "a.onnx")
    for name, suffix, first in (("srt", "srt", "1\n00:"), ("vtt", "vtt", "WEBVTT"), ("textgrid", "TextGrid", "File")):
        outcome = seqrec("transcribe", model, "sources", "--format", name, "--output", f"{name}/")
        assert outcome.code == 0, outcome.err
        written = sorted((tmp_path / name).iterdir())
        assert [path.name for path in written] == [f"0{number}.{suffix}" for number in range(3)]
        assert written[2].read_text().startswith(first)
    rows = [line.split() for line in seqrec("transcribe", model, "sources", "--format", "ctm").out.splitlines()]
    texts = [line.split("\t")[1] for line in seqrec("transcribe", model, "sources").out.splitlines()]
    assert [row[4] for row in rows] == " ".join(texts).split()
