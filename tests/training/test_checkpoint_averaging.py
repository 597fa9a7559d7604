from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch
from tiny import Seqrec, tiny_options
from tiny_training import Scripted, noise, train

from seqrec.checkpoint import KEY, load_parts, read_checkpoint
from seqrec.run_folder import RunFolder
from seqrec.training.checkpoint_averaging import CheckpointAveraging, average
from seqrec.training.fit import checkpoints


def test_the_mean_of_weights_and_the_last_of_counts(tmp_path: Path) -> None:
    for number, value in enumerate((1.0, 2.0, 6.0)):
        state = {"weight": torch.full((2,), value), "batches": torch.tensor(number)}
        torch.save({"state_dict": state, KEY: {"place": number}}, tmp_path / f"{number}.ckpt")
    found = average(sorted(tmp_path.iterdir()))
    assert found["state_dict"]["weight"].tolist() == [3.0, 3.0]
    assert found["state_dict"]["batches"] == 2
    assert found[KEY] == {"place": 2}


def test_one_checkpoint_is_no_average() -> None:
    with pytest.raises(ValueError, match="count=1: at least 2"):
        CheckpointAveraging(count=1)


@pytest.mark.parametrize(
    ("best_by", "takes_its_place"),
    [("dev_cer", True), ("dev_cer", False), ("dev_wer", True), ("dev_wer", False), ("epoch", False)],
)
def test_the_mean_becomes_the_best_where_it_is_better(
    best_by: str,
    takes_its_place: bool,
    seqrec: Seqrec,
    ink_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from seqrec.training import checkpoint_averaging

    def scored(transcriber: object, *_: object) -> object:
        is_mean = next(order)
        rate, other = (0.1, 0.2) if is_mean == takes_its_place else (0.2, 0.1)
        rates = type("Rates", (), {"cer": other, "wer": other, best_by.replace("dev_", ""): rate})
        return type("Evaluation", (), {"rates": rates})

    order = iter([True, False])
    monkeypatch.setattr(checkpoint_averaging, "evaluate", scored)
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=3", "score_test=false"]
    chosen = ["callbacks=checkpoint_averaging", "callbacks.checkpoint_averaging.of=last"]
    chosen += ["callbacks.checkpoint_averaging.count=2", f"best_by={best_by}"]
    outcome = seqrec("train", "synth/ink", *words, *chosen, f"hydra.run.dir={tmp_path}/run")
    assert outcome.code == 0, outcome.err
    checkpoints = tmp_path / "run/checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == ["averaged.ckpt", "best.ckpt", "last.ckpt"]
    mean, best = (read_checkpoint(checkpoints / f"{name}.ckpt")["state_dict"] for name in ("averaged", "best"))
    assert all(torch.equal(mean[name], best[name]) for name in mean) == takes_its_place
    if best_by == "epoch":
        assert "best.ckpt stays, since best_by=epoch is no error rate" in caplog.text
        assert read_checkpoint(checkpoints / "best.ckpt")["epoch"] == 2
    else:
        kind, percent = best_by[-3:].upper(), 10 if takes_its_place else 20
        assert f"the mean of 2 checkpoints has a dev {kind} of {percent}.00 %" in caplog.text
        assert ("best.ckpt now holds the mean" if takes_its_place else "best.ckpt stays") in caplog.text
    load_parts(checkpoints / "averaged.ckpt")


@pytest.mark.parametrize(("of", "mean"), [("best", (2 + 4 + 5) / 3), ("last", (4 + 5 + 6) / 3)])
def test_which_epochs_are_averaged(
    of: Literal["best", "last"], mean: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqrec.training.checkpoint_averaging._choose", lambda *_: None)
    rates = (0.9, 0.3, 0.8, 0.2, 0.1, 0.7)
    kept = [*checkpoints(RunFolder(tmp_path), 100, "dev_cer"), CheckpointAveraging(3, of)]
    batches, options = [noise([4], ["a"])], {"enable_checkpointing": True, "default_root_dir": tmp_path}
    train(Scripted(dev_cer=rates), batches, *kept, max_epochs=6, **options)
    weights = read_checkpoint(tmp_path / "checkpoints/averaged.ckpt")["state_dict"]["weight"]
    assert weights.item() == pytest.approx(mean)
    assert not list(tmp_path.glob("checkpoints/average-*"))
