"""Two processes over gloo: the rates are those of the whole corpus, as one process counts them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import tiny_options

from seqrec.evaluation import evaluate
from seqrec.transcriber import load


@pytest.fixture(scope="module")
def ddp_run(ink_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("ddp") / "run"
    words = ["train", "synth/ink", *tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=3"]
    words += [
        "trainer=ddp",
        "trainer.devices=2",
        "trainer.accelerator=cpu",
        f"hydra.run.dir={run}",
        "data.max_examples=3",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "seqrec", *words]
    done = subprocess.run(
        command, cwd=run.parent, capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("run folder:") == 1  # the second process keeps quiet
    return run


def test_the_dev_rates_of_two_ranks_are_those_of_one_process(ddp_run: Path, ink_run: Path) -> None:
    with (ddp_run / "metrics.csv").open() as file:
        last = [row for row in csv.DictReader(file) if row["dev_cer"]][-1]
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-dev.jsonl")
    alone = evaluate(load(ddp_run / "checkpoints/last.ckpt"), manifest).rates
    assert float(last["dev_wer"]) == pytest.approx(alone.wer, abs=1e-7)
    assert float(last["dev_cer"]) == pytest.approx(alone.cer, abs=1e-7)


def test_the_final_scores_count_every_example_once(ddp_run: Path) -> None:
    metrics = json.loads((ddp_run / "metrics.json").read_text())
    assert metrics["dev"]["examples"] == metrics["test"]["examples"] == 8
    assert metrics["train"]["epochs"] == 3


def test_one_process_goes_on_evaluating_what_two_have_trained(ddp_run: Path, ink_run: Path) -> None:
    metrics = json.loads((ddp_run / "metrics.json").read_text())
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-test.jsonl")
    rates = evaluate(load(ddp_run), manifest).rates
    assert rates.to_json() == metrics["test"]
