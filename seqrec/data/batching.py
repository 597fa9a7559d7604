"""Batches of examples of like length, bounded by frames, the same for a seed and epoch on any number of ranks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from seqrec.errors import UserError


class FrameBatches(Sampler[list[int]]):
    """Batches of which no padded one has more than `max_frames` frames.

    Each epoch, lengths are blurred by `jitter` before they are sorted, so that batches mix anew, and the order of
    batches is shuffled. Every example comes once an epoch: over several ranks, batches are split until each rank has
    equally many, never repeated. Where examples that are a batch each do not share out evenly, such as 61 over 2 ranks,
    the shortest go together, past the bounds.

    Args:
        frames: (examples,) frames of each example.
        indices: the examples to batch; all where None.
        max_frames: frames of a padded batch, at most; a longer example makes a batch of its own.
        max_examples: examples of a batch, at most.
        shuffle: blur and shuffle; else batches come in order of length, longest first.
        jitter: lengths are multiplied by up to 1 ± `jitter` before sorting.
        seed: of the shuffling.
        rank: whose share of the batches to yield.
        num_ranks: how many ranks share the batches.
    """

    def __init__(
        self,
        frames: np.ndarray,
        indices: np.ndarray | None = None,
        max_frames: int = 8000,
        max_examples: int = 64,
        shuffle: bool = True,
        jitter: float = 0.2,
        seed: int = 0,
        rank: int = 0,
        num_ranks: int = 1,
    ) -> None:
        if max_frames < 1 or max_examples < 1:
            raise UserError(f"data.max_frames={max_frames}, data.max_examples={max_examples}: both must be at least 1")
        self.frames = frames
        self.indices = np.arange(len(frames), dtype=np.int32) if indices is None else indices
        self.max_frames = max_frames
        self.max_examples = max_examples
        self.shuffle = shuffle
        self.jitter = jitter
        self.seed = seed
        self.rank = rank
        self.num_ranks = num_ranks
        self.epoch = 0
        self.skipped_batches = 0  # of this epoch, when it is resumed in its middle
        self._cached: tuple[int, list[np.ndarray]] | None = None

    def set_epoch(self, epoch: int, skipped_batches: int = 0) -> None:
        """Choose the epoch that is batched next, and how many of this rank's batches are already done."""
        self.epoch = epoch
        self.skipped_batches = skipped_batches

    def __len__(self) -> int:
        """Count this rank's batches of the epoch, done ones among them."""
        return len(range(self.rank, len(self._batches()), self.num_ranks))

    def __iter__(self) -> Iterator[list[int]]:
        mine = self._batches()[self.rank :: self.num_ranks]
        return (batch.tolist() for batch in mine[self.skipped_batches :])

    def _batches(self) -> list[np.ndarray]:
        """Return the epoch's batches of all ranks."""
        if self._cached is None or self._cached[0] != self.epoch:
            self._cached = (self.epoch, self._make_batches())
        return self._cached[1]

    def _make_batches(self) -> list[np.ndarray]:
        random = np.random.default_rng((self.seed, self.epoch))
        batches = self._pack_by_length(self.indices, random)
        batches = split_until(batches, -(-len(batches) // self.num_ranks) * self.num_ranks)
        self._check_enough(len(batches))
        batches = join_until(batches, len(batches) // self.num_ranks * self.num_ranks, self.frames)
        return self._in_order(batches, random)

    def _check_enough(self, most: int) -> None:
        """Refuse fewer examples than ranks: alike on all of them, so that none waits for another."""
        if most < self.num_ranks > 1:
            raise UserError(
                f"{len(self.indices)} examples are too few for {self.num_ranks} devices; set trainer.devices=1"
            )

    def _pack_by_length(self, indices: np.ndarray, random: np.random.Generator) -> list[np.ndarray]:
        """Return batches of examples of like length."""
        lengths = self.frames[indices].astype(np.float64)
        if self.shuffle:  # another way to draw would give other runs for the same seeds
            lengths *= random.uniform(1 - self.jitter, 1 + self.jitter, len(lengths))
            lengths += random.uniform(0, 1e-3, len(lengths))  # equal lengths mix too
        return self._pack(indices[np.argsort(np.negative(lengths, out=lengths), kind="stable")])

    def _in_order(self, batches: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
        """Return batches in the order they are yielded in."""
        return [batches[i] for i in random.permutation(len(batches))] if self.shuffle else batches

    def _pack(self, order: np.ndarray) -> list[np.ndarray]:
        batches: list[np.ndarray] = []
        counts = np.arange(1, self.max_examples + 1)
        start = 0
        while start < len(order):
            candidates = order[start : start + self.max_examples]
            padded = np.maximum.accumulate(self.frames[candidates]) * counts[: len(candidates)]
            count = max(1, int(np.searchsorted(padded, self.max_frames, side="right")))  # it grows with each example
            batches.append(candidates[:count])
            start += count
        return batches


def split_until(batches: list[np.ndarray], count: int) -> list[np.ndarray]:
    """Halve the largest batches until there are `count`, as far as there are examples."""
    batches = list(batches)
    while len(batches) < count:
        largest = max(range(len(batches)), key=lambda i: len(batches[i]), default=0)
        if not batches or len(batches[largest]) < 2:
            break
        batch = batches[largest]
        batches[largest : largest + 1] = [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
    return batches


def join_until(batches: list[np.ndarray], count: int, frames: np.ndarray) -> list[np.ndarray]:
    """Put two batches of the fewest and shortest examples together until there are `count`."""
    batches = list(batches)
    while len(batches) > count:
        by_size = sorted(range(len(batches)), key=lambda i: (len(batches[i]), frames[batches[i]].max()))
        first, second = sorted(by_size[:2])
        batches[first] = np.concatenate([batches[first], batches.pop(second)])
    return batches
