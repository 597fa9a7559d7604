from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from tiny import SMALL_MODEL, TINY, Seqrec, assert_one_sentence, logged, tiny_options

from seqrec.checkpoint import read_checkpoint
from seqrec.run_folder import RunFolder, git_state
from seqrec.share import PACKAGE
from seqrec.text.tokens import read_tokens
from seqrec.training.module import RecognitionTraining


def test_a_run_folder_is_complete(ink_run: Path) -> None:
    names = {path.relative_to(ink_run).as_posix() for path in ink_run.rglob("*") if path.is_file()}
    assert names >= {
        "config.yaml", "tokens.json", "environment.json", "metrics.csv", "metrics.json",
        "checkpoints/best.ckpt", "checkpoints/last.ckpt",
        "evaluation/dev-greedy/report.json", "evaluation/dev-greedy/hypotheses.jsonl",
        "evaluation/test-greedy/report.json", "evaluation/test-greedy/hypotheses.jsonl",
    }  # fmt: skip


def test_metrics_are_fractions_with_their_counts(ink_run: Path) -> None:
    metrics = json.loads((ink_run / "metrics.json").read_text())
    test = metrics["test"]
    assert test["examples"] == 8
    errors = test["substitutions"] + test["insertions"] + test["deletions"]
    assert test["wer"] == pytest.approx(errors / test["words"])
    assert metrics["train"]["epochs"] == 2
    report = json.loads((ink_run / "evaluation/test-greedy/report.json").read_text())
    assert {key: report[key] for key in test} == test


def test_the_environment_says_where_numbers_come_from(ink_run: Path) -> None:
    environment = json.loads((ink_run / "environment.json").read_text())
    assert environment["seed"] == 0
    assert environment["versions"]["torch"] == torch.__version__
    assert environment["machine"]["processor"]
    assert environment["machine"]["threads"] == torch.get_num_threads()
    assert {"seqrec", "lightning", "hydra-core", "numpy"} <= environment["versions"].keys()
    assert {"date", "command", "python", "git"} <= environment.keys()


def test_the_environment_names_the_commit_of_the_checkout(tmp_path: Path) -> None:
    state = git_state(PACKAGE.parent)
    if state is None:
        pytest.skip("seqrec lies in no git checkout")
    run = RunFolder(tmp_path)
    run.write_environment(0, [])
    assert json.loads(run.environment.read_text())["git"] == state


def test_the_config_spells_every_default_out(ink_run: Path) -> None:
    config = yaml.safe_load((ink_run / "config.yaml").read_text())
    assert config["frontend"]["step"] == 0.05
    assert config["encoder"]["bidirectional"] is True
    assert Path(config["data_dir"]).is_absolute()


def test_the_alphabet_is_of_the_training_text(ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-train.jsonl")
    texts = [json.loads(line)["text"] for line in manifest.read_text().splitlines()]
    assert set(read_tokens(ink_run / "tokens.json")) == set("".join(texts))


@pytest.mark.parametrize(
    ("recipe", "augmentation"), [("synth/ink", "[ink,ink_jitter]"), ("synth/speech", "[speech,white_noise]")]
)
def test_the_seed_alone_decides_on_a_run(
    recipe: str, augmentation: str, seqrec: Seqrec, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run: Path = request.getfixturevalue("ink_run" if recipe == "synth/ink" else "speech_run")
    options = [*tiny_options(recipe, run.parent / "data"), "trainer.max_epochs=2", "encoder.dropout=0.2"]
    options += [f"augmentation={augmentation}", "trainer.log_every_n_steps=1", "score_test=false"]
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        assert seqrec("train", recipe, *options, f"hydra.run.dir={tmp_path}/{name}", f"seed={seed}").code == 0
    first, again, other = (
        read_checkpoint(tmp_path / name / "checkpoints/last.ckpt")["state_dict"] for name in ("first", "again", "other")
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    assert logged(tmp_path / "first") == logged(tmp_path / "again") != logged(tmp_path / "other")


def test_every_epoch_is_validated_and_logged(ink_run: Path) -> None:
    with (ink_run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows if row["dev_cer"]] == ["0", "1"]
    assert all(float(row["train_loss"]) > 0 for row in rows if row["train_loss"])


def test_a_sweep_makes_a_run_for_each_value(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1"]
    outcome = seqrec("train", "synth/ink", "-m", "encoder.stack_stride=2,4", *options)
    assert outcome.code == 0, outcome.err
    assert len(list(tmp_path.glob("runs/synth/ink/sweep_*/*/metrics.json"))) == 2


def test_the_newest_run_is_called_latest(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1"]
    assert seqrec("train", "synth/ink", *options).code == 0
    assert (tmp_path / "runs/synth/ink/latest/metrics.json").is_file()
    assert seqrec("evaluate", "runs/synth/ink/latest", "split=dev").code == 0


def test_a_recipe_of_ones_own_with_a_part_of_ones_own(
    seqrec: Seqrec, ink_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_parts.py").write_text(
        "from seqrec.encoders.lstm import LSTMEncoder\n\n\nclass MyEncoder(LSTMEncoder):\n    pass\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "# @package _global_\ndefaults: [/train, override /corpus: synth_ink, override /reader: ink, "
        "override /frontend: deltas, override /encoder: null, _self_]\n"
        "encoder: {_target_: my_parts.MyEncoder, hidden_size: 8, num_layers: 1}\ntrainer: {max_epochs: 1}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    options = [*TINY["synth/ink"], f"data_dir={ink_run.parent}/data", "logger=none"]
    refused = seqrec("train", "./mine.yaml", *options)
    assert refused.code == 2
    assert "SEQREC_PACKAGES" in refused.err
    monkeypatch.setenv("SEQREC_PACKAGES", "my_parts")
    assert seqrec("train", "./mine.yaml", *options, f"hydra.run.dir={tmp_path}/run").code == 0
    assert seqrec("evaluate", tmp_path / "run").code == 0


def test_global_normalisation_is_fitted_on_speech(seqrec: Seqrec, speech_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/speech", speech_run.parent / "data"), "trainer.max_epochs=1"]
    run = tmp_path / "run"
    assert seqrec("train", "synth/speech", *options, "frontend.normalize=global", f"hydra.run.dir={run}").code == 0
    weights = read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"]
    assert (weights["recognizer.frontend.normalisation.mean"] < -1).all()  # log energies of signals below full scale


def test_several_archives_that_are_not_there_are_a_sentence(seqrec: Seqrec) -> None:
    done = seqrec("train", "iam_ondb/bilstm", "corpus.archive=[no.tgz,no.txt]")
    assert done.code == 2
    assert "no.tgz does not exist; check the path" in " ".join(done.err.split())


def test_a_run_on_a_relative_folder_is_resumed_from_anywhere(
    seqrec: Seqrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inks").mkdir()
    for number in range(12):
        ink = {"strokes": [[[0, 0], [number, 9], [9, number]]], "text": "ab", "writer": f"w{number}"}
        (tmp_path / f"inks/{number}.json").write_text(json.dumps(ink))
    words = ["own/ink", "corpus.root=inks", "frontend=deltas_notime", *SMALL_MODEL]
    done = seqrec("train", *words, "trainer.max_epochs=1", "hydra.run.dir=run")
    assert done.code == 0, done.err
    (tmp_path / "run/metrics.json").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = seqrec("resume", "../run")
    assert done.code == 0, done.err


def test_a_refused_run_leaves_no_trace(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = ["train", "synth/ink", *tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1"]
    refused = [*words, "callbacks=ema", "callbacks.ema.decay=2"]
    assert_one_sentence(seqrec(*refused), "decay=2")
    assert not (tmp_path / "runs").exists()
    assert seqrec(*words, "score_test=false").code == 0
    folders = sorted((tmp_path / "runs/synth/ink").iterdir())
    first = (tmp_path / "runs/synth/ink/latest").readlink()
    assert seqrec(*refused).code == 2
    assert sorted((tmp_path / "runs/synth/ink").iterdir()) == folders
    assert (tmp_path / "runs/synth/ink/latest").readlink() == first


def test_what_is_interrupted_before_its_first_checkpoint_can_be_resumed(
    seqrec: Seqrec, ink_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: RecognitionTraining) -> None:
        raise KeyboardInterrupt

    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1", "hydra.run.dir=run"]
    with monkeypatch.context() as patch:
        patch.setattr(RecognitionTraining, "on_train_epoch_start", interrupt)
        assert seqrec("train", "synth/ink", *words).code == 2
    assert seqrec("resume", "run").code == 0
