"""A batch that does not fit into memory is trained on in halves, to the same gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.plugins import MixedPrecision
from tiny_training import noise, tiny_module, train
from torch import Tensor

from seqrec.errors import UserError
from seqrec.sequence import Emissions, Features
from seqrec.training.memory import halves, is_out_of_memory
from seqrec.training.module import RecognitionTraining

BATCHES = [noise([9, 7, 8, 3, 9], ["ab", "c", "abc", "a", "ba"]), noise([4, 6, 5], ["a", "cb", "aa"])]
CPU_ERROR = "[enforce fail at alloc_cpu.cpp:1] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


class FullBackward(torch.autograd.Function):
    """Runs out of memory in its backward pass, when the head has its gradient already and the encoder has not."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("simulated")


class Small:
    """A recogniser's `recognise` on a device for `limit` examples."""

    def __init__(self, module: RecognitionTraining, limit: int, where: str) -> None:
        self.recognise, self.limit, self.where = module.recognizer.recognise, limit, where
        self.recognizer = module.recognizer
        self.sizes: list[int] = []
        module.recognizer.recognise = self  # type: ignore[assignment, method-assign]

    def __call__(self, features: Features) -> Emissions:
        self.sizes.append(len(features.lengths))
        if len(features.lengths) > self.limit and torch.is_grad_enabled():
            if self.where == "forward":
                raise RuntimeError(CPU_ERROR)
            encoded = self.recognizer.encoder(features)
            log_probs = self.recognizer.head(FullBackward.apply(encoded.values)).log_softmax(-1)
            return Emissions(log_probs, encoded.lengths)
        return self.recognise(features)


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_halves_train_as_the_whole(where: str, accumulate: int, caplog: pytest.LogCaptureFixture) -> None:
    whole, halved = tiny_module(), tiny_module()
    first = train(whole, BATCHES, accumulate_grad_batches=accumulate)
    assert not caplog.records
    small = Small(halved, 3, where)
    second = train(halved, BATCHES, accumulate_grad_batches=accumulate)
    assert small.sizes[:4] == [5, 2, 3, 3]
    for one, other in zip(whole.parameters(), halved.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(first.callback_metrics["train_loss"], second.callback_metrics["train_loss"])
    torch.testing.assert_close(first.callback_metrics["gradient_norm"], second.callback_metrics["gradient_norm"])
    (said,) = caplog.messages
    assert said.startswith(
        "out of memory in step 0: its batch of 5 examples (`noise-0`, `noise-1`, `noise-2`, ...) of up to 9 samples or "
        "points does not fit; trying it in halves; data.max_frames=50 makes smaller batches"
    )


class ScaledLoss(MixedPrecision):
    """What `precision=16-mixed` does to the loss and its gradients, without float16."""

    def __init__(self) -> None:
        super().__init__("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=1024.0))

    def autocast_context_manager(self) -> torch.autocast:
        return torch.autocast("cpu", enabled=False)


@pytest.mark.parametrize("where", ["nowhere", "forward", "backward"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_scaled_loss_trains_as_the_loss_itself(where: str, accumulate: int) -> None:
    plain, scaled = tiny_module(), tiny_module()
    Small(scaled, 5 if where == "nowhere" else 3, where)
    first = train(plain, BATCHES, accumulate_grad_batches=accumulate)
    second = train(scaled, BATCHES, accumulate_grad_batches=accumulate, plugins=ScaledLoss())
    for one, other in zip(plain.parameters(), scaled.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)
    for name in ("train_loss", "gradient_norm"):
        torch.testing.assert_close(first.callback_metrics[name], second.callback_metrics[name])


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("limit", [0, 2])
def test_what_does_not_fit_in_halves_ends_the_training(where: str, limit: int) -> None:
    module = tiny_module()
    Small(module, limit, where)
    with pytest.raises(UserError, match=r"out of memory in step 0.*and so do its halves; data\.max_frames=50"):
        train(module, BATCHES)


def test_one_example_has_no_halves() -> None:
    module = tiny_module()
    Small(module, 0, "forward")
    with pytest.raises(UserError, match=r"its batch of 1 examples \(`noise-0`\) of up to 9 .* does not fit; data"):
        train(module, [noise([9], ["ab"])])


def test_another_error_is_none_of_memory() -> None:
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    module = tiny_module()
    module.recognizer.head = torch.nn.Linear(5, 4)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(module, BATCHES)


def test_halves_hold_all_examples_once_and_no_padding() -> None:
    batch = BATCHES[0]
    first, second = halves(batch)
    assert first.ids + second.ids == batch.ids
    assert (first.signals.shape, second.signals.shape) == ((2, 9, 3), (3, 9, 3))
    assert torch.equal(second.signals, batch.signals[2:])
    assert first.targets.shape == (2, 2)
    assert halves(noise([9, 4], ["ab", "a"]))[1].signals.shape == (1, 4, 3)


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_both_halves_count_what_does_not_fit(where: str) -> None:
    module = tiny_module()
    Small(module, 2, where)
    batches = [noise([2, 9, 2, 9], ["abc", "a", "abc", "a"])]
    assert train(module, batches).callback_metrics["infeasible"] == 2


def test_halves_are_refused_where_devices_meet_in_the_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    module = tiny_module()
    module.normalisation = torch.nn.SyncBatchNorm(4)
    Small(module, 3, "forward")
    monkeypatch.setattr(Trainer, "world_size", 2)
    with pytest.raises(UserError, match=r"halves of it cannot be tried while trainer\.sync_batchnorm .*data\.max_fr"):
        train(module, BATCHES)
