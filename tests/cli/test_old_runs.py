"""Runs of earlier versions are evaluated, transcribed with, started from and resumed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tiny import Seqrec, assert_one_sentence, tiny_options

from seqrec.checkpoint import KEY, read_checkpoint

# As a run of the tiny synth/ink had it written before there was augmentation, but for data_dir.
OLD = """
corpus: {_target_: seqrec.corpora.synth.synth_ink.SynthInk, num_train: 60, num_dev: 8, num_test: 8, num_writers: 10,
  seed: 0}
reader: {_target_: seqrec.ink.reader.InkReader}
frontend: {_target_: seqrec.ink.deltas.StrokeDeltas, step: 0.05, time: true, normalize: global, distortion: 0.0}
encoder: {_target_: seqrec.encoders.lstm.LSTMEncoder, hidden_size: 12, num_layers: 1, bidirectional: true,
  dropout: 0.1, stack_size: 4, stack_stride: 4}
text: {_target_: seqrec.text.tokens.CharacterTokenizer, symbols: [], unknown: error, unicode_form: NFC, case: keep}
ctc: {_target_: seqrec.ctc.loss.CTCLoss, infeasible: error}
decoder: {_target_: seqrec.ctc.greedy.GreedyDecoder}
optimizer: {_target_: torch.optim.AdamW, lr: 0.003, betas: [0.9, 0.98], weight_decay: 0.01}
schedule: {_target_: seqrec.training.schedule.WarmupCosine, warmup: 0.1, start: 0.05, end: 0.01}
data: {_target_: seqrec.data.datamodule.SequenceDataModule, max_frames: 1500, max_examples: 64, jitter: 0.2,
  num_workers: 0, cache_shards: 8}
trainer: {_target_: lightning.pytorch.Trainer, accelerator: cpu, devices: 1, max_epochs: 3, gradient_clip_val: 5.0,
  log_every_n_steps: 10}
logger: {}
recipe: synth/ink
seed: 0
checkpoint_steps: 1000
shards: null
shard_mb: 256
"""


def old_run(ink_run: Path, folder: Path, distortion: float = 0.0) -> Path:
    """A copy of `ink_run` as the old version would have left it, interrupted after two epochs of three."""
    config = {**yaml.safe_load(OLD), "data_dir": str(ink_run.parent / "data")}
    config["frontend"]["distortion"] = distortion
    run = interrupted(ink_run, folder, config)
    for path in (run / "checkpoints").iterdir():
        checkpoint = torch.load(path, weights_only=True)
        checkpoint[KEY]["config"] = config
        torch.save(checkpoint, path)
    return run


def interrupted(ink_run: Path, folder: Path, config: dict[str, Any]) -> Path:
    run = Path(shutil.copytree(ink_run, folder))
    (run / "metrics.json").unlink()
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return run


@pytest.mark.parametrize("distortion", [0.0, 0.1])
def test_an_old_run_recognises(distortion: float, seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    run = old_run(ink_run, tmp_path / "old", distortion)
    shutil.rmtree(run / "evaluation")
    done = seqrec("evaluate", run)
    assert done.code == 0, done.err
    hypotheses = "evaluation/test-greedy/hypotheses.jsonl"
    assert (run / hypotheses).read_text() == (ink_run / hypotheses).read_text()
    (tmp_path / "a.json").write_text('{"strokes": [[[0, 0], [0, 9]]]}')
    assert seqrec("transcribe", run, "a.json").out == seqrec("transcribe", ink_run, "a.json").out


def test_a_run_starts_from_an_old_one(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    run = old_run(ink_run, tmp_path / "old", 0.1)
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1", f"init_from={run}"]
    done = seqrec("train", "synth/ink", *options)
    assert done.code == 0, done.err
    assert "started from" in done.err
    assert "the front-end is another" not in done.err


def test_an_old_run_is_resumed_to_the_same_end(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    config = yaml.safe_load((ink_run / "config.yaml").read_text())
    config["trainer"]["max_epochs"] = 3
    runs = old_run(ink_run, tmp_path / "old"), interrupted(ink_run, tmp_path / "new", config)
    for run in runs:
        done = seqrec("resume", run)
        assert done.code == 0, done.err
    old, new = (read_checkpoint(run / "checkpoints/last.ckpt") for run in runs)
    assert old["epoch"] == new["epoch"] == 2
    assert all(torch.equal(weight, new["state_dict"][name]) for name, weight in old["state_dict"].items())


def test_a_run_that_distorted_its_ink_is_not_resumed(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    run = old_run(ink_run, tmp_path / "old", 0.1)
    assert_one_sentence(seqrec("resume", run), "frontend.distortion=0.1", "augmentation=ink_linear")
