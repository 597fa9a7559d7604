"""`seqrec export`, and the verbs with another engine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
import torch
from tiny import Seqrec, assert_one_sentence

from seqrec.corpora.archives.fetch import file_digest
from seqrec.export import exporting


def about(path: Path) -> dict[str, Any]:
    return json.loads({entry.key: entry.value for entry in onnx.load(path).metadata_props}["seqrec"])


@pytest.fixture(scope="module")
def run(speech_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(speech_run, tmp_path_factory.mktemp("exported") / "run"))


@pytest.mark.parametrize("engine", ["onnx", "onnx-int8"])
def test_a_speech_run_is_written_with_its_front_end(run: Path, seqrec: Seqrec, engine: str) -> None:
    outcome = seqrec("export", run, f"engine={engine}", "dev=3")
    assert outcome.code == 0, outcome.err
    assert "WER of 3 examples of dev" in outcome.err
    assert "MB, takes signals" in outcome.err
    assert ("log-probs, int8" in outcome.err) == (engine == "onnx-int8")
    assert "log-probs were compared on 20 random examples and 3 of dev" in outcome.err
    path = run / "export/model.onnx"
    assert f"seqrec transcribe {path}" in outcome.err
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]
    record = about(path)
    assert record["input"] == "signals"
    assert record["engine"] == engine
    assert record["checkpoint"] == file_digest(run / "checkpoints/best.ckpt")
    assert record["config"]["encoder"]["hidden_size"] == 12
    assert record["symbols"] == json.loads((run / "tokens.json").read_text())[1:]  # without the blank
    assert record["normalisation"] is None
    assert record["frame_borders"].keys() == {"first", "stride"}
    assert record["temperature"] == 1.0
    assert record["dev"]["examples"] == 3
    assert record["dev"].keys() == {"examples", "difference", "torch", "exported"}
    if engine == "onnx":
        assert record["dev"]["torch"] == record["dev"]["exported"]
        assert 0 < record["dev"]["difference"] < 1e-3


def test_an_ink_run_is_written_without(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    outcome = seqrec("export", ink_run, "output=sub/ink.onnx", "dev=0")
    assert outcome.code == 0, outcome.err
    assert "it takes features, which `seqrec transcribe` computes" in outcome.err
    assert "dev" not in outcome.err
    record = about(tmp_path / "sub/ink.onnx")
    assert record["input"] == "features"
    assert record["dev"] is None
    assert len(record["normalisation"]["mean"]) == len(record["normalisation"]["deviation"]) == 5


def test_features_that_only_torch_computes_are_said(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    slanted = Path(shutil.copytree(ink_run, tmp_path / "slanted"))
    checkpoint = torch.load(slanted / "checkpoints/best.ckpt", weights_only=True)
    checkpoint["seqrec"]["config"]["frontend"]["slant"] = True
    torch.save(checkpoint, slanted / "checkpoints/best.ckpt")
    outcome = seqrec("export", slanted, "output=slanted.ONNX", "dev=0")
    assert outcome.code == 0, outcome.err
    assert "slanted.ONNX: frontend.slant is set, which needs torch" in outcome.err
    assert "use it" not in outcome.err


def test_a_corpus_that_is_not_there_is_said(run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    outcome = seqrec("export", run, "output=a.onnx", f"data_dir={tmp_path / 'nowhere'}")
    assert outcome.code == 0, outcome.err
    assert "not scored on dev: " in outcome.err
    assert about(tmp_path / "a.onnx")["dev"] is None


def test_a_model_that_differs_is_not_written(
    run: Path, seqrec: Seqrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.onnx").write_text("an older one")
    monkeypatch.setattr(exporting, "TOLERANCE", 1e-12)
    outcome = seqrec("export", run, "output=a.onnx", "dev=0")
    assert_one_sentence(outcome, "the exported model differs from torch by", "of a random batch of up to 120 frames")
    assert (tmp_path / "a.onnx").read_text() == "an older one"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("engine=torch", "engine=torch writes no file; give onnx or onnx-int8"),
        ("output=model.pt", "output=model.pt: give a file whose name ends in .onnx"),
        ("dev=some", "dev=some is no whole number"),
        ("outptu=a.onnx", "did you mean `output`"),
    ],
)
def test_mistakes(run: Path, seqrec: Seqrec, option: str, expected: str) -> None:
    assert_one_sentence(seqrec("export", run, option), expected)


def test_mistakes_are_told_before_torch_is_imported(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words, says in (
        (["engine=onnx"], "give RUN first"),
        ([tmp_path / "absent"], "absent does not exist"),
        ([run, "engine=int8"], "did you mean `onnx-int8`"),
        ([run, f"output={tmp_path}/file/a.onnx"], "file"),
    ):
        code = "import sys; sys.modules['torch'] = None; from seqrec.cli.main import main; main(sys.argv[1:])"
        done = subprocess.run(
            [sys.executable, "-c", code, "export", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stderr
        assert says in done.stderr


def test_a_run_without_a_word_is_told(run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    """Its head is made to say nothing but blanks."""
    mute = Path(shutil.copytree(run, tmp_path / "mute"))
    checkpoint = torch.load(mute / "checkpoints/best.ckpt", weights_only=True)
    (bias,) = [name for name in checkpoint["state_dict"] if name.endswith("head.bias")]
    checkpoint["state_dict"][bias][0] = 1e3
    torch.save(checkpoint, mute / "checkpoints/best.ckpt")
    outcome = seqrec("export", mute, "dev=3")
    assert outcome.code == 0, outcome.err
    assert "give no text for any example of dev" in outcome.err


def test_a_missing_package_is_named(run: Path, seqrec: Seqrec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert_one_sentence(seqrec("export", run), "exporting needs ONNX", "pip install 'seqrec[onnx]'")
    for words in (("evaluate", run, "engine=onnx"), ("transcribe", run, "a.wav", "--engine", "onnx-int8")):
        assert_one_sentence(seqrec(*words), f"engine={words[-1].split('=')[-1]} needs ONNX", "'seqrec[onnx]'")


def test_help_names_its_options(seqrec: Seqrec) -> None:
    outcome = seqrec("export", "--help")
    assert outcome.code == 0
    for option in ("output=", "engine=onnx-int8", "dev=500", "data_dir="):
        assert option in outcome.out


def test_an_engine_is_evaluated_beside_torch(run: Path, seqrec: Seqrec) -> None:
    for engine, name in (("torch", "dev-greedy"), ("onnx-int8", "dev-greedy-onnx-int8")):
        outcome = seqrec("evaluate", run, "split=dev", f"engine={engine}")
        assert outcome.code == 0, outcome.err
        assert json.loads((run / "evaluation" / name / "report.json").read_text())["speed"]["engine"] == engine
    assert "on cpu by onnx-int8" in outcome.err
    compared = seqrec("compare", run, run, "split=dev", "decoder=greedy,greedy-onnx-int8")
    assert compared.code == 0, compared.err


def test_only_torch_fits_the_calibration(run: Path, seqrec: Seqrec) -> None:
    (run / "calibration.json").unlink(missing_ok=True)
    assert seqrec("evaluate", run, "split=dev", "engine=torch-bf16").code == 0
    assert not (run / "calibration.json").exists()


def test_an_engine_transcribes(run: Path, seqrec: Seqrec) -> None:
    soundfile.write("a.wav", 0.1 * np.random.default_rng(0).standard_normal(20000), 16000)
    texts = [seqrec("transcribe", run, "a.wav", "--engine", engine) for engine in ("torch", "onnx")]
    assert [outcome.code for outcome in texts] == [0, 0]
    assert texts[0].out == texts[1].out


def test_an_engine_with_a_device_it_has_not(run: Path, seqrec: Seqrec) -> None:
    outcome = seqrec("evaluate", run, "engine=onnx", "device=cuda")
    assert_one_sentence(outcome, "engine=onnx with device=cuda: it runs on the CPU")
