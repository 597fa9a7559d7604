"""Sweeps: side by side with joblib, searching with Optuna, on SLURM; the table they end with."""

from __future__ import annotations

import csv
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from tiny import Outcome, Seqrec, tiny_options

from seqrec.cli.compose import register_plugins
from seqrec.cli.sweep import check_sweep
from seqrec.errors import UserError
from seqrec.share import share_folder

# Optuna 2, which the sweeper pins, was written for SQLAlchemy 1.
OF_OPTUNA = pytest.mark.filterwarnings("ignore:The ``declarative_base..`` function is now available")
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
PATIENCE_SECONDS = 300


def lines(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def scores(run: Path) -> dict[str, Any]:
    return json.loads((run / "metrics.json").read_text())


def logs(sweep: Path) -> list[str]:
    return [path.read_text() for path in sorted(sweep.glob("*/log.txt"))]


def two_at_a_time(seqrec: Seqrec, data: Path, sweep: Path, *words: str) -> Outcome:
    """Run a sweep whose corpus is locked until two of its jobs, and no other, wait to prepare it."""
    lock = FileLock(data.with_name(f".{data.name}.lock"), thread_local=False)
    data.parent.mkdir()
    lock.acquire()

    def release_when_two_wait() -> list[bool]:
        deadline, waiting = time.monotonic() + PATIENCE_SECONDS, []
        while sum(waiting) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            waiting = ["waiting for it" in log for log in logs(sweep)]
        lock.release()
        return waiting

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(release_when_two_wait)
        done = seqrec(*words, *JOBLIB, f"hydra.sweep.dir={sweep}")
    assert waiting.result() == [True, True]
    return done


@pytest.fixture
def data(ink_run: Path, tmp_path: Path) -> Path:
    """Where the corpus of `ink_run` would lie, prepared anew."""
    (prepared,) = (ink_run.parent / "data").glob("synth_ink*")
    return tmp_path / "data" / prepared.name


def assert_prepared_once(data: Path, sweep: Path) -> None:
    said = "".join(logs(sweep))
    assert said.count(f"written to {data}") == 1
    assert said.count(f"stands already in {data}") == len(logs(sweep)) - 1


def test_two_jobs_side_by_side_prepare_once_and_give_what_each_gives_alone(
    seqrec: Seqrec, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words = ["train", "synth/ink", *tiny_options("synth/ink", data.parent), "trainer.max_epochs=1"]
    done = two_at_a_time(seqrec, data, tmp_path / "sweep", *words, "-m", "encoder.stack_stride=0,2,4")
    assert done.code == 2
    assert_prepared_once(data, tmp_path / "sweep")
    assert "1 of 3 jobs failed: job 0 (" in " ".join(done.err.split())
    assert "stack_stride=0: need 1 <= stack_stride" in " ".join(done.err.split())
    table = lines(tmp_path / "sweep")
    assert [line["encoder.stack_stride"] for line in table] == ["0", "2", "4"]
    assert "stack_stride" in table[0]["failure"]
    assert seqrec(*words, "encoder.stack_stride=2", "hydra.run.dir=alone").code == 0
    assert float(table[1]["dev_cer"]) == scores(tmp_path / "alone")["dev"]["cer"]
    assert scores(tmp_path / "sweep/1")["dev"] == scores(tmp_path / "alone")["dev"]
    assert "run folder:" in (tmp_path / "sweep/1/log.txt").read_text()
    assert "run folder:" not in done.err  # two jobs would talk at once
    environment = json.loads((tmp_path / "sweep/1/environment.json").read_text())
    assert environment["machine"]["threads"] == 1
    assert environment["command"] == sys.argv  # of the sweep, not of joblib's worker


@OF_OPTUNA
def test_optuna_makes_the_dev_cer_small(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1", "score_test=false"]
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1", "hydra.sweep.dir=sweep"]
    search += ["hydra.sweeper.sampler.seed=1", "optimizer.lr=tag(log,interval(1e-4,1e-2))"]
    done = seqrec("train", "synth/ink", *options, "-m", *search)
    assert done.code == 0, done.err
    found = yaml.safe_load((tmp_path / "sweep/optimization_results.yaml").read_text())
    table = lines(tmp_path / "sweep")
    assert len({line["optimizer.lr"] for line in table}) == len(table) == 3
    best = min(table, key=lambda line: float(line["dev_cer"]))
    assert found["best_value"] == float(best["dev_cer"])
    assert found["best_params"]["optimizer.lr"] == pytest.approx(float(best["optimizer.lr"]))
    assert "test_cer" not in table[0]


@OF_OPTUNA
def test_optuna_with_two_trials_at_a_time(seqrec: Seqrec, data: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", data.parent), "trainer.max_epochs=1", "score_test=false"]
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=2"]
    search += ["hydra.sweeper.sampler.seed=1", "optimizer.lr=tag(log,interval(1e-4,1e-2))"]
    sweep = tmp_path / "sweep"
    done = two_at_a_time(seqrec, data, sweep, "train", "synth/ink", *options, "-m", *search)
    assert done.code == 0, done.err
    assert_prepared_once(data, sweep)
    table = lines(sweep)
    assert [line["folder"] for line in table] == ["0", "1", "2"]
    assert len({line["optimizer.lr"] for line in table}) == 3
    for line in table:
        config = yaml.safe_load((sweep / line["folder"] / "config.yaml").read_text())
        assert config["optimizer"]["lr"] == pytest.approx(float(line["optimizer.lr"]))
        assert scores(sweep / line["folder"])["dev"]["cer"] == float(line["dev_cer"])
    found = yaml.safe_load((sweep / "optimization_results.yaml").read_text())
    assert found["best_value"] == min(float(line["dev_cer"]) for line in table)


@OF_OPTUNA
def test_a_search_whose_jobs_all_fail_names_them(seqrec: Seqrec, ink_run: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "hydra/sweeper=optuna", "hydra.sweeper.n_trials=1"]
    done = seqrec("train", "synth/ink", *options, "-m", "hydra.sweeper.n_jobs=1", "encoder.stack_stride=interval(-3,0)")
    assert done.code == 2
    assert "1 of 1 jobs failed: job 0" in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_a_sweep_ends_with_a_table_of_what_differs(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1", "hydra.sweep.dir=sweep"]
    done = seqrec("train", "-m", "synth/ink", "encoder.stack_stride=2,4", "seed=3", *options)
    assert done.code == 0, done.err
    table = lines(tmp_path / "sweep")
    assert list(table[0]) == [
        "job", "encoder.stack_stride", "dev_wer", "dev_cer", "test_wer", "test_cer", "seconds", "epochs", "folder",
    ]  # fmt: skip
    for line in table:
        run = scores(tmp_path / "sweep" / line["folder"])
        for split in ("dev", "test"):
            assert float(line[f"{split}_cer"]) == run[split]["cer"]
            assert float(line[f"{split}_wer"]) == run[split]["wer"]
        assert float(line["seconds"]) == run["train"]["seconds"]
    assert "│ stack_stride │" in done.err.replace("┃", "│")


@pytest.mark.parametrize("devices", ["2", "[0,1]", "auto", "-1"])
def test_several_devices_in_a_sweep_are_refused(devices: str, seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), f"trainer.devices={devices}", "seed=1,2"]
    done = seqrec("train", "synth/ink", *options, "-m", "trainer=ddp", "hydra.sweep.dir=sweep")
    assert done.code == 2
    said = " ".join(done.err.split())
    assert "2 of 2 jobs failed" in said
    assert "sweep with trainer.devices=1, or on SLURM with hydra/launcher=submitit_slurm" in said
    assert not list(tmp_path.glob("sweep/*/config.yaml"))


def test_several_devices_beside_joblib_are_refused(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer=ddp", *JOBLIB]
    options += [f"hydra.sweep.dir={tmp_path}/sweep"]  # joblib's workers may stand in the folder of an earlier test
    done = seqrec("train", "synth/ink", *options, "-m", "seed=1,2")
    assert done.code == 2
    assert "sweep with trainer.devices=1" in " ".join(done.err.split())
    assert not list(tmp_path.glob("sweep/*/config.yaml"))


def compose_sweep(*overrides: str) -> Any:
    """Compose a sweep's config as Hydra does for `-m`, with `hydra` in it."""
    register_plugins()
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra_file_or_module(None, None, str(share_folder("recipes")), "test")
    try:
        return hydra.compose_config("synth/ink", list(overrides), RunMode.MULTIRUN, with_log_configuration=False)
    finally:
        GlobalHydra.instance().clear()


def test_slurm_composes() -> None:
    config = compose_sweep(
        "hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "hydra.launcher.tasks_per_node=4",
        "hydra.launcher.gpus_per_node=4", "trainer=ddp", "trainer.devices=4", "seed=1",
    )  # fmt: skip
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=None,
        task_function=lambda config: None,
        config=config,  # type: ignore[arg-type]
    )
    assert type(launcher).__name__ == "SlurmLauncher"
    assert launcher.params["partition"] == "gpu"
    assert launcher.params["tasks_per_node"] == config.trainer.devices == 4


def check_on_slurm(*overrides: str) -> None:
    """Ask whether a job of a SLURM sweep on 2 nodes of 4 devices may train."""
    devices = ("trainer=ddp", "trainer.devices=4", "trainer.num_nodes=2")
    config = compose_sweep("hydra.mode=MULTIRUN", "hydra/launcher=submitit_slurm", *devices, *overrides)
    about = HydraConfig.instance()
    before = about.cfg
    about.set_config(config)
    try:
        check_sweep(config.trainer)
    finally:
        about.cfg = before


def test_slurm_that_starts_a_process_for_each_device_is_taken() -> None:
    check_on_slurm("hydra.launcher.tasks_per_node=4", "hydra.launcher.nodes=2")


@pytest.mark.parametrize(("tasks", "nodes"), [(1, 2), (4, 1)])
def test_slurm_that_starts_other_processes_is_refused(tasks: int, nodes: int) -> None:
    said = f"trainer.devices=4 trainer.num_nodes=2, but SLURM starts {tasks} tasks on each of {nodes} nodes"
    with pytest.raises(UserError, match=said):
        check_on_slurm(f"hydra.launcher.tasks_per_node={tasks}", f"hydra.launcher.nodes={nodes}")


def test_jobs_that_leave_nothing_here_are_no_success(
    seqrec: Seqrec, ink_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqrec.cli.compose.record_job", lambda *_: None)  # as a machine that shares no disk
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "encoder.stack_stride=0", "hydra.sweep.dir=sweep"]
    done = seqrec("train", "synth/ink", *options, "-m")
    assert done.code == 2
    assert "that all machines share" in " ".join(done.err.split())


def test_a_launcher_that_is_not_there() -> None:
    with pytest.raises(ConfigCompositionException):
        compose_sweep("hydra/launcher=cloud")


def test_submitit_runs_a_job_as_slurm_would(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1", "score_test=false"]
    done = seqrec("train", "synth/ink", *options, "-m", "hydra/launcher=submitit_local", "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    assert len(lines(tmp_path / "sweep")) == 1


def test_no_test_score_is_computed_when_it_is_not_wanted(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1", "hydra.run.dir=run"]
    done = seqrec("train", "synth/ink", *options, "score_test=false")
    assert done.code == 0, done.err
    assert set(scores(tmp_path / "run")) == {"dev", "train"}
    assert [path.name for path in (tmp_path / "run/evaluation").iterdir()] == ["dev-greedy"]
    assert "│ dev" in done.err
    assert "│ test" not in done.err.partition("run folder:")[2]
