"""`seqrec transcribe`: sources, formats, and what is said of those that cannot be read."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny import Seqrec, assert_one_sentence

STROKES = [[[0, 0], [0, 30], [4, 34]], [[-10, 10], [10, 10]]]
TONE = 0.1 * np.sin(np.arange(22050) / 9)


def write_inks(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for height, name in enumerate(names, start=20):
        (folder / name).write_text(json.dumps({"strokes": [[[0, 0], [0, height]], [[-10, 10], [10, 10]]]}))


class Pipe(io.BytesIO):
    """What stands in for standard input."""

    @property
    def buffer(self) -> Pipe:
        return self


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_every_audio_format(suffix: str, speech_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    soundfile.write(tmp_path / f"a.{suffix}", TONE, 22050)
    outcome = seqrec("transcribe", speech_run, f"a.{suffix}", "--format", "json")
    assert outcome.code == 0, outcome.err
    assert {"path", "text", "score"} <= json.loads(outcome.out).keys()


def test_lines_name_their_files(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    write_inks(tmp_path, "b.json", "a.json")
    lines = seqrec("transcribe", ink_run, "b.json", "a.json").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["b.json", "a.json"]


def test_a_file_reads_the_same_beside_others(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    write_inks(tmp_path, "a.json", "b.json", "c.json")
    together = seqrec("transcribe", ink_run, "a.json", "b.json", "c.json", "--format", "json").out
    for options in (["--batch-size", "1"], ["--batch-frames", "5"]):
        assert seqrec("transcribe", ink_run, *options, "a.json", "b.json", "c.json", "--format", "json").out == together


def test_a_folder_is_gone_through(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    write_inks(tmp_path / "inks", "b.json", "a.JSON")
    write_inks(tmp_path / "inks" / "anna", "c.inkml.json")
    (tmp_path / "inks" / "readme.md").write_text("")
    outcome = seqrec("transcribe", ink_run, "inks")
    names = [line.split("\t")[0] for line in outcome.out.splitlines()]
    assert names == ["inks/a.JSON", "inks/anna/c.inkml.json", "inks/b.json"]
    assert "inks: 3 files to read, 1 left out (1 .md)" in outcome.err


def test_a_folder_of_nothing(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    write_inks(tmp_path, "a.json")
    (tmp_path / "empty").mkdir()
    outcome = seqrec("transcribe", ink_run, "empty", "a.json")
    assert_one_sentence(outcome, "empty: a folder", "1 of 2 files")
    assert outcome.out.startswith("a.json\t")


def test_standard_input(
    ink_run: Path, speech_run: Path, seqrec: Seqrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_inks(tmp_path, "a.json")
    soundfile.write(tmp_path / "a.wav", TONE, 16000)
    for run, name in ((ink_run, "a.json"), (speech_run, "a.wav")):
        alone = seqrec("transcribe", run, name).out
        monkeypatch.setattr(sys, "stdin", Pipe((tmp_path / name).read_bytes()))
        assert seqrec("transcribe", run, "-").out == alone.replace(name, "-")
    monkeypatch.setattr(sys, "stdin", Pipe(b"{"))
    assert_one_sentence(seqrec("transcribe", ink_run, "-"), "seqrec: standard input: ", "1 of 1 files")
    assert_one_sentence(seqrec("transcribe", ink_run, "-", "-"), "given twice")


@pytest.mark.parametrize(
    ("format", "start"),
    [
        ("txt", "a.wav\t"),
        ("json", '{"path": "a.wav", "text": "'),
        ("ctm", "a"),
        ("srt", "1\n"),
        ("vtt", "WEBVTT"),
        ("textgrid", "File"),
    ],
)
def test_formats(format: str, start: str, speech_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    shutil.copy(sorted((speech_run.parent / "data").rglob("*.wav"))[0], tmp_path / "a.wav")  # reads something
    alone = seqrec("transcribe", speech_run, "a.wav", "--format", format)
    assert alone.code == 0, alone.err
    assert alone.out.startswith(start)
    seqrec("transcribe", speech_run, "a.wav", "--format", format, "--output", "all")
    assert (tmp_path / "all").read_text() == alone.out
    assert seqrec("transcribe", speech_run, "a.wav", "--format", format, "--output", "each/").out == ""
    (file,) = (tmp_path / "each").iterdir()
    assert file.stem == "a"
    assert file.read_text() == alone.out


@pytest.fixture
def long_recording(speech_run: Path, tmp_path: Path) -> Path:
    recordings = sorted((speech_run.parent / "data").rglob("*.wav"))[:12]
    path = tmp_path / "long.wav"
    soundfile.write(path, np.concatenate([soundfile.read(recording)[0] for recording in recordings]), 16000)
    return path


@pytest.mark.parametrize("format", ["txt", "json", "srt", "vtt"])
def test_a_long_recording_alone_and_among_others(
    format: str, speech_run: Path, long_recording: Path, seqrec: Seqrec, tmp_path: Path
) -> None:
    shutil.copy(sorted((speech_run.parent / "data").rglob("*.wav"))[0], tmp_path / "a.wav")
    options = ("--format", format, "--window", "2", "--context", "2")
    alone = seqrec("transcribe", speech_run, "long.wav", *options)
    assert (alone.code, alone.err) == (0, "")
    assert seqrec("transcribe", speech_run, "a.wav", "long.wav", *options, "--output", "each/").code == 0
    (file,) = (tmp_path / "each").glob("long.*")
    assert file.read_text() == alone.out


def test_a_recording_is_not_written_over(speech_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 16000)
    before = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "link").symlink_to("a.wav")
    for output in ("a.wav", "link"):
        assert_one_sentence(seqrec("transcribe", speech_run, "a.wav", "--output", output), "would be written over")
    assert (tmp_path / "a.wav").read_bytes() == before


def test_a_damaged_recording_as_subtitles(speech_run: Path, seqrec: Seqrec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Pipe(b"RIFF"))
    assert_one_sentence(seqrec("transcribe", speech_run, "-", "--format", "srt"), "standard input: cannot be decoded")


def test_names_of_any_bytes(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    write_inks(tmp_path / "inks", "b.json")
    (tmp_path / "inks" / "b.json").rename(tmp_path / "inks" / os.fsdecode(b"\xff\n\t.json"))
    for format in ("txt", "json"):
        outcome = seqrec("transcribe", ink_run, "inks", "--format", format)
        assert outcome.code == 0, outcome.err
        name = json.loads(outcome.out)["path"] if format == "json" else outcome.out.split("\t")[0]
        assert name == ("inks/?\n\t.json" if format == "json" else "inks/?__.json")


def test_where_outputs_cannot_go(ink_run: Path, speech_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    write_inks(tmp_path, "a.json", "b.json")
    write_inks(tmp_path / "other", "a.json")
    files = ["a.json", "other/a.json"]
    assert_one_sentence(seqrec("transcribe", ink_run, *files, "--output", "out/"), "both be written to out/a.txt")
    assert_one_sentence(seqrec("transcribe", ink_run, "a.json", "--format", "srt"), "srt", "ink", "json")
    soundfile.write(tmp_path / "a.wav", TONE, 16000)
    assert_one_sentence(seqrec("transcribe", speech_run, "a.wav", "a.wav", "--format", "srt"), "--output FOLDER/")


def test_several_readings(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    write_inks(tmp_path, "a.json")
    outcome = seqrec("transcribe", ink_run, "a.json", "--decoder", "beam", "--n-best", "3", "--format", "json")
    assert outcome.code == 0, outcome.err
    same = ["decoder=beam", "decoder.n_best=3", "decoder.beam_size=16"]
    assert seqrec("transcribe", ink_run, "a.json", *same, "--format", "json").out == outcome.out
    readings = json.loads(outcome.out)
    assert len(readings["others"]) == 2
    assert readings["score"] >= readings["others"][0]["score"] >= readings["others"][1]["score"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a.json", "--n-best", "5"], ["gives one reading", "decoder=beam"]),
        (["a.json", "--decoder", "bean"], ["decoder=bean is none", "beam"]),
        (["a.json", "decoder.beta=1"], ["no option of", "greedy"]),
        (["a.json", "decoder=beam", "--decoder", "beam"], ["given twice"]),
        (["a.json", "--window", "-3"], ["windows of -3 s"]),
        (["decoder=beam"], ["no source"]),
    ],
    ids=str,
)
def test_options_that_cannot_be(words: list[str], expected: list[str], ink_run: Path, seqrec: Seqrec) -> None:
    assert_one_sentence(seqrec("transcribe", ink_run, *words), *expected)


def tuned_run(ink_run: Path, folder: Path, content: str) -> Path:
    run = folder / "run"
    shutil.copytree(ink_run, run)
    (run / "tuning").mkdir()
    (run / "tuning" / "beam_lm.json").write_text(content)
    return run


def test_tuned_options_are_taken_and_said(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    pytest.importorskip("numba")
    write_inks(tmp_path, "a.json")
    options = {"lm": None, "unit": "char", "alpha": 0.0, "beta": 0.25, "beam_size": 4, "n_best": 2}
    run = tuned_run(ink_run, tmp_path, json.dumps({"options": options}))
    tuned = seqrec("transcribe", run, "a.json", "--decoder", "beam_lm", "--format", "json")
    assert tuned.code == 0, tuned.err
    assert "decoder=beam_lm as tuned" in tuned.err
    assert "beta=0.25" in tuned.err
    given = [f"decoder.{key}={'null' if value is None else value}" for key, value in options.items()]
    assert seqrec("transcribe", ink_run, "a.json", "decoder=beam_lm", *given, "--format", "json").out == tuned.out
    assert "beta" not in seqrec("transcribe", run, "a.json", "decoder=beam_lm", "decoder.beta=0.5").err
    assert "unit=char: not used" in seqrec("transcribe", run, "a.json", "decoder=beam_lm", "decoder.unit=word").err
    assert "tuned" not in seqrec("transcribe", run, "a.json").err


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"alpha": 1}', '{"options": 3}', '{"options": {"bta": 1}}', '{"options": {"_target_": "seqrec.x.Y"}}'],
)
def test_damaged_tuning(content: str, ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    run = tuned_run(ink_run, tmp_path, content)
    assert_one_sentence(seqrec("transcribe", run, "a.json", "decoder=beam_lm"), "beam_lm.json", "tune again")
