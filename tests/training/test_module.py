"""What happens inside a step, on a tiny recogniser without a Trainer's help where it can be done without."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import Seqrec, tiny_options
from tiny_training import noise, tiny_module, train
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seqrec.checkpoint import read_checkpoint
from seqrec.ctc.loss import CTCLoss
from seqrec.errors import UserError
from seqrec.evaluation import evaluate
from seqrec.transcriber import load


@pytest.mark.parametrize(
    "option", ["trainer.precision=bf16-mixed", "data.num_workers=1", "trainer.accumulate_grad_batches=2"]
)
def test_trainings_of_other_kinds_end(option: str, seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=2"]
    outcome = seqrec("train", "synth/ink", *words, option, f"hydra.run.dir={tmp_path}/run")
    assert outcome.code == 0, outcome.err
    weights = read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["state_dict"]
    assert all(weight.isfinite().all() for weight in weights.values())


def test_workers_change_nothing(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=2", "data.num_workers=2"]
    assert seqrec("train", "synth/ink", *words, f"hydra.run.dir={tmp_path}/run").code == 0
    first, second = (
        read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"] for run in (ink_run, tmp_path / "run")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_best_checkpoint_has_the_least_dev_cer(ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-dev.jsonl")
    best, last = (evaluate(load(ink_run / f"checkpoints/{name}.ckpt"), manifest).rates.cer for name in ("best", "last"))
    assert best <= last


@pytest.mark.parametrize("max_frames", [300, 5000])
def test_evaluation_does_not_depend_on_the_batches(max_frames: int, ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-train.jsonl")
    transcriber = load(ink_run)
    found = evaluate(transcriber, manifest, max_frames=max_frames)
    alone = evaluate(transcriber, manifest, max_examples=1)
    assert found.hypotheses == alone.hypotheses
    assert found.rates == alone.rates


def test_examples_whose_targets_do_not_fit_are_left_out_of_the_mean(caplog: pytest.LogCaptureFixture) -> None:
    module = tiny_module()
    fitting = noise([9, 3, 8], ["ab", "ab", "abc"])
    mixed = noise([9, 3, 8], ["ab", "aabb", "abc"])
    losses = module.loss(
        module.recognizer.recognise(module.recognizer.frontend(mixed.signals, mixed.signal_lengths)),
        mixed.targets,
        mixed.target_lengths,
    )
    assert losses.isposinf().tolist() == [False, True, False]
    torch.testing.assert_close(module.batch_loss(mixed).double(), losses[[0, 2]].mean())
    trainer = train(module, [mixed, mixed, fitting])
    assert trainer.callback_metrics["train_loss"].isfinite()
    (said,) = caplog.messages
    assert "1 of 3 examples of step 0 with fewer frames than their targets need (`noise-1` among them)" in said


def test_a_batch_where_nothing_fits_moves_nothing() -> None:
    module = tiny_module()
    before = [weight.clone() for weight in module.parameters()]
    trainer = train(module, [noise([1, 2], ["ab", "aa"])])
    assert all(torch.equal(*pair) for pair in zip(before, module.parameters(), strict=True))
    assert trainer.callback_metrics["infeasible"] == 2
    assert trainer.callback_metrics["train_loss"] == trainer.callback_metrics["gradient_norm"] == 0


def test_a_loss_that_is_no_number_names_its_example() -> None:
    batch = noise([9, 8], ["ab", "abc"])
    batch.signals[1, 2] = torch.nan
    with pytest.raises(UserError, match=r"1 of 2 examples is infinite or no number in epoch 1, step 0: noise-1; lower"):
        train(tiny_module(), [batch])


class NoWaiting(TorchDispatchMode):
    """Refuses what would make a program wait for a GPU that holds some tensors, and all that is computed of them.

    That is reading their numbers, or taking a shape from them.
    """

    REFUSED = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "_unique2", "equal")

    def __init__(self, on_gpu: Iterable[Tensor]) -> None:
        super().__init__()
        self.on_gpu = {each.untyped_storage()._cdata: each for each in on_gpu}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = (one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor))
        touched = any(one.untyped_storage()._cdata in self.on_gpu for one in inputs)
        assert not (touched and func.__name__.split(".")[0] in self.REFUSED), func
        outcome = func(*args, **(kwargs or {}))
        for one in tree_leaves(outcome) if touched else ():
            if isinstance(one, Tensor):
                self.on_gpu[one.untyped_storage()._cdata] = one
        return outcome


@pytest.mark.parametrize("layer", [None, 1])
def test_no_step_waits_for_a_gpu(layer: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are looked at later, lengths and targets are on the CPU as well; all else stays unread."""
    module, batch = tiny_module(CTCLoss(intermediate_layer=layer)), noise([9, 7, 8], ["ab", "aabb", "abc"])
    noted = []
    monkeypatch.setattr(module._finite, "add", lambda ids, losses, where: noted.append(losses))
    with NoWaiting([batch.signals, *module.parameters()]):
        module.batch_loss(batch).backward()
    with pytest.raises(AssertionError, match="_local_scalar_dense"), NoWaiting([batch.signals, *module.parameters()]):
        float(module.batch_loss(batch))
    assert [len(losses) for losses in noted] == [3, 3]


def test_dev_tells_blanks_and_lengths() -> None:
    module, batch = tiny_module(), noise([9, 7, 8], ["ab", "c", "abc"])
    trainer = train(module, [batch])
    path = [
        log_probs[:length].argmax(-1).tolist()
        for log_probs, length in zip(
            module.recognizer(batch.signals, batch.signal_lengths).log_probs, [9, 7, 8], strict=True
        )
    ]
    collapsed = [
        [token for token, before in zip(row, [0, *row], strict=False) if token not in (0, before)] for row in path
    ]
    blanks = sum(row.count(0) for row in path)
    assert trainer.callback_metrics["blank_ratio"] == pytest.approx(blanks / 24)
    assert trainer.callback_metrics["length_ratio"] == pytest.approx(sum(map(len, collapsed)) / 6)
