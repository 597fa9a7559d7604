"""Law 4 for what training keeps besides weights: interrupted in the middle of an epoch and resumed, the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import Seqrec, logged, tiny_options

from seqrec.checkpoint import read_checkpoint
from seqrec.training.module import RecognitionTraining

STATES = {
    "averages": [
        "callbacks=[ema,early_stopping,checkpoint_averaging]",
        "callbacks.ema.decay=0.9",
        "schedule=plateau",
        "schedule.patience=0",
        "schedule.warmup_steps=5",
        "optimizer=sgd",
        "trainer.accumulate_grad_batches=3",
    ],
    "schedule_free": [
        "optimizer=schedule_free",
        "optimizer.warmup_steps=5",
        "schedule=constant",
        "encoder.num_layers=2",
        "encoder.dropout=0.3",
        "ctc.intermediate_layer=1",
        "trainer.precision=bf16-mixed",
    ],
}


def check_equal(first: Any, second: Any) -> None:
    """Compare the plain data and tensors of two checkpoints, bit for bit."""
    assert type(first) is type(second)
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            check_equal(first[key], second[key])
    elif isinstance(first, (list, tuple)):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            check_equal(one, other)
    else:
        assert first == second


@pytest.mark.parametrize("state", STATES)
def test_interrupted_and_resumed(
    state: str,
    seqrec: Seqrec,
    ink_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = ["train", "synth/ink", *tiny_options("synth/ink", ink_run.parent / "data"), *STATES[state]]
    words += ["trainer.max_epochs=3", "data.max_frames=1000", "checkpoint_steps=2", "trainer.log_every_n_steps=1"]
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    assert seqrec(*words, f"hydra.run.dir={whole}").code == 0

    def interrupt(self: RecognitionTraining) -> None:
        if (self.current_epoch, self._batches_done) == (1, 9):
            raise KeyboardInterrupt
        original(self)

    original = RecognitionTraining.on_after_backward
    with monkeypatch.context() as patch:
        patch.setattr(RecognitionTraining, "on_after_backward", interrupt)
        assert seqrec(*words, f"hydra.run.dir={parted}").code == 2
    last = read_checkpoint(parted / "checkpoints/last.ckpt")
    assert not last["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]
    outcome = seqrec("resume", parted)
    assert outcome.code == 0, outcome.err

    assert logged(parted) == logged(whole)
    for name in ("best", "last"):
        one, other = (read_checkpoint(run / f"checkpoints/{name}.ckpt") for run in (whole, parted))
        for key in one.keys() & {"state_dict", "training_weights", "optimizer_states", "schedule"}:
            check_equal(one[key], other[key])
        named = [key for key in one.get("callbacks", {}) if not key.startswith(("ModelCheckpoint", "_Step", "Check"))]
        check_equal([one["callbacks"][key] for key in named], [other["callbacks"][key] for key in named])
    files = [sorted(path.name for path in (run / "checkpoints").iterdir()) for run in (whole, parted)]
    assert files[0] == files[1]
    if state == "averages":
        assert "averaged.ckpt" in files[0]
        means = [read_checkpoint(run / "checkpoints/averaged.ckpt")["state_dict"] for run in (whole, parted)]
        check_equal(*means)
        assert "best.ckpt now holds the mean" in caplog.text or "best.ckpt stays" in caplog.text
