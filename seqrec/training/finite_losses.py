"""Looking whether losses are numbers, without waiting for a GPU, and weights, before they are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqrec.errors import UserError


@dataclass(frozen=True)
class _Pending:
    """What a step has found out, or a GPU is finding out."""

    ids: list[str]
    is_finite: Tensor  # (B,) bool, on the CPU; filled once the GPU is there
    where: str
    copied: torch.cuda.Event | None


class FiniteLosses:
    """Refuses losses that are infinite or no numbers.

    A GPU is some way behind the program, so what it finds is looked at a step later, or before anything is kept.
    """

    def __init__(self) -> None:
        self._pending: deque[_Pending] = deque()

    def add(self, ids: list[str], losses: Tensor, where: str) -> None:
        """Note the losses (B,) of the examples `ids`; on a CPU, look at them at once.

        Raises:
            UserError: one is no number; its examples and `where`, such as "epoch 1, step 7", are named.
        """
        found, copied = losses.detach().isfinite(), None
        if found.is_cuda:
            on_cpu = torch.empty(found.shape, dtype=torch.bool, pin_memory=True)
            found = on_cpu.copy_(found, non_blocking=True)
            copied = torch.cuda.Event()
            copied.record()
        self._pending.append(_Pending(ids, found, where, copied))
        if copied is None:
            self.look()

    def look(self) -> None:
        """Look at all that was noted; raise as `add` does."""
        while self._pending:
            step = self._pending.popleft()
            if step.copied is not None:
                step.copied.synchronize()
            bad = [id for id, finite in zip(step.ids, step.is_finite.tolist(), strict=True) if not finite]
            if bad:
                raise UserError(
                    f"the loss of {len(bad)} of {len(step.ids)} examples is infinite or no number in {step.where}: "
                    f"{', '.join(bad[:3])}; lower optimizer.lr or trainer.gradient_clip_val, or look at these "
                    "examples; the last checkpoint is kept"
                )


def refuse_broken_weights(weights: Iterable[Tensor], where: str) -> None:
    """Look whether all weights are numbers.

    A finite loss may have a gradient that is none, and an example of another device spoils the weights of all.

    Raises:
        UserError: some are not; `where` is named.
    """
    if not bool(torch.stack([weight.detach().isfinite().all() for weight in weights]).all()):
        raise UserError(
            f"weights are infinite or no numbers in {where}: the run has diverged; lower optimizer.lr or "
            "trainer.gradient_clip_val; the last checkpoint is kept"
        )
