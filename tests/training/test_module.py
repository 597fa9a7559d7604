"""What happens inside a step, on a tiny recogniser without a Trainer's help where it can be done without."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import Seqrec, tiny_options

from seqrec.checkpoint import read_checkpoint
from seqrec.evaluation import evaluate
from seqrec.transcriber import load


@pytest.mark.parametrize(
    "option", ["trainer.precision=bf16-mixed", "data.num_workers=1", "trainer.accumulate_grad_batches=2"]
)
def test_trainings_of_other_kinds_end(option: str, seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=2"]
    prefix = "" if option.startswith("data") else "+"
    outcome = seqrec("train", "synth/ink", *words, prefix + option, f"hydra.run.dir={tmp_path}/run")
    assert outcome.code == 0, outcome.err
    weights = read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["state_dict"]
    assert all(weight.isfinite().all() for weight in weights.values())


def test_workers_change_nothing(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=2", "data.num_workers=2"]
    assert seqrec("train", "synth/ink", *words, f"hydra.run.dir={tmp_path}/run").code == 0
    first, second = (
        read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"] for run in (ink_run, tmp_path / "run")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_best_checkpoint_has_the_least_dev_cer(ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-dev.jsonl")
    best, last = (evaluate(load(ink_run / f"checkpoints/{name}.ckpt"), manifest).rates.cer for name in ("best", "last"))
    assert best <= last


@pytest.mark.parametrize("max_frames", [300, 5000])
def test_evaluation_does_not_depend_on_the_batches(max_frames: int, ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-train.jsonl")
    transcriber = load(ink_run)
    found = evaluate(transcriber, manifest, max_frames=max_frames)
    alone = evaluate(transcriber, manifest, max_examples=1)
    assert found.hypotheses == alone.hypotheses
    assert found.rates == alone.rates
