"""Out of memory: a batch that does not fit is named, cut into halves, and tried once more.

Both halves add up to the whole batch's mean gradient, so that training goes on as if it had fitted, but for the numbers
that dropout draws and batch normalisation's statistics. With several devices each does so by itself: the first half's
gradient is computed without DDP's hooks, and the second half's backward pass then meets the other devices. Only where
memory gives out within a backward pass, which has begun to meet them, or where batch normalisation meets them in each
forward pass, is there no way back.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from seqrec.errors import UserError
from seqrec.sequence import Batch

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class HalvingModule(LightningModule):
    """Runs each step by `batch_loss`, once more in halves where memory gives out.

    Lightning is given a stand-in for the loss: it comes back with what the loss is to be multiplied by (accumulation of
    gradients, loss scaling). The real one is held here alone, so that all its memory can be freed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.step_loss = torch.zeros(())  # of the last batch
        self._batch: Batch | None = None
        self._loss: Tensor | None = None  # None: forward has run out of memory
        self._stand_in = torch.zeros(())

    def batch_loss(self, batch: Batch, count: int | None = None) -> Tensor:
        """Return the summed losses of `batch`, divided by `count`, or else by its number of examples that count."""
        raise NotImplementedError

    def num_counted(self, batch: Batch) -> int:
        """Return the number of examples of `batch` that count."""
        raise NotImplementedError

    def seed_step(self) -> None:
        """Set the randomness of this step."""
        raise NotImplementedError

    def smaller_batches(self) -> str:
        """Return the option that makes smaller batches, such as `data.max_frames=4000`."""
        raise NotImplementedError

    @property
    def meets_others_forward(self) -> bool:
        """Whether a forward pass waits for other devices, as batch normalisation over all of them does."""
        return self.trainer.world_size > 1 and any(isinstance(each, nn.SyncBatchNorm) for each in self.modules())

    def on_fit_start(self) -> None:
        """Refuse what would follow the stand-in instead of the loss."""
        options = getattr(self.trainer.strategy, "_ddp_kwargs", {})
        if options.get("find_unused_parameters") or options.get("static_graph"):
            raise UserError(
                "trainer.strategy: here DDP needs no search for unused parameters; use trainer.strategy=ddp"
            )

    def forward_in_memory(self, batch: Batch) -> Tensor:
        """Compute the loss of `batch`, to be returned from `training_step`; 0 where memory has given out."""
        self._batch = batch
        self._loss = within_memory(lambda: self.batch_loss(batch))
        self.step_loss = torch.zeros((), device=self.device) if self._loss is None else self._loss.detach()
        self._stand_in = self.step_loss.clone().requires_grad_()
        return self._stand_in

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Compute the gradients, by `loss`, which was made of the stand-in."""
        (factor,) = torch.autograd.grad(loss, self._stand_in)
        if self._loss is not None:
            before = [None if weight.grad is None else weight.grad.clone() for weight in self.parameters()]
            if within_memory(lambda: self._backward_of_whole(factor)):
                return
            if self.trainer.world_size > 1:
                raise UserError(f"{self._out_of_memory()}, while the devices were exchanging gradients; {self._mend()}")
            for weight, gradient in zip(self.parameters(), before, strict=True):
                weight.grad = gradient
        self._backward_of_halves(factor)

    def _backward_of_whole(self, factor: Tensor) -> bool:
        loss, self._loss = self._loss, None
        assert loss is not None
        loss.backward(factor)
        return True

    def _backward_of_halves(self, factor: Tensor) -> None:
        assert self._batch is not None
        _free_memory()
        if len(self._batch) < 2:
            raise UserError(f"{self._out_of_memory()}; {self._mend()}")
        if self.meets_others_forward:
            raise UserError(
                f"{self._out_of_memory()}, and halves of it cannot be tried while trainer.sync_batchnorm waits for the "
                f"other devices; {self._mend()}"
            )
        logger.warning(f"{self._out_of_memory()}; trying it in halves; {self._mend()}")
        self.seed_step()
        value = within_memory(lambda: self._in_halves(factor))
        if value is None:
            raise UserError(f"{self._out_of_memory()}, and so do its halves; {self._mend()}")
        self.step_loss = value

    def _in_halves(self, factor: Tensor) -> Tensor:
        """Add both halves' gradients to those there are; return the loss of the whole."""
        assert self._batch is not None
        count = self.num_counted(self._batch)
        first, second = halves(self._batch)
        loss = self._loss_of_half(first, count)
        value = loss.detach()
        weights = [weight for weight in self.parameters() if weight.requires_grad]
        gradients = torch.autograd.grad(loss, weights, factor, allow_unused=True)
        for weight, gradient in zip(weights, gradients, strict=True):
            if gradient is not None:
                weight.grad = gradient if weight.grad is None else weight.grad + gradient
        del loss, gradients, gradient
        loss = self._loss_of_half(second, count)
        loss.backward(factor)
        return value + loss.detach()

    def _loss_of_half(self, batch: Batch, count: int) -> Tensor:
        with self.trainer.precision_plugin.train_step_context():
            return self.batch_loss(batch, count)

    def _out_of_memory(self) -> str:
        assert self._batch is not None
        shown = ", ".join(f"`{id}`" for id in self._batch.ids[:3]) + (", ..." if len(self._batch) > 3 else "")
        return (
            f"out of memory in step {self.global_step}: its batch of {len(self._batch)} examples ({shown}) of up to "
            f"{int(self._batch.signal_lengths.max())} samples or points does not fit"
        )

    def _mend(self) -> str:
        return f"{self.smaller_batches()} makes smaller batches"


def within_memory(attempt: Callable[[], Result]) -> Result | None:
    """Return the result of `attempt`, or None where memory gives out; nothing of it is held then."""
    try:
        return attempt()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    return None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an accelerator's or the CPU's allocator has found no memory."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(error)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Cut a batch into two, each padded to its own longest example."""
    middle = len(batch) // 2
    return _part(batch, slice(None, middle)), _part(batch, slice(middle, None))


def _part(batch: Batch, rows: slice) -> Batch:
    signal_lengths, target_lengths = batch.signal_lengths[rows], batch.target_lengths[rows]
    return Batch(
        ids=batch.ids[rows],
        signals=batch.signals[rows, : int(signal_lengths.max())],
        signal_lengths=signal_lengths,
        targets=batch.targets[rows, : int(target_lengths.max())],
        target_lengths=target_lengths,
        texts=batch.texts[rows],
        seeds=batch.seeds[rows],
    )


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
