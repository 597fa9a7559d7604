"""Fine-tuning: a run that starts from another's weights, with another alphabet or the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from tiny import Outcome, Seqrec, assert_one_sentence

from seqrec.checkpoint import KEY, read_checkpoint

NEW = "baZé"  # `a` and `b` are symbols of synth/ink, `Z` and `é` are not
SAME_SHAPE = ["encoder.hidden_size=12", "encoder.num_layers=1", "encoder.stack_size=4", "encoder.stack_stride=4"]


@pytest.fixture
def inks(tmp_path: Path) -> Path:
    folder = tmp_path / "inks"
    folder.mkdir()
    for number in range(12):
        ink = {"strokes": [[[0, 0, 0], [number, 9, 1], [9, number, 2]]], "text": NEW, "writer": f"w{number}"}
        (folder / f"{number}.json").write_text(json.dumps(ink))
    return folder


def fine_tune(seqrec: Seqrec, inks: Path, *more: object) -> Outcome:
    """Train on `inks`; a learning rate of 0 keeps the weights of step 0 for the checkpoints."""
    words = ["own/ink", f"corpus.root={inks}", "frontend=deltas", *SAME_SHAPE, "logger=none", "trainer.max_epochs=1"]
    return seqrec("train", *words, "optimizer.lr=0", f"hydra.run.dir={inks.parent}/run", *more)


def read(run: Path, name: str = "best") -> tuple[dict[str, torch.Tensor], dict[str | None, int]]:
    """Return a checkpoint's weights, and each symbol's token; None is the blank."""
    checkpoint = read_checkpoint(run / f"checkpoints/{name}.ckpt")
    weights = {key.removeprefix("recognizer."): value for key, value in checkpoint["state_dict"].items()}
    return weights, {symbol: token for token, symbol in enumerate([None, *checkpoint[KEY]["symbols"]])}


def test_another_alphabet_keeps_encoder_statistics_and_known_symbols(
    seqrec: Seqrec, ink_run: Path, inks: Path, tmp_path: Path
) -> None:
    done = fine_tune(seqrec, inks, f"init_from={ink_run}")
    assert done.code == 0, done.err
    assert "2 symbols known, 2 new (Z é)" in " ".join(done.err.split())
    (old, known), (new, tokens) = read(ink_run), read(tmp_path / "run")
    body = [name for name in new if not name.startswith("head.")]
    assert {name.split(".")[0] for name in body} == {"frontend", "encoder"}
    assert all(torch.equal(old[name], new[name]) for name in body)
    for name in ("head.weight", "head.bias"):
        assert len(new[name]) == 5
        for symbol in (None, "a", "b"):
            assert torch.equal(new[name][tokens[symbol]], old[name][known[symbol]])
        for symbol in ("Z", "é"):
            assert not (new[name][tokens[symbol]] == old[name]).all(-1).any()
    taken = json.loads((tmp_path / "run/environment.json").read_text())["init_from"]
    assert (taken["shared_symbols"], taken["new_symbols"]) == (2, ["Z", "é"])
    config = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    assert config["init_from"] == taken["checkpoint"] == str(ink_run / "checkpoints/best.ckpt")


def test_a_fine_tuned_run_is_resumed_without_the_first(
    seqrec: Seqrec, ink_run: Path, inks: Path, tmp_path: Path
) -> None:
    shutil.copytree(ink_run, tmp_path / "first")
    assert fine_tune(seqrec, inks, "init_from=first").code == 0
    shutil.rmtree(tmp_path / "first")
    (tmp_path / "run/metrics.json").unlink()
    done = seqrec("resume", tmp_path / "run")
    assert done.code == 0, done.err
    assert "started from" not in done.err


def test_a_checkpoint_file_with_the_same_alphabet_is_taken_whole(seqrec: Seqrec, inks: Path, tmp_path: Path) -> None:
    assert fine_tune(seqrec, inks).code == 0
    (tmp_path / "run").rename(tmp_path / "first")
    checkpoint = tmp_path / "first/checkpoints/last.ckpt"
    done = fine_tune(seqrec, inks, f"init_from={checkpoint}", "seed=5")
    assert done.code == 0, done.err
    (old, _), (new, _) = read(tmp_path / "first", "last"), read(tmp_path / "run")
    assert old.keys() == new.keys()
    assert all(torch.equal(old[name], new[name]) for name in new)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("encoder.hidden_size=13", "encoder.hidden_size=13, there 12"),
        ("encoder.num_layers=2", "has no weight of this name there"),
        ("frontend=deltas_notime", "frontend.time=False, there True"),
    ],
)
def test_an_encoder_of_another_shape_is_refused(
    option: str, said: str, seqrec: Seqrec, ink_run: Path, inks: Path, tmp_path: Path
) -> None:
    done = fine_tune(seqrec, inks, f"init_from={ink_run}", option)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not (tmp_path / "run/config.yaml").exists()  # a mended command may take the same folder


def test_another_front_end_of_the_same_shape_is_said(seqrec: Seqrec, ink_run: Path, inks: Path) -> None:
    done = fine_tune(seqrec, inks, f"init_from={ink_run}", "frontend.step=0.04")
    assert done.code == 0, done.err
    assert "the front-end is another: frontend.step=0.04, there 0.05" in " ".join(done.err.split())


@pytest.mark.parametrize("path", ["nowhere", "inks"])
def test_what_is_no_run_is_refused_before_the_corpus_is_read(
    path: str, seqrec: Seqrec, inks: Path, tmp_path: Path
) -> None:
    done = fine_tune(seqrec, inks, f"init_from={path}")
    assert done.code == 2
    assert path in done.err
    assert not (tmp_path / "data").exists()


def test_a_run_of_another_modality_is_one_sentence(seqrec: Seqrec, speech_run: Path, inks: Path) -> None:
    done = fine_tune(seqrec, inks, f"init_from={speech_run}")
    assert_one_sentence(done, "that run reads audio, this recipe ink")
    assert "encoder." not in done.err


def test_a_file_that_is_no_checkpoint_is_refused_at_once(seqrec: Seqrec, ink_run: Path, inks: Path) -> None:
    done = fine_tune(seqrec, inks, f"init_from={ink_run}/config.yaml")
    assert "config.yaml is no checkpoint; give the run's folder or a .ckpt" in " ".join(done.err.split())


def test_statistics_are_this_runs_own_where_the_first_has_fitted_none(
    seqrec: Seqrec, inks: Path, tmp_path: Path
) -> None:
    assert fine_tune(seqrec, inks, "frontend.normalize=none").code == 0
    (tmp_path / "run").rename(tmp_path / "first")
    done = fine_tune(seqrec, inks, f"init_from={tmp_path}/first")
    assert done.code == 0, done.err
    assert "frontend.normalisation.mean" in done.err
    name = "frontend.normalisation.mean"
    assert not read(tmp_path / "first")[0][name].any()
    assert read(tmp_path / "run")[0][name].any()
