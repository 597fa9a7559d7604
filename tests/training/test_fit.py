"""Resuming with a config that was changed by hand: refused, warned of, or taken without a word."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from tiny import Seqrec, tiny_options
from tiny_training import Scripted, noise, tiny_module, train

from seqrec.checkpoint import read_checkpoint
from seqrec.errors import UserError
from seqrec.run_folder import RunFolder
from seqrec.training.fit import _build_trainer, _read_last, checkpoints

BATCHES = [noise([9, 7], ["ab", "c"])]
EMA = "seqrec.training.averaged_weights.ExponentialAverage"


@pytest.fixture
def run(ink_run: Path, tmp_path: Path) -> RunFolder:
    """A run that was interrupted in the middle of an epoch."""
    run = RunFolder(shutil.copytree(ink_run, tmp_path / "run"))
    last = read_checkpoint(run.last)
    last["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"] = False
    torch.save(last, run.last)
    return run


@pytest.mark.parametrize(
    ("part", "changes", "warns"),
    [
        ("data", {}, False),
        ("data", {"num_workers": 2}, False),
        ("data", {"max_frames": 700}, True),
        ("optimizer", {"lr": 0.5}, False),
    ],
)
def test_other_batches_in_the_middle_of_an_epoch_are_warned_of(
    part: str, changes: dict[str, Any], warns: bool, run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    config = run.read_config()
    config[part].update(changes)
    _read_last(run, config)
    assert ("some examples come twice or not at all" in caplog.text) == warns


def test_between_epochs_batches_may_become_others(ink_run: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = RunFolder(ink_run).read_config()
    config["data"]["max_frames"] = 700
    _read_last(RunFolder(ink_run), config)
    assert not caplog.records


def test_another_encoder_is_refused(run: RunFolder) -> None:
    config = run.read_config()
    config["encoder"]["hidden_size"] += 1
    with pytest.raises(UserError, match=r"`encoder` is not what .*last\.ckpt was trained with; undo the change"):
        _read_last(run, config)


def test_batch_norm_over_devices_is_refused_without_gpus(ink_run: Path) -> None:
    config = RunFolder(ink_run).read_config()
    config["trainer"]["sync_batchnorm"] = True
    with pytest.raises(UserError, match=r"^trainer\.sync_batchnorm=true works on GPUs only.*sync_batchnorm=false$"):
        _build_trainer(config, RunFolder(ink_run), None)


def test_no_step_checkpoint_amid_accumulated_gradients(tmp_path: Path) -> None:
    saved = []

    class Saved(Callback):
        def on_save_checkpoint(self, trainer: Trainer, *_: Any) -> None:
            saved.append(trainer.fit_loop.epoch_loop.batch_progress.current.ready)

    steps = checkpoints(RunFolder(tmp_path), steps=1, best_by="dev_cer")[-1]
    train(
        tiny_module(), BATCHES * 4, Saved(), steps,
        max_epochs=3, accumulate_grad_batches=3, enable_checkpointing=True,
    )  # fmt: skip
    assert saved == [3, 3, 3]  # the first batch of an epoch has the global step of the last one before


@pytest.mark.parametrize(("best_by", "epoch"), [("dev_wer", 0), ("dev_cer", 1), ("dev_loss", 2), ("epoch", 3)])
def test_which_epoch_is_the_best(best_by: str, epoch: int, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    script = Scripted(dev_wer=(0.1, 0.5, 0.6, 0.7), dev_cer=(0.5, 0.2, 0.3, 0.4), dev_loss=(3.0, 2.0, 1.0, 2.0))
    train(script, BATCHES, *checkpoints(run, steps=100, best_by=best_by), max_epochs=4, enable_checkpointing=True)
    assert torch.load(run.best, weights_only=True)["epoch"] == epoch


def test_a_recipe_says_which_epoch_is_the_best(ink_run: Path, tmp_path: Path, seqrec: Seqrec) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=4", "best_by=epoch"]
    words += ["optimizer.lr=0.3", "schedule=constant"]  # so that the dev CER goes up and down
    assert seqrec("train", "synth/ink", *words, "score_test=false", f"hydra.run.dir={tmp_path / 'run'}").code == 0
    run = RunFolder(tmp_path / "run")
    with (run.path / "metrics.csv").open() as file:
        rates = [float(row["dev_cer"]) for row in csv.DictReader(file) if row["dev_cer"]]
    assert rates.index(min(rates)) < 3 == read_checkpoint(run.best)["epoch"]


@pytest.mark.parametrize(
    ("optimizer", "named"),
    [("torch.optim.AdamW", "callbacks=ema"), ("schedulefree.AdamWScheduleFree", "=schedule_free")],
)
def test_an_average_that_nothing_keeps_up_is_refused(optimizer: str, named: str, run: RunFolder) -> None:
    last = read_checkpoint(run.last)
    last["training_weights"] = last["state_dict"]
    last["seqrec"]["config"]["optimizer"] = {"_target_": optimizer}
    torch.save(last, run.last)
    config = run.read_config()
    with pytest.raises(UserError, match=f"nothing averages any more; put back what .*{named} brings"):
        _read_last(run, config)
    _read_last(run, {**config, "callbacks": {"ema": {"_target_": EMA}}})


def test_a_moved_run_keeps_its_better_checkpoint(run: RunFolder, seqrec: Seqrec) -> None:
    last = read_checkpoint(run.last)
    (name,) = (name for name in last["callbacks"] if "dev_cer" in name)
    state = last["callbacks"][name]
    assert not state["dirpath"].startswith(str(run.path))
    unbeaten = torch.tensor(-1.0)
    state.update(best_k_models=dict.fromkeys(state["best_k_models"], unbeaten), best_model_score=unbeaten)
    state["kth_value"] = unbeaten
    last["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"] = True
    torch.save(last, run.last)
    run.config.write_text(run.config.read_text().replace("max_epochs: 2", "max_epochs: 3"))
    run.metrics.unlink()
    best = run.best.read_bytes()
    assert seqrec("resume", run.path).code == 0
    assert run.best.read_bytes() == best
    after = read_checkpoint(run.last)
    assert after["seqrec"]["place"]["epoch"] == 2
    assert after["callbacks"][name]["best_model_path"] == str(run.best)
