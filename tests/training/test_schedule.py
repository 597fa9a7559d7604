from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch import Callback, Trainer
from tiny_training import SGD, noise, tiny_module, train

from seqrec.share import build, share_folder
from seqrec.training.module import RecognitionTraining
from seqrec.training.schedule import Constant, Noam, OneCycle, Plateau, Schedule, WarmupCosine

CONF = share_folder("conf") / "schedule"
BATCHES = [noise([9, 7], ["ab", "c"]), noise([8], ["abc"]), noise([6, 4], ["b", "a"]), noise([5], ["ca"])]


def named(name: str, **options: Any) -> Schedule:
    """The schedule of a file of conf/."""
    schedule: Schedule = build({**yaml.safe_load((CONF / f"{name}.yaml").read_text()), **options}, "schedule")
    return schedule


class Rates(Callback):
    """Keeps the learning rate of each step as it is logged, and as the weights of plain SGD show it."""

    def __init__(self) -> None:
        self.logged: list[float] = []
        self.moved: list[float] = []

    def on_before_optimizer_step(self, trainer: Trainer, module: RecognitionTraining, *_: Any) -> None:  # type: ignore[override]
        self.before = torch.cat([weight.detach().flatten() for weight in module.parameters()])
        self.gradient = torch.cat([weight.grad.flatten() for weight in module.parameters()])  # type: ignore[union-attr]

    def on_train_batch_end(self, trainer: Trainer, module: RecognitionTraining, *_: Any) -> None:  # type: ignore[override]
        if trainer.global_step > len(self.logged):
            after = torch.cat([weight.detach().flatten() for weight in module.parameters()])
            self.logged.append(float(trainer.callback_metrics["learning_rate"]))
            self.moved.append(float((self.before - after).norm() / self.gradient.norm()))


def test_a_worked_example() -> None:
    schedule = WarmupCosine(warmup=0.2, start=0.1, end=0.0)
    assert schedule.factor(0.0) == pytest.approx(0.1)
    assert schedule.factor(0.1) == pytest.approx(0.55)
    assert schedule.factor(0.2) == pytest.approx(1.0)
    assert schedule.factor(0.6) == pytest.approx(0.5)
    assert schedule.factor(1.0) == pytest.approx(0.0)


@given(st.floats(0, 0.9), st.floats(-1, 2))
def test_it_stays_between_its_ends_and_the_peak(warmup: float, progress: float) -> None:
    factor = WarmupCosine(warmup=warmup, start=0.05, end=0.01).factor(progress)
    assert 0.01 - 1e-9 <= factor <= 1 + 1e-9
    assert math.isfinite(factor)


def test_it_only_falls_after_the_warm_up() -> None:
    factors = [WarmupCosine(warmup=0.1).factor(i / 100) for i in range(10, 101)]
    assert factors == sorted(factors, reverse=True)


def test_constant() -> None:
    assert {Constant().factor(progress / 10) for progress in range(11)} == {1.0}


def optimizer(lr: float = 1.0) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def test_one_cycle_is_torchs() -> None:
    theirs = optimizer()
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        theirs, max_lr=1.0, total_steps=101, pct_start=0.3, cycle_momentum=False
    )
    ours = OneCycle(warmup=0.293)  # torch has its peak at pct_start * total_steps - 1
    for step in range(101):
        assert ours.factor(step / 100) == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-9)
        theirs.step()
        schedule.step() if step < 100 else None


def test_noam_is_the_papers() -> None:
    size, warmup = 512, 40
    rates = [size**-0.5 * min(step**-0.5, step * warmup**-1.5) for step in range(1, 400)]
    found = [Noam(warmup).factor(0.0, step) for step in range(399)]
    assert found == pytest.approx([rate / max(rates) for rate in rates])


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(0, 3), st.integers(0, 40))
def test_plateau_is_torchs_even_when_resumed(scores: list[float], patience: int, resumed: int) -> None:
    theirs, ours = optimizer(), Plateau(patience=patience, warmup_steps=1, end=0.01)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        theirs, factor=0.5, patience=patience, threshold=0.005, min_lr=0.01
    )
    for number, score in enumerate(scores):
        schedule.step(score)
        ours.observe(score)
        assert ours.factor(0.0, 5) == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-7)
        if number == resumed:
            state, ours = ours.state_dict(), Plateau(patience=patience, warmup_steps=1, end=0.01)
            ours.load_state_dict(state)


def test_plateau_warms_up() -> None:
    assert [Plateau(warmup_steps=4).factor(0.0, step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


OPTIONS = {"noam": {"warmup_steps": 3}, "plateau": {"warmup_steps": 5}}  # for trainings of few steps


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("name", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_each_step_is_taken_at_its_schedules_rate(name: str, accumulate: int) -> None:
    rates = Rates()
    trained, schedule = (named(name, **OPTIONS.get(name, {})) for _ in range(2))
    train(tiny_module(schedule=trained), BATCHES, rates, max_epochs=3, accumulate_grad_batches=accumulate)
    last_batches = range(accumulate - 1, 12, accumulate)
    expected = [SGD["lr"] * schedule.factor(batch / 12, step) for step, batch in enumerate(last_batches)]
    assert rates.logged == pytest.approx(expected)
    assert rates.moved == pytest.approx(expected, rel=1e-3)
    assert name == "constant" or len(set(expected)) > 3


def test_plateau_lowers_the_rate_of_what_stands_still() -> None:
    rates = Rates()
    module = tiny_module(schedule=named("plateau", warmup_steps=1), optimizer={**SGD, "lr": 1e-9})
    train(module, BATCHES[:1], rates, max_epochs=11)
    assert [rate / 1e-9 for rate in rates.logged] == pytest.approx([1.0] * 5 + [0.5] * 4 + [0.25] * 2)


class Hearing(Constant):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[float] = []

    def observe(self, dev_cer: float) -> None:
        self.heard.append(dev_cer)


def test_schedules_hear_the_dev_cer_of_each_epoch() -> None:
    """Six references have ten letters in all, and an `a` is found for each."""
    schedule = Hearing()
    module = tiny_module(schedule=schedule, optimizer={**SGD, "lr": 0.0})
    module.recognizer.head.bias.data[1] = 9.0
    trainer = train(module, BATCHES, max_epochs=3)
    assert schedule.heard == pytest.approx([0.6] * 3)
    assert trainer.callback_metrics["dev_wer"] == pytest.approx(5 / 6)
