"""Two processes over gloo: each example once an epoch, and the rates of the whole corpus as one process counts them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import SMALL_MODEL, Seqrec

from seqrec.checkpoint import read_checkpoint
from seqrec.cli.prepare import prepare_shown
from seqrec.cli.ranks import announced, check_ranks, is_first_rank, num_processes
from seqrec.corpora.prepare import PreparedCorpus
from seqrec.errors import UserError
from seqrec.evaluation import evaluate
from seqrec.transcriber import load

SECONDS = 300  # a hang is a failure
UNEVEN = ["corpus.num_train=61", "corpus.num_dev=9", "corpus.num_test=7", "corpus.num_writers=10"]  # odd numbers
DDP = ["trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu"]
COUNTS = {"train": 61, "dev": 9, "test": 7}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def words(data: Path, run: str, *more: str) -> list[str]:
    watch = f"+callbacks.watch={{_target_:watching.WatchExamples,path:{run}-seen}}"
    options = [*UNEVEN, *SMALL_MODEL, f"data_dir={data}", "data.max_examples=5", "augmentation=ink", watch]
    return ["train", "synth/ink", *options, "trainer.max_epochs=2", *more]


def start(folder: Path, *command: str) -> str:
    ours = {"SEQREC_PACKAGES": "watching", "PYTHONPATH": str(Path(__file__).parents[1])}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **ours}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder, capture_output=True, text=True, timeout=SECONDS, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def ddp_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ddp")
    said = start(folder, "seqrec", *words(data, "run", *DDP, "hydra.run.dir=run"))
    assert said.count("run folder:") == 1  # the second process keeps quiet
    return folder / "run"


@pytest.fixture(scope="module")
def torchrun_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with nothing prepared and no run folder given: torchrun's processes must agree."""
    folder = tmp_path_factory.mktemp("torchrun")
    launcher = ["torch.distributed.run", "--nproc_per_node=2", "--master_port=29517", "-m", "seqrec"]
    said = start(folder, *launcher, *words(folder / "data", "run", *DDP))
    assert said.count("run folder:") == said.count("written to") == 1
    assert "waiting" not in said  # for a corpus that another process prepares
    (run,) = (path for path in folder.glob("runs/synth/ink/*") if not path.is_symlink())
    return run


def seen(run: Path, split: str) -> list[list[tuple[int, str]]]:
    """Return (epoch, id) of the examples that each rank has met."""
    files = sorted(run.glob("rank-*.jsonl"))
    lines = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    return [[(one["epoch"], id) for one in rank if one["split"] == split for id in one["ids"]] for rank in lines]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["dev_cer"]]


@pytest.mark.parametrize("split", ["train", "dev"])
def test_each_example_comes_once_an_epoch_on_one_of_the_ranks(split: str, ddp_run: Path) -> None:
    first, second = seen(ddp_run.with_name("run-seen"), split)
    both = [*first, *second]
    assert len(both) == len(set(both)) == 2 * COUNTS[split]
    assert {epoch for epoch, _ in both} == {0, 1}
    assert len({id for _, id in both}) == COUNTS[split]


@pytest.mark.parametrize(
    "options",
    [["data.max_examples=1"], ["shards=shards"], ["augmentation=join_words"], ["shards=shards", "data.max_examples=1"]],
)
def test_other_uneven_shares_come_once_an_epoch_too(
    options: list[str], seqrec: Seqrec, data: Path, tmp_path: Path
) -> None:
    if "shards=shards" in options:
        assert seqrec("prepare", "synth/ink", *UNEVEN, f"data_dir={data}", "shards=shards", "shard_mb=0.1").code == 0
    start(tmp_path, "seqrec", *words(data, "run", *DDP, "score_test=false", *options))
    for split in ("train", "dev"):
        ranks = seen(tmp_path / "run-seen", split)
        both = [(epoch, id) for rank in ranks for epoch, line in rank for id in line.split("+")]
        assert len(ranks) == 2
        assert len(both) == len(set(both)) == 2 * COUNTS[split]
    steps = [len(file.read_text().splitlines()) for file in tmp_path.glob("run-seen/rank-*.jsonl")]
    assert steps[0] == steps[1]


def test_a_rank_that_halves_a_batch_meets_the_other_all_the_same(data: Path, tmp_path: Path) -> None:
    starve = "+callbacks.starve={_target_:watching.RunOutOfMemory,rank:1,limit:2,path:starved}"
    for run, more in (("whole", []), ("halved", [starve])):
        options = ["encoder.dropout=0", "score_test=false", f"hydra.run.dir={run}", *more]
        said = start(tmp_path, "seqrec", *words(data, run, *DDP, *options))
    assert "trying it in halves" in said
    assert (tmp_path / "starved").read_text().split() == ["0", "1"]
    whole, halved = (
        read_checkpoint(tmp_path / run / "checkpoints/last.ckpt")["state_dict"] for run in ("whole", "halved")
    )
    for name in whole:
        torch.testing.assert_close(whole[name], halved[name], rtol=1e-4, atol=1e-6)


def test_one_process_meets_the_same_examples(seqrec: Seqrec, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQREC_PACKAGES", "watching")
    assert seqrec(*words(data, "run", "hydra.run.dir=run")).code == 0
    (alone,) = seen(Path("run-seen"), "train")
    assert len(alone) == len(set(alone)) == 2 * COUNTS["train"]


def test_the_ranks_take_equally_many_steps(ddp_run: Path) -> None:
    steps = [len(file.read_text().splitlines()) for file in ddp_run.with_name("run-seen").glob("rank-*.jsonl")]
    assert len(set(steps)) == 1
    assert len(steps) == 2


def test_the_dev_rates_of_two_ranks_are_those_of_one_process(ddp_run: Path, data: Path) -> None:
    last = rows(ddp_run)[-1]
    (manifest,) = data.glob("synth_ink*/manifest-dev.jsonl")
    alone = evaluate(load(ddp_run / "checkpoints/last.ckpt"), manifest).rates
    assert float(last["dev_wer"]) == pytest.approx(alone.wer, abs=1e-7)
    assert float(last["dev_cer"]) == pytest.approx(alone.cer, abs=1e-7)


def test_the_same_weights_get_the_same_digits_from_one_rank_and_from_two(
    seqrec: Seqrec, ddp_run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQREC_PACKAGES", "watching")
    still = [f"init_from={ddp_run}", "optimizer.lr=0", "trainer.max_epochs=1", "augmentation=none"]
    assert seqrec(*words(data, "one", *still, "hydra.run.dir=one")).code == 0
    start(tmp_path, "seqrec", *words(data, "two", *still, *DDP, "hydra.run.dir=two"))
    one, two = (read_checkpoint(tmp_path / name / "checkpoints/last.ckpt")["state_dict"] for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    (alone,), (shared,) = rows(tmp_path / "one"), rows(tmp_path / "two")
    for rate in ("dev_wer", "dev_cer"):
        assert alone[rate] == shared[rate]
    scores = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("one", "two")]
    assert all(scores[0][split] == scores[1][split] for split in ("dev", "test"))


def test_the_final_scores_count_every_example_once(ddp_run: Path) -> None:
    metrics = json.loads((ddp_run / "metrics.json").read_text())
    assert (metrics["dev"]["examples"], metrics["test"]["examples"]) == (COUNTS["dev"], COUNTS["test"])
    assert metrics["train"]["epochs"] == 2


def test_one_process_goes_on_evaluating_what_two_have_trained(ddp_run: Path, data: Path) -> None:
    metrics = json.loads((ddp_run / "metrics.json").read_text())
    (manifest,) = data.glob("synth_ink*/manifest-test.jsonl")
    assert evaluate(load(ddp_run), manifest).rates.to_json() == metrics["test"]


def test_torchrun_gives_one_run_equal_to_lightnings_own(torchrun_run: Path, ddp_run: Path) -> None:
    ours, theirs = (read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"] for run in (torchrun_run, ddp_run))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert [row["dev_cer"] for row in rows(torchrun_run)] == [row["dev_cer"] for row in rows(ddp_run)]
    first, second = (json.loads((run / "metrics.json").read_text()) for run in (torchrun_run, ddp_run))
    assert first["test"] == second["test"]
    assert (torchrun_run / "config.yaml").is_file()


def torchrun_rank(monkeypatch: pytest.MonkeyPatch, rank: int, processes: int) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "RANK": rank, "LOCAL_RANK": 0, "WORLD_SIZE": processes}.items():
        monkeypatch.setenv(name, str(value))


def test_the_first_rank_is_one_over_all_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_first_rank()
    with monkeypatch.context() as slurm:
        slurm.setenv("SLURM_PROCID", "3")
        assert not is_first_rank()
    with monkeypatch.context() as lightning:
        lightning.setenv("NODE_RANK", "1")
        assert not is_first_rank()
    torchrun_rank(monkeypatch, rank=2, processes=4)  # LOCAL_RANK is 0 on the second machine too
    assert not is_first_rank()


@pytest.mark.parametrize(
    ("trainer", "count"),
    [({}, 1), ({"devices": 2, "num_nodes": 3}, 6), ({"devices": [0, 2]}, 2), ({"devices": "4"}, 4),
     ({"devices": "auto"}, None), ({"devices": -1}, None)],
)  # fmt: skip
def test_the_processes_a_trainer_asks_for(trainer: dict[str, object], count: int | None) -> None:
    assert num_processes(trainer) == count


def test_other_devices_than_torchrun_has_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_ranks({"devices": 1})
    torchrun_rank(monkeypatch, rank=0, processes=2)
    check_ranks({"devices": 2})
    with pytest.raises(UserError, match=r"started 2 processes, but trainer\.devices=1 .* ask for 1; give trainer=ddp"):
        check_ranks({"devices": 1})


def test_ranks_without_a_common_folder_say_how_to_give_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqrec.cli.ranks._WRITING_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"give all processes the same hydra\.run\.dir=PATH"):
        announced(tmp_path / "run", "environment.json")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/environment.json").write_text("{}")
    assert announced(tmp_path / "run", "environment.json") == tmp_path / "run"


def test_a_rank_of_slurm_waits_while_the_first_prepares(
    seqrec: Seqrec, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepared(config: dict[str, Any]) -> PreparedCorpus:
        """Return the corpus when the first rank has prepared it, and at once written its run folder."""
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run/environment.json").write_text("{}")
        return prepare_shown(config)

    trained = []
    monkeypatch.setattr("seqrec.cli.prepare.prepare_shown", prepared)
    monkeypatch.setattr("seqrec.cli.training_run.train_run", lambda config, run, *_, **__: trained.append(run.path))
    monkeypatch.setattr("seqrec.cli.ranks._WRITING_SECONDS", -1.0)
    monkeypatch.setenv("SLURM_PROCID", "1")
    done = seqrec(*words(data, "run", "hydra.run.dir=run"))
    assert done.code == 0, done.err
    assert trained == [tmp_path / "run"]
