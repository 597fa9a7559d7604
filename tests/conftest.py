"""What many tests need: the command line in this process, and two tiny trained runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from tiny import Outcome, Seqrec, tiny_options

from seqrec.cli.main import main

torch.set_num_threads(1)  # tiny models: threads cost more than they bring


@pytest.fixture
def seqrec(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seqrec:
    """Run `seqrec WORDS...` in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Outcome:
        capfd.readouterr()
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as exit:
            code = int(exit.code or 0)
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def _tiny_run(recipe: str, folder: Path) -> Path:
    run = folder / "run"
    main(["train", recipe, *tiny_options(recipe, folder / "data"), "trainer.max_epochs=2", f"hydra.run.dir={run}"])
    return run


@pytest.fixture(scope="session")
def ink_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of synth/ink of two epochs; `../data` holds its corpus."""
    return _tiny_run("synth/ink", tmp_path_factory.mktemp("ink"))


@pytest.fixture(scope="session")
def speech_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of synth/speech of two epochs; `../data` holds its corpus."""
    return _tiny_run("synth/speech", tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="session", autouse=True)
def _quiet_environment() -> None:
    os.environ.pop("SEQREC_DATA", None)
    os.environ.pop("SEQREC_PACKAGES", None)
