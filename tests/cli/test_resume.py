"""Law 4: killed at any step and resumed, a run ends with the weights of the run never interrupted, bit for bit."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tiny import Seqrec, tiny_options

from seqrec.checkpoint import read_checkpoint

PATIENCE_SECONDS = 120


def options(data: Path, *more: str) -> list[str]:
    return [
        "train",
        "synth/ink",
        *tiny_options("synth/ink", data),
        "trainer.max_epochs=15",
        "encoder.dropout=0.3",
        *more,
    ]


def start(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    # A shell that runs the tests in the background has Ctrl-C ignored, and children inherit that.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", heed + "from seqrec.cli.main import main; main()", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.is_file():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"]


def logged(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "examples_per_second"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("checkpoint_steps", [2, 3, 1000])
def test_kill_and_resume(checkpoint_steps: int, seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    data, whole, killed = ink_run.parent / "data", tmp_path / "whole", tmp_path / "killed"
    steps = f"checkpoint_steps={checkpoint_steps}"
    assert seqrec(*options(data, steps, f"hydra.run.dir={whole}")).code == 0
    process = start(tmp_path, options(data, steps, f"hydra.run.dir={killed}"))
    wait_for(killed / "checkpoints/last.ckpt", process)
    process.kill()
    process.communicate()
    step = read_checkpoint(killed / "checkpoints/last.ckpt")["global_step"]
    assert 0 < step < read_checkpoint(whole / "checkpoints/last.ckpt")["global_step"]
    assert seqrec("resume", killed).code == 0
    expected, found = weights(whole), weights(killed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert logged(killed) == logged(whole)


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(ink_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = options(ink_run.parent / "data", f"hydra.run.dir={run}", "checkpoint_steps=1", "trainer.max_epochs=500")
    process = start(tmp_path, words)
    wait_for(run / "checkpoints/last.ckpt", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2, err
    assert f"seqrec resume {run}" in err
    assert "Traceback" not in err
    read_checkpoint(run / "checkpoints/last.ckpt")
