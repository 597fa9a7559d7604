"""Batches: every example once, within bounds, dealt evenly, and the same for a seed and epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqrec.data.batching import FrameBatches
from seqrec.errors import UserError

FRAMES = st.lists(st.integers(1, 60), min_size=1, max_size=60)
RANDOM_FRAMES = np.random.default_rng(0).integers(20, 2000, 1500)


def batches_of(frames: Any, epoch: int = 0, skipped: int = 0, **options: Any) -> list[list[int]]:
    sampler = FrameBatches(np.array(frames), **options)
    sampler.set_epoch(epoch, skipped)
    return list(sampler)


def on_all_ranks(frames: Any, num_ranks: int, **options: Any) -> list[list[list[int]]]:
    return [batches_of(frames, rank=rank, num_ranks=num_ranks, **options) for rank in range(num_ranks)]


def padded(frames: Any, batch: list[int]) -> int:
    return len(batch) * max(frames[index] for index in batch)


def padding_share(frames: np.ndarray, batches: list[list[int]]) -> float:
    return 1 - frames[np.concatenate(batches)].sum() / sum(padded(frames, batch) for batch in batches)


@pytest.mark.parametrize("num_ranks", [1, 2, 3])
@given(frames=FRAMES, max_frames=st.integers(1, 300), max_examples=st.integers(1, 9), epoch=st.integers(0, 3))
def test_every_example_comes_once_within_bounds(
    num_ranks: int, frames: list[int], max_frames: int, max_examples: int, epoch: int
) -> None:
    assume(len(frames) >= num_ranks)
    ranks = on_all_ranks(frames, num_ranks, max_frames=max_frames, max_examples=max_examples, epoch=epoch)
    batches = [batch for batches in ranks for batch in batches]
    assert sorted(index for batch in batches for index in batch) == list(range(len(frames)))
    assert len({len(batches) for batches in ranks}) == 1
    past = [batch for batch in batches if len(batch) > max_examples or padded(frames, batch) > max_frames]
    together = [batch for batch in past if len(batch) > 1]
    assert len(together) < num_ranks
    assert not together or max(map(len, batches)) == 2  # all examples would be alone otherwise


@pytest.mark.parametrize(("count", "num_ranks"), [(61, 2), (5, 3), (7, 4)])
def test_examples_that_are_a_batch_each_are_shared_out_evenly(count: int, num_ranks: int) -> None:
    frames = list(range(count, 0, -1))
    ranks = on_all_ranks(frames, num_ranks, max_examples=1)
    assert {len(batches) for batches in ranks} == {count // num_ranks}
    batches = [batch for batches in ranks for batch in batches]
    assert sorted(index for batch in batches for index in batch) == list(range(count))
    surplus = count % num_ranks
    pairs = [batch for batch in batches if len(batch) == 2]
    assert len(pairs) == surplus
    assert {index for pair in pairs for index in pair} == set(range(count - 2 * surplus, count))  # the shortest


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_fewer_examples_than_ranks_are_refused_on_all_of_them(rank: int) -> None:
    with pytest.raises(UserError, match=r"^2 examples are too few for 3 devices; set trainer\.devices=1"):
        batches_of([3, 4], rank=rank, num_ranks=3)


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 4])
def test_ranks_have_equally_many_batches(num_ranks: int) -> None:
    for seed in range(20):
        counts = {len(batches) for batches in on_all_ranks(RANDOM_FRAMES, num_ranks, seed=seed)}
        assert len(counts) == 1


@given(FRAMES, st.data())
def test_only_the_named_examples_are_batched(frames: list[int], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.sampled_from(range(len(frames))), unique=True, min_size=1))
    batches = batches_of(frames, indices=np.array(sorted(kept)), max_frames=100)
    assert sorted(index for batch in batches for index in batch) == sorted(kept)


@pytest.mark.parametrize("num_ranks", [1, 2])
def test_the_same_for_a_seed_and_epoch_and_another_for_another(num_ranks: int) -> None:
    def draw(**options: Any) -> list[list[list[int]]]:
        return on_all_ranks(RANDOM_FRAMES, num_ranks, **options)

    assert draw(seed=3, epoch=2) == draw(seed=3, epoch=2)
    assert draw(seed=3, epoch=2) != draw(seed=3, epoch=1)
    assert draw(seed=3, epoch=2) != draw(seed=2, epoch=2)
    assert {frozenset(batch) for batch in draw(epoch=0)[0]} != {frozenset(batch) for batch in draw(epoch=1)[0]}


def test_one_sampler_goes_from_epoch_to_epoch() -> None:
    sampler = FrameBatches(RANDOM_FRAMES)
    for epoch in (0, 1, 0, 5):
        sampler.set_epoch(epoch)
        assert list(sampler) == list(sampler) == batches_of(RANDOM_FRAMES, epoch)


@given(st.integers(0, 40), st.integers(1, 3), st.data())
def test_a_resumed_epoch_goes_on_where_it_stopped(done: int, num_ranks: int, data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, num_ranks - 1))
    options = {"rank": rank, "num_ranks": num_ranks, "max_frames": 20_000, "epoch": 1}
    frames = RANDOM_FRAMES[:300]
    whole = batches_of(frames, **options)
    assert batches_of(frames, skipped=done, **options) == whole[done:]
    sampler = FrameBatches(frames, max_frames=20_000, rank=rank, num_ranks=num_ranks)
    sampler.set_epoch(1, done)
    assert len(sampler) == len(whole)


def test_like_lengths_share_a_batch() -> None:
    random_order = np.random.default_rng(1).permutation(len(RANDOM_FRAMES))
    sorted_share = padding_share(RANDOM_FRAMES, batches_of(RANDOM_FRAMES))
    random_share = padding_share(RANDOM_FRAMES, [part.tolist() for part in np.array_split(random_order, 200)])
    assert sorted_share < 0.2
    assert random_share > 0.4


def test_without_shuffling_the_longest_come_first() -> None:
    batches = batches_of([5, 9, 1, 7], shuffle=False, max_frames=14)
    assert batches == [[1], [3, 0], [2]]


def test_an_example_past_the_bound_is_alone() -> None:
    assert [7] in batches_of([3] * 7 + [1000], max_frames=12)


def test_nothing_makes_no_batches() -> None:
    assert batches_of(np.empty(0, np.int64)) == []


@pytest.mark.parametrize("options", [{"max_frames": 0}, {"max_examples": 0}])
def test_impossible_bounds_are_named(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))}=0"):
        FrameBatches(np.array([1]), **options)


@pytest.mark.parametrize(
    ("count", "median", "spread", "max_frames", "jitter"),
    [(25_708, 149, 0.42, 16_000, 0.1), (2260, 350, 0.4, 5000, 0.2)],  # of unipen/words and speechocean762/bilstm
)
@pytest.mark.parametrize("num_ranks", [1, 2])
def test_at_least_85_percent_of_a_recipes_frames_are_valid(
    count: int, median: int, spread: float, max_frames: int, jitter: float, num_ranks: int
) -> None:
    frames = (median * np.exp(np.random.default_rng(0).normal(0, spread, count))).astype(np.int32)
    options: dict[str, Any] = {"max_frames": max_frames, "jitter": jitter}
    for rank in on_all_ranks(frames, num_ranks, **options):
        assert padding_share(frames, rank) <= 0.15
