"""Averages of weights against their definitions, and what validation and checkpoints see of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from schedulefree import AdamWScheduleFree
from tiny_training import noise, tiny_module, train
from torch import Tensor

from seqrec.encoders.valid_frames import FrameBatchNorm
from seqrec.errors import UserError
from seqrec.share import build
from seqrec.training.averaged_weights import AveragedWeights, ExponentialAverage, ScheduleFreeWeights
from seqrec.training.fit import named_callbacks

BATCHES = [noise([9, 7], ["ab", "c"]), noise([4, 6], ["a", "cb"]), noise([8], ["abc"])]
SCHEDULE_FREE = {"_target_": "schedulefree.AdamWScheduleFree", "lr": 0.05}


class Weights(Callback):
    """Writes down a weight after each step, in validation, and behind it."""

    def __init__(self) -> None:
        self.steps: list[Tensor] = []
        self.validated: list[Tensor] = []
        self.after: list[Tensor] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.steps.append(weight_of(pl_module))

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.validated.append(weight_of(pl_module))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.after.append(weight_of(pl_module))


def weight_of(module: LightningModule) -> Tensor:
    return module.state_dict()["recognizer.head.weight"].clone()


def run(average: AveragedWeights, folder: Path, **options: Any) -> tuple[Weights, Tensor, dict[str, Any]]:
    """Train for an epoch; return what was written down, the first weight and a checkpoint."""
    module, weights = tiny_module(**options), Weights()
    first = weight_of(module)
    trainer = train(module, BATCHES, average, weights)
    trainer.save_checkpoint(folder / "last.ckpt")
    return weights, first, torch.load(folder / "last.ckpt", weights_only=True)


def test_an_exponential_average_is_its_recursion(tmp_path: Path) -> None:
    weights, expected, checkpoint = run(ExponentialAverage(decay=0.22), tmp_path)
    for step, weight in enumerate(weights.steps, start=1):
        decay = min(0.22, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
    torch.testing.assert_close(weights.validated[0], expected)
    assert torch.equal(weights.after[0], weights.steps[-1])
    assert torch.equal(checkpoint["state_dict"]["recognizer.head.weight"], weights.validated[0])
    assert torch.equal(checkpoint["training_weights"]["recognizer.head.weight"], weights.steps[-1])


def test_gradients_being_accumulated_leave_the_average_alone() -> None:
    average = ExponentialAverage()
    trainer = train(tiny_module(), BATCHES, average, accumulate_grad_batches=3)
    assert trainer.global_step == average.state_dict()["step"] == 1


def test_schedule_free_shows_the_optimisers_own_average(tmp_path: Path) -> None:
    weights, _, checkpoint = run(ScheduleFreeWeights(), tmp_path, optimizer=SCHEDULE_FREE)
    module = tiny_module()  # the same by hand, as the package's own documentation has it
    optimizer = AdamWScheduleFree(module.parameters(), lr=0.05)
    optimizer.train()
    for batch in BATCHES:
        optimizer.zero_grad()
        module.batch_loss(batch).backward()
        optimizer.step()
    assert torch.equal(weight_of(module), weights.after[0])
    optimizer.eval()
    assert torch.equal(weight_of(module), weights.validated[0])
    assert torch.equal(checkpoint["state_dict"]["recognizer.head.weight"], weight_of(module))
    assert not torch.equal(checkpoint["training_weights"]["recognizer.head.weight"], weight_of(module))
    assert checkpoint["optimizer_states"][0]["param_groups"][0]["train_mode"]


@pytest.mark.parametrize("has_batch_norm", [True, False])
def test_schedule_free_says_that_batch_norm_suits_it_ill(
    has_batch_norm: bool, caplog: pytest.LogCaptureFixture
) -> None:
    module = tiny_module(optimizer=SCHEDULE_FREE)
    if has_batch_norm:
        module.norm = FrameBatchNorm(3)
    train(module, BATCHES, ScheduleFreeWeights())
    assert ("take encoder.norm=layer" in caplog.text) == has_batch_norm


def test_two_averages_are_refused() -> None:
    ema = {"_target_": "seqrec.training.averaged_weights.ExponentialAverage"}
    (named,) = named_callbacks({"callbacks": {"ema": ema}, "optimizer": {"_target_": "torch.optim.SGD"}})
    assert isinstance(named, ExponentialAverage)
    with pytest.raises(UserError, match="leave the callback `ema` out"):
        named_callbacks({"callbacks": {"ema": ema}, "optimizer": SCHEDULE_FREE})


def test_a_decay_of_one_is_refused() -> None:
    with pytest.raises(UserError, match=r"callbacks\.ema: decay=1\.0: must be in \[0, 1\)"):
        build({"_target_": "seqrec.training.averaged_weights.ExponentialAverage", "decay": 1.0}, "callbacks.ema")
