"""Transcribing with an exported model where nothing of torch's world can be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from exported.exported_models import INK, SPEECH, random_parts, write_model, write_sources

import seqrec
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.transcriber import Transcriber

ROOT = Path(seqrec.__file__).parent.parent
REFUSED = ("torch", "torchaudio", "lightning", "hydra", "omegaconf", "onnx", "yaml", "rich", "defusedxml", "regex")
REFUSE = f"""
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {REFUSED}:
            raise ImportError(f"{{name}} is refused")

sys.meta_path.insert(0, Refusing())
"""
TRANSCRIBE = "from seqrec.cli.main import main; main(sys.argv[1:])"
LOAD = "import seqrec; print(seqrec.load(sys.argv[1]).transcribe(sys.argv[2]).text)"


def python(code: str, *words: str | Path, program: str | Path = sys.executable) -> str:
    """Run `code` in an interpreter of its own, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [program, "-c", code, *words], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["speech", "ink"])
def test_nothing_but_numpy_soundfile_and_onnxruntime_is_imported(kind: str, tmp_path: Path) -> None:
    parts = random_parts(SPEECH if kind == "speech" else INK)
    model = write_model(parts, tmp_path / "a.onnx")
    paths = write_sources(parts, tmp_path / "sources", 4)
    transcriber = Transcriber(parts, GreedyDecoder())
    texts = [transcriber.transcribe(path, times=False).text for path in paths]
    assert any(texts)
    lines = python(REFUSE + TRANSCRIBE, "transcribe", model, *paths).splitlines()
    assert lines == [f"{path}\t{text}" for path, text in zip(paths, texts, strict=True)]
    assert python(REFUSE + LOAD, model, paths[0]).rstrip("\n") == texts[0]


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    model, note = write_model(random_parts(INK), tmp_path / "a.onnx"), tmp_path / "a.inkml"
    note.write_text("<ink><trace>0 0, 1 1</trace></ink>")
    attempt = f"import seqrec\ntry: {LOAD.partition('; ')[2]}\nexcept ValueError as error: print(error)"
    assert "pip install defusedxml" in python(REFUSE + attempt, model, note)
    refuse = REFUSE.replace("'onnx', ", "'onnx', 'onnxruntime', ")
    assert "pip install onnxruntime" in python(refuse + attempt, model, note)


def test_beam_search_does_without_torch(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    parts = random_parts(INK)
    model, paths = write_model(parts, tmp_path / "a.onnx"), write_sources(parts, tmp_path / "sources", 2)
    refuse = REFUSE.replace("'yaml', ", "")
    options = ("decoder=beam_lm", "decoder.hotwords=[abc]", "--n-best", "2", "--format", "json")
    lines = python(refuse + TRANSCRIBE, "transcribe", model, *paths, *options).splitlines()
    assert [len(json.loads(line)["others"]) for line in lines] == [1, 1]


def test_no_module_of_the_runtime_imports_torch() -> None:
    """Read from what is loaded, that of functions apart: it is run above."""
    files = sorted((ROOT / "seqrec" / "exported").glob("*.py"))
    names = [f"seqrec.exported.{path.stem}" for path in files if path.stem != "__init__"]
    assert len(names) >= 8
    decoders = ["seqrec.ctc.greedy", "seqrec.ctc.beam", "seqrec.ctc.beam_lm", "seqrec.cli.transcribe_exported"]
    imports = "".join(f"import {name}\n" for name in ["sys", *names, *decoders])
    loaded = set(python(imports + "print(*sys.modules)").split())
    assert "seqrec.exported.model" in loaded
    assert not {name.split(".")[0] for name in loaded} & {"torch", "torchaudio", "lightning", "hydra", "omegaconf"}


@pytest.mark.slow
def test_an_environment_of_three_packages(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    program = tmp_path / "venv" / "bin" / "python"
    install = [program, "-m", "pip", "install", "-q", "numpy", "onnxruntime", "soundfile"]
    subprocess.run(install, check=True, capture_output=True)
    for number, kind in enumerate((SPEECH, INK)):
        parts = random_parts(kind)
        model = write_model(parts, tmp_path / f"{number}.onnx")
        paths = write_sources(parts, tmp_path / str(number), 3)
        transcriber = Transcriber(parts, GreedyDecoder())
        expected = [f"{path}\t{transcriber.transcribe(path, times=False).text}" for path in paths]
        assert (
            python("import sys; " + TRANSCRIBE, "transcribe", model, *paths, program=program).splitlines() == expected
        )
