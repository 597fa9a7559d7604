"""Loggers beside metrics.csv: several at once, W&B and MLflow on this machine alone, and what is said without them."""

from __future__ import annotations

import csv
import importlib.util
import sqlite3
from pathlib import Path

import pytest
from tiny import TINY, Seqrec

from seqrec.cli import train

MODEL = ["encoder.hidden_size=12", "encoder.num_layers=1", "data.max_frames=1500", "trainer.max_epochs=1"]
OF_MLFLOW = pytest.mark.filterwarnings(  # of MLflow 3 with SQLAlchemy 2.1 and with Pydantic
    "ignore:The ``noload`` loader strategy is deprecated", "ignore:.*is deprecated:DeprecationWarning:mlflow"
)


def logged(seqrec: Seqrec, ink_run: Path, *words: str) -> None:
    options = [*TINY["synth/ink"], *MODEL, f"data_dir={ink_run.parent}/data", "hydra.run.dir=run"]
    done = seqrec("train", "synth/ink", *options, "score_test=false", "trainer.log_every_n_steps=1", *words)
    assert done.code == 0, done.err


def last_dev_cer() -> float:
    with Path("run/metrics.csv").open() as file:
        return [float(row["dev_cer"]) for row in csv.DictReader(file) if row["dev_cer"]][-1]


def test_wandb_offline_beside_tensorboard(seqrec: Seqrec, ink_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    ended = []

    def finish() -> None:
        ended.append(
            (wandb.run.config["encoder"]["hidden_size"], wandb.run.summary["dev_cer"], wandb.run.settings.mode)
        )
        original()

    original = wandb.finish
    monkeypatch.setattr(wandb, "finish", finish)
    logged(seqrec, ink_run, "logger=[tensorboard,wandb]")
    assert ended == [(12, pytest.approx(last_dev_cer()), "offline")]
    assert wandb.run is None  # the next run of this process is another
    assert list(Path("run/tensorboard").glob("events*"))
    (log,) = Path("run/wandb").glob("offline-run-*/run-*.wandb")
    assert log.stat().st_size > 0


@OF_MLFLOW
def test_mlflow_in_a_file(seqrec: Seqrec, ink_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{Path.cwd()}/mlflow.db")  # MLflow keeps a store by its URI
    logged(seqrec, ink_run, "logger=mlflow")
    with sqlite3.connect("mlflow.db") as database:
        ((cer,),) = database.execute("SELECT value FROM metrics WHERE key = 'dev_cer'").fetchall()
        ((size,),) = database.execute("SELECT value FROM params WHERE key = 'encoder/hidden_size'").fetchall()
    assert cer == pytest.approx(last_dev_cer())
    assert size == "12"


def test_null_leaves_a_logger_out(seqrec: Seqrec, ink_run: Path) -> None:
    logged(seqrec, ink_run, "logger.tensorboard=null")
    assert Path("run/metrics.csv").is_file()
    assert not Path("run/tensorboard").exists()


@pytest.mark.parametrize("package", ["wandb", "mlflow"])
def test_a_logger_whose_package_is_missing(
    package: str, seqrec: Seqrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "find_spec", lambda name: None if name == package else importlib.util.find_spec(name))
    done = seqrec("train", "synth/ink", f"logger={package}", f"data_dir={tmp_path}/data")
    assert done.code == 2
    assert f"logger={package} needs the package {package}; pip install 'seqrec[{package}]'" in " ".join(
        done.err.split()
    )
    assert not (tmp_path / "data").exists()
