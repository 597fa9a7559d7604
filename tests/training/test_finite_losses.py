"""Losses that are no numbers are refused, at once or a step later."""

from __future__ import annotations

import pytest
import torch

from seqrec.errors import UserError
from seqrec.training import finite_losses
from seqrec.training.finite_losses import FiniteLosses


def test_on_a_cpu_it_is_told_at_once() -> None:
    losses = FiniteLosses()
    losses.add(["a", "b"], torch.tensor([1.0, 2.0]), "epoch 1, step 0")
    with pytest.raises(UserError, match="2 of 3 examples is infinite or no number in epoch 1, step 1: b, c; lower"):
        losses.add(["a", "b", "c"], torch.tensor([1.0, torch.nan, torch.inf]), "epoch 1, step 1")


def test_what_a_gpu_finds_is_told_later() -> None:
    waited = []

    class Copied:
        def synchronize(self) -> None:
            waited.append(True)

    losses = FiniteLosses()
    pending = finite_losses._Pending(["a", "b"], torch.tensor([True, False]), "epoch 1, step 4", Copied())
    losses._pending.append(pending)
    with pytest.raises(UserError, match=r"1 of 2 examples .* in epoch 1, step 4: b;"):
        losses.look()
    assert waited == [True]
    losses.look()
