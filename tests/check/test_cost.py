from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqrec.check.cost import Measured, Trial, measure, project, representative

CONFIG: dict[str, Any] = {
    "seed": 0,
    "reader": {"_target_": "seqrec.ink.reader.InkReader"},
    "frontend": {"_target_": "seqrec.ink.deltas.StrokeDeltas"},
    "encoder": {"_target_": "seqrec.encoders.lstm.LSTMEncoder", "hidden_size": 4, "num_layers": 1},
    "text": {"_target_": "seqrec.text.tokens.CharacterTokenizer"},
    "ctc": {"_target_": "seqrec.ctc.loss.CTCLoss"},
    "optimizer": {"_target_": "torch.optim.AdamW", "lr": 0.001},
    "trainer": {"accelerator": "cpu", "max_epochs": 7, "gradient_clip_val": 5.0},
    "data": {"num_workers": 0},
}


def test_the_largest_batch_is_measured_first_then_a_spread_from_the_middle_out() -> None:
    padded = np.arange(100)
    chosen = representative(padded)
    assert chosen[0] == 99
    assert len(chosen) == 9
    assert {0, 99} <= set(chosen[1:])
    assert abs(chosen[1] - 50) < 10
    assert representative(np.array([5])) == [0, 0]


def test_a_trial_takes_real_steps(workshop: Any, row: Any) -> None:
    path = workshop.write("train", [row(f"a{i}", points=20) for i in range(4)])
    measured = measure(Trial(CONFIG, ("a", "b"), path, [[0, 1, 2], [3]], seconds=0.0))
    assert (measured.steps, measured.is_finite) == (1, True)
    assert measured.device.startswith("CPU, ")
    assert measured.frames > 10
    assert 0 < measured.forward_share <= 1
    assert measured.peak_bytes is None or measured.peak_bytes > 50 << 20


def test_a_loss_that_is_no_number_shows(workshop: Any, row: Any) -> None:
    path = workshop.write("train", [row("a", "ab", points=20)])
    config = {**CONFIG, "optimizer": {"_target_": "torch.optim.SGD", "lr": 1e38}}
    assert not measure(Trial(config, ("a", "b"), path, [[0]], seconds=0.0)).is_finite


@pytest.mark.parametrize(("num_workers", "seconds"), [(0, 100 * 0.05 + 20 * 0.04), (3, 100 * 0.02 + 20 * 0.01)])
def test_the_projection_is_by_frames(num_workers: int, seconds: float) -> None:
    measured = Measured(
        device="CPU", frames=1000, steps=5, step_seconds=20.0, read_seconds=30.0, forward_share=0.5, peak_bytes=1,
        is_finite=True,
    )  # fmt: skip
    cost = project(measured, 100, 20, {**CONFIG, "data": {"num_workers": num_workers}})
    assert cost.seconds_per_epoch == pytest.approx(seconds)
    assert cost.epochs == 7
    assert "5 training steps over 1000 padded frames" in cost.how
