"""The optimiser of a config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from inspect import signature
from typing import Any

import torch
from torch import nn

from seqrec.errors import UserError
from seqrec.share import build
from seqrec.training.schedule import Constant, Schedule

SCHEDULE_FREE = "schedulefree"  # the package of Defazio et al. 2024


def build_optimizer(
    config: Mapping[str, Any], weights: Iterable[nn.Parameter], schedule: Schedule
) -> torch.optim.Optimizer:
    """Build the optimiser of `config` over `weights`; on a GPU a step is one kernel, where torch has it.

    Raises:
        UserError: it is schedule-free, and its package is missing or it is given a schedule.
    """
    if is_schedule_free(config):
        if find_spec(SCHEDULE_FREE) is None:
            raise UserError("optimizer=schedule_free needs a package more: pip install 'seqrec[schedulefree]'")
        if not isinstance(schedule, Constant):
            raise UserError(
                f"optimizer=schedule_free with schedule {type(schedule).__name__}: it needs none; add schedule=constant"
            )
    weights = list(weights)
    optimizer: torch.optim.Optimizer = build({**_fused(config, weights), **config}, "optimizer", params=weights)
    # Lightning takes every fused optimiser for one that undoes the loss scaling of float16 itself, and will not clip.
    if getattr(optimizer, "_step_supports_amp_scaling", False):
        optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
    return optimizer


def _fused(config: Mapping[str, Any], weights: Sequence[nn.Parameter]) -> dict[str, bool]:
    """Return the option that makes torch's optimisers fused, where they have it and the weights lie on a GPU."""
    package, _, name = str(config.get("_target_")).rpartition(".")
    known = package == "torch.optim" and "fused" in signature(getattr(torch.optim, name, _fused)).parameters
    is_set = {"foreach", "capturable", "differentiable"} & {key for key, value in config.items() if value}
    return {"fused": True} if known and not is_set and all(weight.is_cuda for weight in weights) else {}


def is_schedule_free(config: Mapping[str, Any]) -> bool:
    """Tell whether the optimiser of `config` averages its weights itself."""
    return str(config.get("_target_")).split(".")[0] == SCHEDULE_FREE
