"""The optimiser of a config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
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
    """Build the optimiser of `config` over `weights`.

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
    optimizer: torch.optim.Optimizer = build(config, "optimizer", params=weights)
    return optimizer


def is_schedule_free(config: Mapping[str, Any]) -> bool:
    """Tell whether the optimiser of `config` averages its weights itself."""
    return str(config.get("_target_")).split(".")[0] == SCHEDULE_FREE
