from __future__ import annotations

import importlib.util

import pytest
import torch
import yaml
from lightning.fabric.plugins.precision.amp import _optimizer_handles_unscaling
from torch import nn

from seqrec.errors import UserError
from seqrec.share import share_folder
from seqrec.training.optimizer import build_optimizer
from seqrec.training.schedule import Constant, WarmupCosine

SCHEDULE_FREE = {"_target_": "schedulefree.AdamWScheduleFree", "lr": 0.01}


def weights() -> list[nn.Parameter]:
    return [nn.Parameter(torch.ones(2))]


def test_sgd_steps_by_nesterovs_momentum() -> None:
    config = yaml.safe_load((share_folder("conf") / "optimizer" / "sgd.yaml").read_text())
    (weight,) = weights()
    optimizer = build_optimizer({**config, "lr": 0.1}, [weight], WarmupCosine())
    found = []
    for _ in range(3):
        weight.grad = torch.ones(2)
        optimizer.step()
        found.append(float(weight.detach()[0]))
    assert found == pytest.approx([1 - 0.19, 0.81 - 0.271, 0.539 - 0.3439])  # 1 + 0.9 * (1, 1.9, 2.71)


def test_schedule_free_takes_no_schedule() -> None:
    assert build_optimizer(SCHEDULE_FREE, weights(), Constant()).param_groups[0]["lr"] == 0.01
    with pytest.raises(UserError, match=r"schedule WarmupCosine: it needs none; add schedule=constant"):
        build_optimizer(SCHEDULE_FREE, weights(), WarmupCosine())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqrec.training.optimizer.find_spec", lambda name: None)
    assert importlib.util.find_spec("schedulefree")
    with pytest.raises(UserError, match=r"pip install 'seqrec\[schedulefree\]'"):
        build_optimizer(SCHEDULE_FREE, weights(), Constant())


@pytest.mark.parametrize(
    ("options", "is_fused"),
    [
        ({"_target_": "torch.optim.AdamW"}, True),
        ({"_target_": "torch.optim.SGD", "lr": 0.1}, True),
        ({"_target_": "torch.optim.AdamW", "foreach": True}, False),
        ({"_target_": "torch.optim.AdamW", "fused": False}, False),
        ({"_target_": "torch.optim.Adadelta"}, False),
    ],
)
def test_on_a_gpu_optimisers_are_fused(options: dict, is_fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not build_optimizer(options, weights(), WarmupCosine()).defaults.get("fused")
    monkeypatch.setattr(nn.Parameter, "is_cuda", True)
    optimizer = build_optimizer(options, weights(), WarmupCosine())
    assert bool(optimizer.defaults.get("fused")) == is_fused
    assert not _optimizer_handles_unscaling(optimizer)  # Lightning would refuse to clip
