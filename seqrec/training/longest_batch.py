"""A look at the longest batch before a GPU trains: where memory gives out, it shows at once and not after an hour."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from seqrec.data.batching import FrameBatches
from seqrec.sequence import Batch
from seqrec.training.memory import within_memory

if TYPE_CHECKING:
    from seqrec.training.module import RecognitionTraining

logger = logging.getLogger(__name__)


def longest_batch(loader: DataLoader[Batch]) -> Batch | None:
    """Return the batch of this epoch and rank with the most frames, padding among them; None: no batch is left."""
    batches = loader.batch_sampler
    assert isinstance(batches, FrameBatches)
    indices = max(batches, key=lambda batch: len(batch) * int(batches.frames[batch].max()), default=None)
    if indices is None:
        return None
    batch: Batch = loader.collate_fn([loader.dataset[index] for index in indices])
    return batch


def try_batch(module: RecognitionTraining, batch: Batch) -> bool:
    """Compute the gradients of `batch` and throw them away; return whether memory was enough, and say so if not.

    The memory stays with the process, in pieces that any shorter batch fits into. Random numbers, gradients and
    statistics of the module are as they were.
    """
    buffers = [buffer.clone() for buffer in module.buffers()]
    devices = [module.device] if module.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        fits = within_memory(lambda: _gradients(module, batch.to(module.device))) is not None
    for buffer, before in zip(module.buffers(), buffers, strict=True):
        buffer.copy_(before)
    if not fits:
        if module.device.type == "cuda":
            torch.cuda.empty_cache()
        logger.warning(
            f"the longest batch, of {len(batch)} examples ({batch.ids[0]} among them) of up to "
            f"{int(batch.signal_lengths.max())} samples or points, does not fit into memory; such batches will be cut "
            f"into halves, which takes time: {module.smaller_batches()} makes smaller batches"
        )
    return fits


def _gradients(module: RecognitionTraining, batch: Batch) -> tuple[Tensor | None, ...]:
    """Return what a backward pass gives, without the hooks by which DDP would meet the other devices."""
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    with module.trainer.precision_plugin.train_step_context():
        loss = module.summed_loss(batch)
    return torch.autograd.grad(loss, weights, allow_unused=True)
