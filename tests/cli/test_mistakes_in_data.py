"""Mistakes in what is read and written: sources, transcripts, corpora and disks; one sentence each, as elsewhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny import Seqrec, assert_one_sentence, tiny_options


def test_infeasible_targets_are_named_or_skipped(
    seqrec: Seqrec, ink_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1"]
    options += ["encoder.stack_size=60", "encoder.stack_stride=60"]
    assert_one_sentence(seqrec("train", "synth/ink", *options), "`train-", "ctc.infeasible=skip", "frames, needs")
    skipped = seqrec("train", "synth/ink", *options, "ctc.infeasible=skip", f"hydra.run.dir={tmp_path}/run")
    assert skipped.code == 0, skipped.err
    assert "skipping 55 of 60" in caplog.text


def test_a_character_outside_the_alphabet_is_named(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "mine.jsonl"
    row = {"id": "greek-1", "text": "Ωmega", "ink": {"strokes": [[[0, 0], [1, 1]]]}, "num_points": 2}
    manifest.write_text(json.dumps(row) + "\n")
    assert_one_sentence(seqrec("evaluate", ink_run, f"manifest={manifest}"), "`greek-1`", "'Ω'", "text.unknown=drop")
    assert seqrec("evaluate", ink_run, f"manifest={manifest}", "text.unknown=drop").code == 0
    (path,) = ink_run.glob("evaluation/mine-*-greedy/report.json")
    report = json.loads(path.read_text())
    assert report["characters"] == 5  # the stranger still counts


SOURCES = {
    "missing.wav": None,
    "empty.wav": b"",
    "text.wav": b"this is no recording\n" * 50,
    "cut.flac": b"fLaC\0\0\0\x22",
    "list.json": b"[1, 2, 3]",
    "nostrokes.json": b'{"strokes": []}',
    "words.json": b'{"strokes": [[["a", "b"]]]}',
    "broken.json": b'{"strokes": [[[0, 0',
    "notxml.inkml": b"not xml at all",
    "bomb.inkml": b'<?xml version="1.0"?><!DOCTYPE ink [<!ENTITY a "b">]><ink><trace>&a;</trace></ink>',
    "notrace.inkml": b"<ink/>",
}


@pytest.mark.parametrize("name", SOURCES)
def test_of_sources(name: str, seqrec: Seqrec, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    run = request.getfixturevalue("speech_run" if name.endswith((".wav", ".flac")) else "ink_run")
    content = SOURCES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert_one_sentence(seqrec("transcribe", run, tmp_path / name), name)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.full(800, np.nan, np.float32)], ids=["none", "NaN"])
def test_of_samples(samples: np.ndarray, seqrec: Seqrec, speech_run: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "bad.wav", samples, 16000, subtype="FLOAT")
    assert_one_sentence(seqrec("transcribe", speech_run, tmp_path / "bad.wav"), "bad.wav", "samples")


def test_good_files_are_transcribed_beside_bad_ones(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text('{"strokes": [[[0, 0], [0, 9]]]}')
    outcome = seqrec("transcribe", ink_run, "missing.json", "good.json")
    assert_one_sentence(outcome, "missing.json", "1 of 2 files")
    assert outcome.out.startswith("good.json\t")


@pytest.mark.parametrize("num_bytes", [400, 4001])
def test_a_recording_cut_short_since_it_was_prepared(
    num_bytes: int, seqrec: Seqrec, speech_run: Path, tmp_path: Path
) -> None:
    shutil.copytree(speech_run.parent / "data", tmp_path / "data")
    wav = sorted(tmp_path.glob("data/synth_speech*/audio/train/*.wav"))[3]
    wav.write_bytes(wav.read_bytes()[:num_bytes])
    options = tiny_options("synth/speech", tmp_path / "data")
    outcome = seqrec("train", "synth/speech", *options, "trainer.max_epochs=1", f"hydra.run.dir={tmp_path}/run")
    assert_one_sentence(outcome, wav.name, "is cut short")
    assert not (tmp_path / "run/config.yaml").exists()  # the mended run may take its place


def test_a_source_that_is_not_what_its_row_promises(seqrec: Seqrec, speech_run: Path, tmp_path: Path) -> None:
    shutil.copytree(speech_run.parent / "data", tmp_path / "data")
    wav = sorted(tmp_path.glob("data/synth_speech*/audio/train/*.wav"))[0]
    soundfile.write(wav, np.zeros(700), 16000)
    options = [*tiny_options("synth/speech", tmp_path / "data"), "data.num_workers=1"]
    assert_one_sentence(seqrec("train", "synth/speech", *options), "700 samples", "prepare the corpus again")


def test_a_corpus_of_other_settings_under_the_same_name(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    shutil.copytree(ink_run.parent / "data", tmp_path / "data")
    (marker,) = tmp_path.glob("data/synth_ink*/.completed")
    about = json.loads(marker.read_text())
    marker.write_text(json.dumps({**about, "settings": {**about["settings"], "_target_": "other.SynthInk"}}))
    outcome = seqrec("prepare", "synth/ink", *tiny_options("synth/ink", tmp_path / "data"))
    assert_one_sentence(outcome, "corpus._target_=other.SynthInk", "another data_dir")


def test_the_wrong_modality_to_transcribe(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(700), 16000)
    assert_one_sentence(seqrec("transcribe", ink_run, "a.wav"), "this run reads .json, .inkml")
    assert_one_sentence(seqrec("transcribe", ink_run, "a" * 300 + ".json"), "1 of 1 files")


def test_a_place_that_cannot_be_written(seqrec: Seqrec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    options = [*tiny_options("synth/ink", tmp_path / "file" / "data"), "trainer.max_epochs=1"]
    assert_one_sentence(seqrec("train", "synth/ink", *options), "/file/data", "choose another place")


def test_a_disk_without_space(seqrec: Seqrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "manifest-train.jsonl")

    monkeypatch.setattr("seqrec.corpora.prepare.write_manifest", full)
    outcome = seqrec("prepare", "synth/ink", *tiny_options("synth/ink", tmp_path / "data"))
    assert_one_sentence(outcome, "manifest-train.jsonl", "no space is left")
    assert not list((tmp_path / "data").glob("**/manifest*"))
