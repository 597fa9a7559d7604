"""Batches over shards: every example once over all ranks, few shards at a time, and the same for a seed and epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.data.shard_batches import ShardBatches
from seqrec.errors import UserError

SHARDS = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=12), min_size=1, max_size=9)
RANDOM_SHARDS = [np.random.default_rng(i).integers(20, 2000, 90 + i) for i in range(23)]


def sampler_of(shards: Sequence[Any], group: int = 4, indices: Any = None, **options: Any) -> ShardBatches:
    frames = np.concatenate([np.array(shard, np.int32) for shard in shards])
    return ShardBatches(frames, indices, np.array([len(shard) for shard in shards]), group, **options)


def on_all_ranks(shards: Sequence[Any], num_ranks: int, epoch: int = 0, **options: Any) -> list[list[list[int]]]:
    samplers = [sampler_of(shards, rank=rank, num_ranks=num_ranks, **options) for rank in range(num_ranks)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    ranks = [list(sampler) for sampler in samplers]
    assert [len(sampler) for sampler in samplers] == [len(batches) for batches in ranks]
    return ranks


@given(
    SHARDS,
    st.integers(1, 3),
    st.integers(1, 4),
    st.booleans(),
    st.integers(1, 300),
    st.integers(1, 9),
    st.integers(0, 3),
)
def test_every_example_comes_once_within_bounds(
    shards: list[list[int]],
    num_ranks: int,
    group: int,
    shuffle: bool,
    max_frames: int,
    max_examples: int,
    epoch: int,
) -> None:
    frames = [length for shard in shards for length in shard]
    options = {"group": group, "shuffle": shuffle, "max_frames": max_frames, "max_examples": max_examples}
    try:
        ranks = on_all_ranks(shards, num_ranks, epoch, **options)
    except UserError:
        assert len(frames) < num_ranks
        return
    assert sorted(index for batches in ranks for batch in batches for index in batch) == list(range(len(frames)))
    assert len({len(batches) for batches in ranks}) == 1
    for batches in ranks:
        sizes = [len(batch) * max(frames[index] for index in batch) for batch in batches if len(batch) > 1]
        past = [batch for batch in batches if len(batch) > max_examples]
        assert len(past) + sum(size > max_frames for size in sizes) <= 2  # one batch, by both bounds
        assert not past or max(map(len, batches)) == 2


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 5])
def test_a_rank_reads_few_shards_at_a_time_and_each_once(num_ranks: int) -> None:
    ends = np.cumsum([len(shard) for shard in RANDOM_SHARDS])
    for batches in on_all_ranks(RANDOM_SHARDS, num_ranks, group=2):
        shards = [set(np.searchsorted(ends, batch, side="right").tolist()) for batch in batches]
        assert max(map(len, shards)) <= 2
        used = set.union(*shards)
        assert len(used) <= len(RANDOM_SHARDS) / num_ranks + 2  # the shards on its borders are shared
        spans = [[i for i, some in enumerate(shards) if shard in some] for shard in used]
        assert sum(span[-1] - span[0] + 1 for span in spans) <= 2 * len(batches)  # two are open at a time


@pytest.mark.parametrize("num_ranks", [2, 3])
def test_ranks_get_equal_frames(num_ranks: int) -> None:
    frames = np.concatenate(RANDOM_SHARDS)
    shares = [frames[np.concatenate(batches)].sum() for batches in on_all_ranks(RANDOM_SHARDS, num_ranks)]
    assert max(shares) - min(shares) <= 2 * frames.max()


def test_more_ranks_than_shards_share_them() -> None:
    ranks = on_all_ranks(RANDOM_SHARDS[:2], 3)
    assert sorted(np.concatenate([np.concatenate(batches) for batches in ranks])) == list(range(181))


def test_a_few_long_examples_leave_no_rank_without_work() -> None:
    ranks = on_all_ranks([[5000], [10] * 9], 2, max_frames=30)
    assert sorted(index for batches in ranks for batch in batches for index in batch) == list(range(10))
    assert len(ranks[0]) == len(ranks[1])


@pytest.mark.parametrize("max_examples", [1, 9])
def test_examples_that_are_a_batch_each_are_shared_out_evenly(max_examples: int) -> None:
    frames = [[900 + i for i in range(10)], [950] * 11, [999] * 4]
    ranks = on_all_ranks(frames, 2, max_frames=1000, max_examples=max_examples)
    assert [len(batches) for batches in ranks] == [12, 12]
    assert sorted(index for batches in ranks for batch in batches for index in batch) == list(range(25))


def test_too_few_examples_for_the_ranks_are_said() -> None:
    with pytest.raises(UserError, match=r"^2 examples are too few for 3 devices; set trainer\.devices=1"):
        on_all_ranks([[3], [4]], 3)


def test_only_the_named_examples_are_batched() -> None:
    kept = np.array([0, 3, 4, 8])  # of the shards of 0-2, 3-4, 5-6, 7-8
    batches = list(sampler_of([[1, 2, 3], [1, 2], [1, 2], [1, 2]], indices=kept))
    assert sorted(index for batch in batches for index in batch) == kept.tolist()


def test_the_same_for_a_seed_and_epoch_and_another_for_another() -> None:
    def draw(epoch: int, seed: int) -> list[list[list[int]]]:
        return on_all_ranks(RANDOM_SHARDS, 2, epoch, seed=seed)

    assert draw(2, 3) == draw(2, 3)
    assert draw(2, 3) != draw(1, 3)
    assert draw(2, 3) != draw(2, 4)


@pytest.mark.parametrize("done", [0, 1, 17, 10_000])
def test_a_resumed_epoch_goes_on_where_it_stopped(done: int) -> None:
    whole = on_all_ranks(RANDOM_SHARDS, 2, epoch=1)[1]
    sampler = sampler_of(RANDOM_SHARDS, rank=1, num_ranks=2)
    sampler.set_epoch(1, done)
    assert list(sampler) == whole[done:]
    assert len(sampler) == len(whole)


def test_like_lengths_share_a_batch() -> None:
    frames = np.concatenate(RANDOM_SHARDS)
    (batches,) = on_all_ranks(RANDOM_SHARDS, 1)
    padded = sum(frames[batch].max() * len(batch) for batch in batches)
    assert 1 - frames.sum() / padded < 0.25


def test_the_next_shards_are_asked_for_before_they_are_needed() -> None:
    ends = np.cumsum([len(shard) for shard in RANDOM_SHARDS])
    known: set[int] = set()
    sampler = sampler_of(RANDOM_SHARDS, group=2, prefetch=known.update)
    first: set[int] = set()
    for batch in sampler:
        shards = set(np.searchsorted(ends, batch, side="right").tolist())
        first = first or shards
        assert shards <= known | first
        known |= shards
    assert known == set(range(len(RANDOM_SHARDS)))
