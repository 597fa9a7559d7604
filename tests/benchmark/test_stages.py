"""Each moment belongs to one stage."""

from __future__ import annotations

import itertools

import pytest

from seqrec.benchmark import stages
from seqrec.benchmark.stages import STAGES, StageClock, StageProfiler


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is one second later whenever it is looked at."""
    ticks = itertools.count()
    monkeypatch.setattr(stages, "perf_counter", lambda: float(next(ticks)))


def test_inner_stages_are_taken_from_outer_ones(ticking: None) -> None:
    clock = StageClock(is_cuda=False)
    with clock.stage("encoder"):  # 0 to 1
        with clock.stage("front-end"):  # 1 to 2
            pass
        clock.timed("CTC", lambda: None)()  # 3 to 4, after 2 to 3 of the encoder, before 4 to 5
    clock.stop()  # 5 to 6 belongs to no stage
    clock.begin("data")  # 6 to 7 is nobody's
    clock.end()  # 7 to 8
    found = clock.seconds()
    assert list(found) == list(STAGES)
    assert found["encoder"] == 3
    assert found["front-end"] == found["CTC"] == found["data"] == 1
    assert found["other"] == 1
    assert clock.seconds() == found
    clock.clear()
    assert not any(clock.seconds().values())


def test_lightnings_actions_are_stages(ticking: None) -> None:
    fetched = []
    clock = StageClock(is_cuda=False)
    profiler = StageProfiler(clock, lambda: fetched.append(True))
    profiler.start("[_TrainingEpochLoop].train_dataloader_next")
    profiler.stop("[_TrainingEpochLoop].train_dataloader_next")
    with profiler.profile("[LightningModule]RecognitionTraining.optimizer_step"):
        with profiler.profile("[Strategy]SingleDeviceStrategy.training_step"):
            pass
        with profiler.profile("[Strategy]SingleDeviceStrategy.backward"):
            pass
        with profiler.profile("[Callback]Of.optimizer_step"):
            pass
    clock.stop()
    found = clock.seconds()
    assert fetched == [True]
    assert (found["data"], found["encoder"], found["backward"], found["optimiser"]) == (1, 1, 1, 3)
