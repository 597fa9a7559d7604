"""Every mistake in a command, a recipe or a run is answered by one sentence on standard error and exit code 2."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tiny import Seqrec, assert_one_sentence, tiny_options


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["trian", "synth/ink"], ["`trian`", "did you mean `train`?"]),
        (["train", "fsd/bilstm"], ["`fsd/bilstm`", "did you mean `fsdd/bilstm`?"]),
        (["train", "./nowhere.yaml"], ["./nowhere.yaml", "does not exist"]),
        (["train", "synth/ink", "encoder=bilstn"], ["`bilstn`", "did you mean `bilstm`?"]),
        (["train", "synth/ink", "encodr=lstm"], ["`encodr`", "did you mean `encoder`?"]),
        (["train", "synth/ink", "encoder.hiden_size=3"], ["encoder.hiden_size", "did you mean `encoder.hidden_size`?"]),
        (["train", "synth/ink", "+encoder.hiden_size=3"], ["encoder.hiden_size", "did you mean `hidden_size`?"]),
        (["train", "synth/ink", "+sead=3"], ["`sead`", "did you mean `seed`?"]),
        (["train", "synth/ink", "seed=x"], ["seed='x'", "whole number"]),
        (["train", "synth/ink", "seed=99999999999999"], ["seed=99999999999999"]),
        (["train", "synth/ink", "checkpoint_steps=0"], ["checkpoint_steps=0"]),
        (["train", "synth/ink", "best_by=dev_ler"], ["best_by='dev_ler'", "did you mean `dev_wer`?"]),
        (["train", "synth/ink", "data_dir=5"], ["data_dir=5"]),
        (["train", "synth/ink", "encoder=5"], ["must be a string"]),
        (["train", "synth/ink", "frontend=logmel"], ["reader.sample_rate"]),
        (["train", "."], ["ends in .yaml"]),
        (["train", "synth/ink", "encoder.x=["], ["synth/ink"]),
        (["train", "synth/ink", "corpus.num_train=0"], ["num_train=0"]),
        (["train", "synth/ink", "data_dir=${nope}"], ["nope"]),
        (["prepare", "fsdd/bilstm", "corpus.archive=none.zip"], ["none.zip"]),
        (["prepare", "fsdd/bilstm", "corpus.archive=x.zip", "corpus.speaker=nobody"], ["x.zip"]),
        (["prepare", "synth/ink", "shards=http://127.0.0.1:9/ink"], ["http://127.0.0.1:9/ink can only be read"]),
        (["train", "synth/ink", "--sead", "3"], ["unrecognized arguments: --sead", "KEY=VALUE"]),
        (["train", "synth/ink", "seed"], ["`seed` is neither an option nor a setting", "KEY=VALUE"]),
        (["evaluate", "nowhere"], ["nowhere", "does not exist"]),
        (["evaluate", "."], ["config.yaml"]),
        (["resume", "nowhere"], ["nowhere", "does not exist"]),
        (["resume", "a", "b"], ["one run folder"]),
        (["transcribe", "nowhere", "a.wav"], ["nowhere", "does not exist"]),
    ],
    ids=" ".join,
)
def test_on_the_command_line(words: list[str], expected: list[str], seqrec: Seqrec) -> None:
    outcome = seqrec(*words)
    assert_one_sentence(outcome, *expected)
    assert "usage:" not in outcome.err


def test_preparing_leaves_no_run_folder(seqrec: Seqrec, tmp_path: Path) -> None:
    assert_one_sentence(seqrec("prepare", "fsdd/bilstm", "corpus.archive=none.zip"), "none.zip")
    assert seqrec("prepare", "synth/ink", "corpus.num_train=4", "corpus.num_dev=2", "corpus.num_test=2").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_address_that_is_only_read_is_refused_before_preparing(seqrec: Seqrec, tmp_path: Path) -> None:
    assert_one_sentence(seqrec("prepare", "synth/ink", "shards=http://127.0.0.1:9/ink"), "can only be read")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("encoder.hidden_size=many", ["encoder.hidden_size=many", "whole number"]),
        ("encoder.hidden_size=0", ["hidden_size=0"]),
        ("encoder.dropout=1.5", ["dropout=1.5"]),
        ("encoder.stack_stride=9", ["stack_stride=9"]),
        ("frontend.step=-1", ["step", "-1"]),
        ("optimizer.lr=fast", ["optimizer.lr=fast", "number"]),
        ("optimizer.lr=-1", ["-1"]),
        ("schedule.warmup=2", ["warmup=2"]),
        ("ctc.infeasible=maybe", ["ctc.infeasible=maybe", "error, skip"]),
        ("text.unknown=maybe", ["text.unknown=maybe", "error, drop"]),
        ("data.max_frames=0", ["max_frames=0"]),
        ("data.num_workers=-1", ["num_workers=-1"]),
        ("data.jitter=-3", ["jitter=-3"]),
        ("trainer.devices=0", ["devices"]),
        ("trainer=gpu", ["trainer=cpu"]),
        ("trainer.max_epochs=0", ["raise trainer.max_epochs"]),
        ("+trainer.callbacks=[]", ["trainer.callbacks", "set by seqrec itself"]),
        ("optimizer.lr=1e9", ["the loss of", "lower optimizer.lr"]),
        ("+trainer.max_epoch=3", ["trainer.max_epoch", "did you mean `max_epochs`?"]),
        ("trainer.accelerator=abacus", ["abacus"]),
        ("encoder._target_=os.system", ["os.system", "allowed packages"]),
        ("encoder._target_=seqrec.nothing.Here", ["seqrec.nothing.Here"]),
    ],
)
def test_of_values(option: str, expected: list[str], seqrec: Seqrec, ink_run: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    assert_one_sentence(seqrec("train", "synth/ink", *options, option), *expected)


def test_a_run_folder_is_not_written_over(seqrec: Seqrec, ink_run: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    outcome = seqrec("train", "synth/ink", *options, f"hydra.run.dir={ink_run}")
    assert_one_sentence(outcome, "holds a run already", "seqrec resume")


def test_a_run_that_has_ended_is_not_resumed(seqrec: Seqrec, ink_run: Path) -> None:
    assert_one_sentence(seqrec("resume", ink_run), "has ended")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("split=tset", "did you mean `test`?"),
        ("manifest=a.jsonl split=dev", "not both"),
        ("split=dev split=test", "given twice"),
        ("splt=test", "did you mean `split`?"),
        ("test", "KEY=VALUE"),
        ("decoder=greddy", "did you mean `greedy`?"),
        ("decoder.width=3", "decoder.width"),
        ("manifest=none.jsonl", "none.jsonl"),
        ("device=abacus", "abacus"),
        ("text.unknown=maybe", "text.unknown=maybe"),
    ],
)
def test_of_evaluate(option: str, expected: str, seqrec: Seqrec, ink_run: Path) -> None:
    assert_one_sentence(seqrec("evaluate", ink_run, *option.split()), expected)


def test_a_checkpoint_may_not_name_strangers(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    checkpoint = torch.load(ink_run / "checkpoints/best.ckpt", weights_only=True)
    checkpoint["seqrec"]["config"]["encoder"]["_target_"] = "subprocess.Popen"
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    torch.save(checkpoint, run / "checkpoints/best.ckpt")
    (run / "config.yaml").write_bytes((ink_run / "config.yaml").read_bytes())
    assert_one_sentence(seqrec("evaluate", run), "subprocess.Popen", "allowed packages")


RECIPES = {
    "a tab": "\tdefaults: [/train]",
    "an open brace": "defaults: [/train]\nencoder: {",
    "nothing": "",
    "no defaults": "encoder: {hidden_size: 3}",
    "a misspelt default": "# @package _global_\ndefaults: [/trian]",
    "an open part": "# @package _global_\ndefaults: [/train, override /reader: ink, override /frontend: deltas]",
    "an encoder that is none": "# @package _global_\ndefaults: [/synth_ink_parts]",
}


@pytest.mark.parametrize("content", RECIPES.values(), ids=RECIPES)
def test_of_recipes(content: str, seqrec: Seqrec, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    assert_one_sentence(seqrec("train", "mine.yaml"), "mine")


def test_a_recipe_may_not_be_called_train_and_does_not_shadow_conf(seqrec: Seqrec, tmp_path: Path) -> None:
    groups = "override /corpus: synth_ink, override /reader: ink, override /frontend: deltas"
    text = f"# @package _global_\ndefaults: [/train, {groups}]"
    (tmp_path / "train.yaml").write_text(text)
    (tmp_path / "mine.yaml").write_text(text)
    assert_one_sentence(seqrec("train", "train.yaml"), "train.yaml", "another name")
    assert seqrec("train", "mine.yaml", "--cfg", "job").code == 0


def test_a_reader_and_a_front_end_of_different_modalities(seqrec: Seqrec, ink_run: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    outcome = seqrec("train", "synth/ink", *options, "frontend=logmel", "frontend.sample_rate=16000")
    assert_one_sentence(outcome, "of 6 channels", "takes 1")


def test_rates_that_differ(seqrec: Seqrec, speech_run: Path) -> None:
    options = tiny_options("synth/speech", speech_run.parent / "data")
    assert_one_sentence(
        seqrec("train", "synth/speech", *options, "frontend.sample_rate=8000"), "frontend.sample_rate=8000"
    )


def test_a_run_of_something_else(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a: 1\n")
    for verb in ("evaluate", "resume"):
        assert_one_sentence(seqrec(verb, tmp_path), "config.yaml lacks", "decoder")
    assert_one_sentence(seqrec("evaluate", ink_run / "checkpoints/best.ckpt"), "is a file; give the folder of its run")


def test_a_run_whose_encoder_was_edited_is_not_resumed(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    shutil.copytree(ink_run, tmp_path / "run")
    (tmp_path / "run/metrics.json").unlink()
    config = (tmp_path / "run/config.yaml").read_text()
    (tmp_path / "run/config.yaml").write_text(config.replace("hidden_size: 12", "hidden_size: 13"))
    assert_one_sentence(seqrec("resume", tmp_path / "run"), "`encoder`", "undo the change")


def test_every_failed_job_of_a_sweep_is_named(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=1"]
    outcome = seqrec("train", "synth/ink", "-m", "encoder.stack_stride=0,1,-1", *options)
    assert_one_sentence(outcome, "2 of 3 jobs failed", "stack_stride=0", "stack_stride=-1")
    assert len(list(tmp_path.glob("runs/synth/ink/sweep_*/1/metrics.json"))) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["augmentation=ink", "augmentation.rotate.degres=3"], "did you mean `augmentation.rotate.degrees`?"),
        (["augmentation.rotate.degrees=3"], "add augmentation=ink"),
        (["encoder=conv1d_bilstm"], "~encoder.stack_size ~encoder.stack_stride leaves them out"),
        (["augmentation=speech"], "choose a part of the recipe's kind"),
        (["augmentation=white_noise"], "choose a part of the recipe's kind"),
        (["callbacks=ema,early_stopping"], "write 'callbacks=[ema,early_stopping]' for a list, or -m"),
        (["data_dir=a=b=c"], "put values with = , : or brackets in quotes"),
    ],
)
def test_of_parts_and_their_options(settings: list[str], said: str, seqrec: Seqrec) -> None:
    outcome = seqrec("train", "synth/ink", *settings)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert said in outcome.err
