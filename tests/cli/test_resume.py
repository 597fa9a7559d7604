"""Law 4: killed at any step and resumed, a run ends with the weights of the run never interrupted, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tiny import Seqrec, logged, tiny_options

from seqrec.checkpoint import read_checkpoint

PATIENCE_SECONDS = 300
HOOKS = ("on_train_batch_start", "on_before_optimizer_step", "on_train_batch_end")
CHECKPOINT_STEPS = 3
EVERYTHING = [  # that draws or remembers: augmentation, dropout, EMA, schedule; batches mix anew each epoch
    "callbacks=ema",
    "schedule=warmup_cosine",
    "encoder.dropout=0.3",
    "trainer.max_epochs=4",
    "data.max_examples=6",
    f"checkpoint_steps={CHECKPOINT_STEPS}",
    "score_test=false",
]
AUGMENTATION = {
    "synth/ink": "augmentation=[ink,ink_jitter,ink_stroke_drop]",
    "synth/speech": "augmentation=[speech,white_noise]",
}


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


def state(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    """The weights that are scored, and where an average is, the weights in training."""
    last = read_checkpoint(run / "checkpoints/last.ckpt")
    return {key: last[key] for key in ("state_dict", "training_weights") if key in last}


def is_mid_epoch(run: Path) -> bool:
    """Whether a killed run goes on in the middle of an epoch."""
    last = run / "checkpoints/last.ckpt"
    return (
        last.is_file() and not read_checkpoint(last)["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]
    )


def choose_batches(run: Path, choose: random.Random) -> list[int]:
    """Choose three of a run's batches: two behind a checkpoint in the middle of their epoch, one that is not."""
    epochs = [row["epoch"] for row in logged(run) if row["train_loss"]]  # of each batch
    middles = [k for k, epoch in enumerate(epochs) if k // CHECKPOINT_STEPS * CHECKPOINT_STEPS > epochs.index(epoch)]
    others = sorted(set(range(len(epochs))) - set(middles))
    return [*choose.sample(middles, 2), choose.choice(others)]


def assert_the_same(found: Path, expected: Path) -> None:
    weights, others = state(expected), state(found)
    assert weights.keys() == others.keys()
    for key, tensors in weights.items():
        assert tensors.keys() == others[key].keys()
        assert all(torch.equal(tensors[name], others[key][name]) for name in tensors)
    assert logged(found) == logged(expected)


def scores(run: Path) -> dict[str, object]:
    return json.loads((run / "metrics.json").read_text())["dev"]


def words(recipe: str, data: Path) -> list[str]:
    callback = "+callbacks.kill_at={_target_:killing.KillAt,path:kill.json}"
    log_all = ["trainer.log_every_n_steps=1", "hydra.run.dir=run", callback]
    return ["train", recipe, *tiny_options(recipe, data), *EVERYTHING, AUGMENTATION[recipe], *log_all]


@pytest.mark.parametrize("recipe", ["synth/ink", "synth/speech"])
def test_killed_at_three_random_batches(
    recipe: str, seqrec: Seqrec, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQREC_PACKAGES", "killing")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    run: Path = request.getfixturevalue("ink_run" if recipe == "synth/ink" else "speech_run")
    data = run.parent / "data"
    done = seqrec(*words(recipe, data))
    assert done.code == 0, done.err
    whole = tmp_path / "run"
    assert state(whole).keys() == {"state_dict", "training_weights"}
    choose, killed = random.Random(recipe), {}
    for batch, hook in zip(choose_batches(whole, choose), choose.sample(HOOKS, 3), strict=True):
        folder = tmp_path / f"killed-in-{batch}"
        folder.mkdir()
        step = batch + (hook == "on_train_batch_end")
        (folder / "kill.json").write_text(json.dumps({"hook": hook, "step": step}))
        killed[folder] = start(folder, words(recipe, data))
    mid_epoch = []
    for folder, process in killed.items():
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == -signal.SIGKILL, said
        (folder / "kill.json").unlink()
        mid_epoch.append(is_mid_epoch(folder / "run"))
        monkeypatch.chdir(folder)
        assert seqrec("resume", folder / "run").code == 0
        assert_the_same(folder / "run", whole)
        assert scores(folder / "run") == scores(whole)
    assert mid_epoch == [True, True, False]


def test_killed_from_outside_whenever_it_is(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    data, whole, killed = ink_run.parent / "data", tmp_path / "whole", tmp_path / "killed"
    options = ["train", "synth/ink", *tiny_options("synth/ink", data), *EVERYTHING, AUGMENTATION["synth/ink"]]
    options += ["trainer.max_epochs=15", "checkpoint_steps=2"]
    assert seqrec(*options, f"hydra.run.dir={whole}").code == 0
    process = start(tmp_path, [*options, f"hydra.run.dir={killed}"])
    wait_for(killed / "checkpoints/last.ckpt", process)
    time.sleep(random.Random().uniform(0, 0.3))
    process.kill()
    process.communicate()
    step = read_checkpoint(killed / "checkpoints/last.ckpt")["global_step"]
    assert 0 < step < read_checkpoint(whole / "checkpoints/last.ckpt")["global_step"]
    assert seqrec("resume", killed).code == 0
    assert_the_same(killed, whole)


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(ink_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["train", "synth/ink", *tiny_options("synth/ink", ink_run.parent / "data"), f"hydra.run.dir={run}"]
    words += ["checkpoint_steps=1", "trainer.max_epochs=500"]
    process = start(tmp_path, words)
    wait_for(run / "checkpoints/last.ckpt", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2, err
    assert f"seqrec resume {run}" in err
    assert "Traceback" not in err
    read_checkpoint(run / "checkpoints/last.ckpt")


def test_a_run_that_has_ended_says_how_to_train_longer(seqrec: Seqrec, ink_run: Path) -> None:
    done = seqrec("resume", ink_run)
    assert done.code == 2
    assert f"train longer with `seqrec train RECIPE init_from={ink_run}`" in " ".join(done.err.split())
