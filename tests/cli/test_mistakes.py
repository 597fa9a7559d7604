"""Every mistake is answered by one sentence on standard error and exit code 2, without a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tiny import Outcome, Seqrec, tiny_options


def assert_one_sentence(outcome: Outcome, *words: str) -> None:
    assert outcome.code == 2, outcome.err
    assert "Traceback" not in outcome.err
    sentences = [line for line in outcome.err.splitlines() if line.startswith("seqrec: ")]
    assert sentences, outcome.err
    for word in words:
        assert word in outcome.err, outcome.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["trian", "synth/ink"], ["`trian`", "did you mean `train`?"]),
        (["train", "fsd/bilstm"], ["`fsd/bilstm`", "did you mean `fsdd/bilstm`?"]),
        (["train", "./nowhere.yaml"], ["./nowhere.yaml", "does not exist"]),
        (["train", "synth/ink", "encoder=bilstn"], ["`bilstn`", "did you mean `bilstm`?"]),
        (["train", "synth/ink", "encodr=lstm"], ["`encodr`", "did you mean `encoder`?"]),
        (["train", "synth/ink", "encoder.hiden_size=3"], ["encoder.hiden_size", "did you mean `encoder.hidden_size`?"]),
        (["train", "synth/ink", "+encoder.hiden_size=3"], ["encoder.hiden_size", "did you mean `hidden_size`?"]),
        (["train", "synth/ink", "+sead=3"], ["`sead`", "did you mean `seed`?"]),
        (["train", "synth/ink", "seed=x"], ["seed='x'", "whole number"]),
        (["train", "synth/ink", "encoder.x=["], ["synth/ink"]),
        (["train", "synth/ink", "corpus.num_train=0"], ["num_train=0"]),
        (["train", "synth/ink", "data_dir=${nope}"], ["nope"]),
        (["prepare", "fsdd/bilstm", "corpus.archive=none.zip"], ["none.zip"]),
        (["prepare", "fsdd/bilstm", "corpus.archive=x.zip", "corpus.speaker=nobody"], ["x.zip"]),
        (["evaluate", "nowhere"], ["nowhere", "does not exist"]),
        (["evaluate", "."], ["config.yaml"]),
        (["resume", "nowhere"], ["nowhere", "does not exist"]),
        (["resume", "a", "b"], ["one run folder"]),
        (["transcribe", "nowhere", "a.wav"], ["nowhere", "does not exist"]),
    ],
    ids=" ".join,
)
def test_on_the_command_line(words: list[str], expected: list[str], seqrec: Seqrec) -> None:
    assert_one_sentence(seqrec(*words), *expected)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("encoder.hidden_size=many", ["encoder.hidden_size=many", "whole number"]),
        ("encoder.hidden_size=0", ["hidden_size=0"]),
        ("encoder.dropout=1.5", ["dropout=1.5"]),
        ("encoder.stack_stride=9", ["stack_stride=9"]),
        ("frontend.step=-1", ["step", "-1"]),
        ("optimizer.lr=fast", ["optimizer.lr=fast", "number"]),
        ("optimizer.lr=-1", ["-1"]),
        ("schedule.warmup=2", ["warmup=2"]),
        ("ctc.infeasible=maybe", ["ctc.infeasible=maybe", "error, skip"]),
        ("text.unknown=maybe", ["text.unknown=maybe", "error, drop"]),
        ("data.max_frames=0", ["max_frames=0"]),
        ("+trainer.max_epoch=3", ["trainer.max_epoch", "did you mean `max_epochs`?"]),
        ("trainer.accelerator=abacus", ["abacus"]),
        ("encoder._target_=os.system", ["os.system", "allowed packages"]),
        ("encoder._target_=seqrec.nothing.Here", ["seqrec.nothing.Here"]),
    ],
)
def test_of_values(option: str, expected: list[str], seqrec: Seqrec, ink_run: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    assert_one_sentence(seqrec("train", "synth/ink", *options, option), *expected)


def test_infeasible_targets_are_named_or_skipped(
    seqrec: Seqrec, ink_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1"]
    options += ["encoder.stack_size=60", "encoder.stack_stride=60"]
    assert_one_sentence(seqrec("train", "synth/ink", *options), "`train-", "ctc.infeasible=skip", "frames, needs")
    skipped = seqrec("train", "synth/ink", *options, "ctc.infeasible=skip", f"hydra.run.dir={tmp_path}/run")
    assert skipped.code == 0, skipped.err
    assert "skipping 55 of 60" in caplog.text


def test_a_run_folder_is_not_written_over(seqrec: Seqrec, ink_run: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    outcome = seqrec("train", "synth/ink", *options, f"hydra.run.dir={ink_run}")
    assert_one_sentence(outcome, "holds a run already", "seqrec resume")


def test_a_run_that_has_ended_is_not_resumed(seqrec: Seqrec, ink_run: Path) -> None:
    assert_one_sentence(seqrec("resume", ink_run), "has ended")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("split=tset", "did you mean `test`?"),
        ("splt=test", "did you mean `split`?"),
        ("test", "KEY=VALUE"),
        ("decoder=greddy", "did you mean `greedy`?"),
        ("decoder.width=3", "decoder.width"),
        ("manifest=none.jsonl", "none.jsonl"),
        ("device=abacus", "abacus"),
        ("text.unknown=maybe", "text.unknown=maybe"),
    ],
)
def test_of_evaluate(option: str, expected: str, seqrec: Seqrec, ink_run: Path) -> None:
    assert_one_sentence(seqrec("evaluate", ink_run, option), expected)


def test_a_character_outside_the_alphabet_is_named(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "mine.jsonl"
    row = {"id": "greek-1", "text": "Ωmega", "ink": {"strokes": [[[0, 0], [1, 1]]]}, "num_points": 2}
    manifest.write_text(json.dumps(row) + "\n")
    assert_one_sentence(seqrec("evaluate", ink_run, f"manifest={manifest}"), "`greek-1`", "'Ω'", "text.unknown=drop")
    assert seqrec("evaluate", ink_run, f"manifest={manifest}", "text.unknown=drop").code == 0
    report = json.loads((ink_run / "evaluation/mine-greedy/report.json").read_text())
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


def test_a_checkpoint_may_not_name_strangers(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    checkpoint = torch.load(ink_run / "checkpoints/best.ckpt", weights_only=True)
    checkpoint["seqrec"]["config"]["encoder"]["_target_"] = "subprocess.Popen"
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    torch.save(checkpoint, run / "checkpoints/best.ckpt")
    (run / "config.yaml").write_bytes((ink_run / "config.yaml").read_bytes())
    assert_one_sentence(seqrec("evaluate", run), "subprocess.Popen", "allowed packages")


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
