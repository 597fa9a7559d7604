"""Bootstrap intervals: how often they hold the truth, and a plain loop that draws examples one by one."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.random import default_rng

from seqrec.metrics.intervals import Interval, bootstrap_interval, paired_bootstrap


def loop(errors: np.ndarray, lengths: np.ndarray, groups: list[str] | None, num_resamples: int) -> np.ndarray:
    """Draw whole groups one by one and return the rate of each drawn corpus."""
    members: dict[object, list[int]] = {}
    for index in range(len(errors)):
        members.setdefault(index if groups is None else groups[index], []).append(index)
    units, random, rates = list(members.values()), default_rng(11), []
    for _ in range(num_resamples):
        drawn = [index for unit in random.integers(len(units), size=len(units)) for index in units[unit]]
        rates.append(errors[drawn].sum() / lengths[drawn].sum())
    return np.array(rates)


def corpus(random: np.random.Generator, num_speakers: int, num_each: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Draw utterances of 5 to 15 words, whose speakers err at rates about 0.1, some of them far more often."""
    speakers = np.repeat(random.gamma(2.0, 0.05, num_speakers), num_each)
    lengths = random.integers(5, 16, len(speakers))
    return random.poisson(speakers * lengths), lengths, [f"s{i // num_each}" for i in range(len(speakers))]


@pytest.mark.parametrize("grouped", [False, True])
def test_agrees_with_a_plain_loop(grouped: bool) -> None:
    errors, lengths, groups = corpus(default_rng(1), num_speakers=20, num_each=15)
    by = groups if grouped else None
    expected = np.quantile(loop(errors, lengths, by, 2000), [0.025, 0.975])
    found = bootstrap_interval(errors, lengths, by, num_resamples=4000)
    width = expected[1] - expected[0]
    assert [found.low, found.high] == pytest.approx(expected, abs=0.06 * width)


def test_holds_the_truth_as_often_as_it_says() -> None:
    """400 corpora of independent utterances; an exact 95 % gives 380 +- 4.4, the bootstrap of 100 a little less."""
    random, held = default_rng(2), 0
    for seed in range(400):
        lengths = random.integers(5, 16, 100)
        errors = random.poisson(0.1 * lengths)
        interval = bootstrap_interval(errors, lengths, num_resamples=300, seed=seed)
        held += interval.low <= 0.1 <= interval.high
    assert 0.91 <= held / 400 <= 0.97


def test_only_whole_speakers_give_honest_intervals() -> None:
    random, held = default_rng(3), {"examples": 0, "speakers": 0}
    for seed in range(200):
        errors, lengths, groups = corpus(random, num_speakers=30, num_each=20)
        for name, by in (("examples", None), ("speakers", groups)):
            interval = bootstrap_interval(errors, lengths, by, num_resamples=200, seed=seed)
            held[name] += interval.low <= 0.1 <= interval.high
    assert held["speakers"] / 200 >= 0.87
    assert held["examples"] / 200 <= 0.7


def test_worked_examples() -> None:
    same = np.full(50, 2), np.full(50, 10)
    assert bootstrap_interval(*same) == Interval(0.2, 0.2)
    one_wrong = bootstrap_interval(np.array([1, 0]), np.array([1, 1]))
    assert one_wrong == Interval(0.0, 1.0)  # a quarter of the corpora drawn have both ends
    assert bootstrap_interval(np.array([3]), np.array([4])) == Interval(0.75, 0.75)


def test_nothing_to_read_is_an_infinite_rate_or_none() -> None:
    assert bootstrap_interval(np.array([0, 0]), np.array([0, 0])) == Interval(0.0, 0.0)
    interval = bootstrap_interval(np.array([2, 0]), np.array([0, 1]))
    assert interval == Interval(0.0, float("inf"))


def test_a_higher_level_is_wider() -> None:
    errors, lengths, _ = corpus(default_rng(4), 10, 10)
    narrow, wide = (bootstrap_interval(errors, lengths, level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < errors.sum() / lengths.sum() < narrow.high < wide.high


def test_one_seed_one_interval() -> None:
    errors, lengths, _ = corpus(default_rng(5), 10, 10)
    assert bootstrap_interval(errors, lengths) == bootstrap_interval(errors, lengths)
    assert bootstrap_interval(errors, lengths, seed=1) != bootstrap_interval(errors, lengths)


def test_a_single_speaker_is_drawn_by_example() -> None:
    errors, lengths, _ = corpus(default_rng(6), 10, 10)
    assert bootstrap_interval(errors, lengths, ["a"] * 100) == bootstrap_interval(errors, lengths)


def test_order_does_not_matter() -> None:
    errors, lengths, groups = corpus(default_rng(7), 10, 10)
    order = default_rng(8).permutation(100)
    shuffled = errors[order], lengths[order], [groups[i] for i in order]
    assert bootstrap_interval(*shuffled) == bootstrap_interval(errors, lengths, groups)


def test_memory_is_bounded_at_100_000_examples_none_alike() -> None:
    lengths = default_rng(9).permutation(100_000) + 1
    tracemalloc.start()
    bootstrap_interval(lengths // 10, lengths, num_resamples=50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6  # all 50 x 100,000 counts at once would be 40 MB; 1000 of them 800


@pytest.mark.parametrize(
    ("errors", "lengths", "options", "said"),
    [
        ([], [], {}, "no examples"),
        ([1], [1, 2], {}, r"\(1,\), \(2,\)"),
        ([1], [1], {"level": 1.0}, "level=1.0"),
        ([1], [1], {"num_resamples": 0}, "num_resamples=0"),
        ([1], [1], {"groups": ["a", "b"]}, "2 groups are given for 1"),
    ],
)
def test_mistakes_are_named(errors: list[int], lengths: list[int], options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        bootstrap_interval(np.array(errors), np.array(lengths), **options)


def test_a_real_difference_is_told_from_chance() -> None:
    random = default_rng(10)
    lengths = random.integers(5, 16, 400)
    hard = random.gamma(1.0, 0.1, 400)
    a, b = random.poisson(hard * lengths), random.poisson(1.3 * hard * lengths)
    better = paired_bootstrap(a, b, lengths)
    assert better.difference == (b.sum() - a.sum()) / lengths.sum()
    assert 0 < better.interval.low < better.difference < better.interval.high
    assert better.p_value < 0.02
    mirrored = paired_bootstrap(b, a, lengths)
    assert mirrored.difference == -better.difference
    assert mirrored.p_value < 0.02


def test_equal_systems_differ_by_chance_as_often_as_p_says() -> None:
    """200 pairs of equal systems: p <= 0.1 about 20 times (+- 4.2)."""
    random, significant = default_rng(12), 0
    for seed in range(200):
        lengths = random.integers(5, 16, 100)
        a, b = random.poisson(0.1 * lengths), random.poisson(0.1 * lengths)
        significant += paired_bootstrap(a, b, lengths, num_resamples=300, seed=seed).p_value <= 0.1
    assert 9 <= significant <= 34


def test_no_difference_anywhere() -> None:
    errors, lengths = np.array([1, 0, 2]), np.array([4, 4, 4])
    same = paired_bootstrap(errors, errors, lengths)
    assert (same.difference, same.interval, same.p_value) == (0.0, Interval(0.0, 0.0), 1.0)


def test_what_is_hard_for_both_cancels_out() -> None:
    errors, lengths, groups = corpus(default_rng(13), 20, 10)
    always_one_more = paired_bootstrap(errors, errors + 1, lengths, groups)
    width = always_one_more.interval.high - always_one_more.interval.low
    alone = bootstrap_interval(errors, lengths, groups)
    assert width < 0.2 * (alone.high - alone.low)
