"""Batches of examples that lie in shards: a few shards at a time, every example once an epoch over all ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from seqrec.data.batching import FrameBatches, join_until, split_until
from seqrec.data.dataset import ManifestDataset


class ShardBatches(FrameBatches):
    """Frame-bounded batches, each of examples of a group of shards.

    Each epoch the shards are shuffled and laid end to end; the ranks get stretches of equal frames, so that a shard on
    the border of two stretches is shared, and nothing is lost or repeated. A rank goes through its stretch group by
    group, mixing lengths and batches within the group as `FrameBatches` does. Batches are split, and where that cannot
    be put together, until each rank has equally many.

    Args:
        frames: (examples,) frames of each example.
        indices: the examples to batch; all where None.
        num_examples: (shards,) examples of each shard, which lie one shard after the other.
        group: shards that are mixed with one another.
        prefetch: called with the numbers of the shards that come after those in use.
        options: as of `FrameBatches`.
    """

    def __init__(
        self,
        frames: np.ndarray,
        indices: np.ndarray | None,
        num_examples: np.ndarray,
        group: int,
        prefetch: Callable[[Sequence[int]], None] = lambda shards: None,
        **options: Any,
    ) -> None:
        super().__init__(frames, indices, **options)
        assert num_examples.sum() == len(frames)
        self.ends = np.cumsum(num_examples)
        self.group = group
        self.prefetch = prefetch

    def __iter__(self) -> Iterator[list[int]]:
        batches = list(super().__iter__())
        shards = [np.unique(self._shards_of(np.array(batch))).tolist() for batch in batches]
        turn = {shard: number for number, shard in enumerate(dict.fromkeys(s for some in shards for s in some))}
        order, reached = list(turn), -1
        for batch, some in zip(batches, shards, strict=True):
            latest = max(turn[shard] for shard in some)
            if latest > reached:
                reached = latest
                self.prefetch(order[reached + 1 : reached + 1 + self.group])
            yield batch

    def _make_batches(self) -> list[np.ndarray]:
        random = np.random.default_rng((self.seed, self.epoch))
        shards = np.arange(len(self.ends))
        parts = np.split(self.indices, np.searchsorted(self.indices, self.ends[:-1]))
        examples = np.concatenate([parts[shard] for shard in (random.permutation(shards) if self.shuffle else shards)])
        for weights in (self.frames, np.ones_like(self.frames)):  # a few long examples may not do for a rank
            ranks = [self._batch_stretch(part, random) for part in _cut(examples, weights[examples], self.num_ranks)]
            most = max(map(len, ranks))
            ranks = [split_until(batches, most) for batches in ranks]
            if all(len(batches) == most for batches in ranks):
                break
        least = min(map(len, ranks))
        self._check_enough(least * self.num_ranks)
        ranks = [join_until(batches, least, self.frames) for batches in ranks]
        return [batch for turn in zip(*ranks, strict=True) for batch in turn]

    def _batch_stretch(self, examples: np.ndarray, random: np.random.Generator) -> list[np.ndarray]:
        """Batch a rank's examples, group by group."""
        if not len(examples):
            return []
        of_shards = np.split(examples, np.flatnonzero(np.diff(self._shards_of(examples))) + 1)
        batches: list[np.ndarray] = []
        for group in np.array_split(np.arange(len(of_shards)), -(-len(of_shards) // self.group)):
            mixed = self._pack_by_length(np.concatenate([of_shards[number] for number in group]), random)
            batches += self._in_order(mixed, random)
        return batches

    def _shards_of(self, examples: np.ndarray) -> np.ndarray:
        """Return the number of the shard of each example."""
        return np.searchsorted(self.ends, examples, side="right")


def batches_of(
    dataset: ManifestDataset, frames: np.ndarray, indices: np.ndarray | None, **options: Any
) -> FrameBatches:
    """Return the batches of a split, which lies in shards or in files of its own; `options` as of `FrameBatches`."""
    if dataset.shards is None:
        return FrameBatches(frames, indices, **options)
    shards = dataset.shards
    return ShardBatches(frames, indices, shards.split.num_examples, shards.group, shards.prefetch, **options)


def _cut(examples: np.ndarray, weights: np.ndarray, count: int) -> list[np.ndarray]:
    """Cut `examples` into `count` stretches of equal weight; an example goes where its middle falls."""
    reached = np.cumsum(weights, dtype=np.int64)
    return np.split(examples, np.searchsorted(reached - weights / 2, reached[-1] * np.arange(1, count) / count))
