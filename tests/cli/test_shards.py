"""`seqrec prepare RECIPE shards=...` and training from there: the whole way, resumed in the middle of an epoch too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from shard_server import Server, serve
from tiny import SMALL_MODEL, Seqrec, logged, tiny_options

from seqrec.checkpoint import read_checkpoint

PATIENCE_SECONDS = 120
OPTIONS = [*SMALL_MODEL, "trainer.max_epochs=6", "encoder.dropout=0.3", "data.cache_shards=4"]


@pytest.fixture(scope="module")
def shards(ink_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of `ink_run` as shards, written by the verb."""
    from seqrec.cli.main import main

    address = tmp_path_factory.mktemp("sharded") / "shards"
    main(
        [
            "prepare",
            "synth/ink",
            *tiny_options("synth/ink", ink_run.parent / "data"),
            f"shards={address}",
            "shard_mb=0.1",
        ]
    )
    assert len(list(address.glob("train-*.tar"))) > 3
    return address


@pytest.fixture(scope="module")
def server(shards: Path) -> Iterator[Server]:
    with serve(shards) as server:
        yield server


def words(server: Server, folder: Path, run: str) -> list[str]:
    places = [f"shards={server.address}", f"data_dir={folder}/{run}-data", f"hydra.run.dir={folder}/{run}"]
    kill = f"+callbacks.kill_at={{_target_:killing.KillAt,path:{folder}/kill.json}}"
    return ["train", "synth/ink", *OPTIONS, *places, "checkpoint_steps=1", "trainer.log_every_n_steps=1", kill]


def kill_at(step: int, words: list[str], folder: Path) -> None:
    at = folder / "kill.json"
    at.write_text(json.dumps({"hook": "on_train_batch_start", "step": step}))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "seqrec", *words]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == -signal.SIGKILL, said
    at.unlink()


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"]


def test_killed_in_the_middle_of_an_epoch_and_resumed(
    seqrec: Seqrec, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQREC_PACKAGES", "killing")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    done = seqrec(*words(server, tmp_path, "whole"))
    assert done.code == 0, done.err
    epochs = [row["epoch"] for row in logged(tmp_path / "whole") if row["train_loss"]]  # of each batch
    step = epochs.index("3") + 2
    kill_at(step, words(server, tmp_path, "killed"), tmp_path)
    last = read_checkpoint(tmp_path / "killed/checkpoints/last.ckpt")
    assert last["global_step"] == step
    assert not last["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"]
    assert seqrec("resume", tmp_path / "killed").code == 0
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    metrics = [(tmp_path / run / "evaluation/test-greedy/hypotheses.jsonl").read_text() for run in ("whole", "killed")]
    assert metrics[0] == metrics[1]


def test_evaluating_shards_gives_the_scores_of_the_files(
    seqrec: Seqrec, ink_run: Path, shards: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(ink_run, tmp_path / "run")
    assert seqrec("evaluate", run, f"manifest={shards / 'manifest-test.jsonl'}").code == 0
    (report,) = run.glob("evaluation/manifest-test-*/hypotheses.jsonl")
    assert report.read_text() == (run / "evaluation/test-greedy/hypotheses.jsonl").read_text()


def test_preparing_says_what_stands_already(seqrec: Seqrec, ink_run: Path, shards: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    done = seqrec("prepare", "synth/ink", *options, f"shards={shards}", "shard_mb=0.1")
    assert done.code == 0
    assert "stands already as shards in" in done.err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("shards=nowhere", "holds no complete shards; write them with `seqrec prepare RECIPE shards="),
        ("shards=3", "shards=3 is neither a folder nor a URL"),
        ("shard_mb=0", "shard_mb=0 is not a number above 0"),
    ],
)
def test_mistakes(option: str, message: str, seqrec: Seqrec) -> None:
    done = seqrec("train", "synth/ink", option)
    assert done.code == 2
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err
