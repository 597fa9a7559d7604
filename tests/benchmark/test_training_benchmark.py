"""Real steps of a tiny run, measured beside bare ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from seqrec.benchmark.results import Measurement
from seqrec.benchmark.stages import STAGES
from seqrec.benchmark.training import Block, SideBySide, bench_training
from seqrec.errors import UserError

EXTRAS = {
    "ema": {"_target_": "seqrec.training.averaged_weights.ExponentialAverage"},
    "early_stopping": {"_target_": "seqrec.training.early_stopping.EarlyStopping"},
    "averaging": {"_target_": "seqrec.training.checkpoint_averaging.CheckpointAveraging"},
}


def measured(config: dict[str, Any], corpus: Path, steps: int) -> dict[tuple[str, str], Measurement]:
    found = bench_training(config, corpus, steps, lambda items, title: items)
    return {(one.name, one.unit): one for one in found}


@pytest.mark.parametrize("options", [{}, {"precision": "bf16-mixed", "accumulate_grad_batches": 2}])
def test_a_recipe_is_measured(options: dict[str, Any], ink_run: Path) -> None:
    config = yaml.safe_load((ink_run / "config.yaml").read_text(encoding="utf-8"))
    (corpus,) = (path.parent for path in ink_run.parent.glob("data/synth_ink*/tokens.json"))
    before = sorted(ink_run.rglob("*")), sorted(corpus.iterdir())
    config = {**config, "trainer": {**config["trainer"], **options}, "callbacks": EXTRAS}
    found = measured(config, corpus, 12)  # more than an epoch has
    shares = [found[stage, "% of time"].value for stage in STAGES]
    assert sum(shares) == pytest.approx(100)
    assert all(found[stage, "% of time"].value > 0 for stage in STAGES)
    assert found["examples", "examples/s"].value > 1
    assert found["valid frames", "valid frames/s"].value > found["examples", "examples/s"].value
    assert found["share of the bare loop's speed", "%"].value > 0
    assert 0 <= found["padding", "% of frames"].value < 60
    assert found["peak memory", "MB"].value > 50
    assert (sorted(ink_run.rglob("*")), sorted(corpus.iterdir())) == before


def test_medians_and_sums() -> None:
    side = SideBySide()
    side.begin_clock(is_cuda=False)
    warm_up = Block(1, 1, 1, 100.0, 1.0)
    side.blocks = [warm_up] * 3 + [Block(4, 30, 40, 2.0, 1.0), Block(4, 50, 60, 1.0, 0.9), Block(2, 20, 20, 1.0, 0.6)]
    found = {(one.name, one.unit): one.value for one in side.measurements(world_size=2)}
    assert found["examples", "examples/s"] == 4  # 2 processes with 2, 4 and 2
    assert found["valid frames", "valid frames/s"] == 40
    assert found["share of the bare loop's speed", "%"] == pytest.approx(60)
    assert found["padding", "% of frames"] == pytest.approx(100 * 20 / 120)
    assert ("peak memory", "MB") not in found


def test_what_lightning_refuses_is_a_sentence(ink_run: Path) -> None:
    config = yaml.safe_load((ink_run / "config.yaml").read_text(encoding="utf-8"))
    (corpus,) = (path.parent for path in ink_run.parent.glob("data/synth_ink*/tokens.json"))
    trainer = {**config["trainer"], "devices": 0}
    with pytest.raises(UserError, match=r"trainer: .*devices=0.*; trainer=cpu trains on any machine"):
        bench_training({**config, "trainer": trainer}, corpus, 1, lambda items, title: items)


def test_no_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--steps 0"):
        bench_training({}, tmp_path, 0, lambda items, title: items)
