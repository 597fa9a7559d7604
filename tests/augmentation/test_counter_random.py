"""SplitMix64 against its definition on Python's whole numbers, and what is drawn with it."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from seqrec.augmentation.counter_random import splitmix64, whole_numbers

MASK = 2**64 - 1
SEEDS = torch.arange(20_000) * 7919


def slow_splitmix64(seed: int, count: int) -> list[int]:
    """Vigna's reference implementation, in numbers without an end."""
    state, numbers = seed & MASK, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        numbers.append(z ^ (z >> 31))
    return numbers


def test_known_numbers() -> None:
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert slow_splitmix64(1234567, 4) == published
    assert [int(number) & MASK for number in splitmix64(torch.tensor([1234567]), 4)[0]] == published


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_equal_to_the_definition(seeds: list[int]) -> None:
    found = splitmix64(torch.tensor(seeds), 5)
    assert [[int(number) & MASK for number in row] for row in found] == [slow_splitmix64(seed, 5) for seed in seeds]


def test_whole_numbers_are_uniform_and_independent() -> None:
    first, second = whole_numbers(splitmix64(SEEDS, 2), 10).T
    pairs = torch.bincount(first * 10 + second, minlength=100).double()
    expected = len(SEEDS) / 100
    chi_square = float(((pairs - expected) ** 2 / expected).sum())
    assert 50 < chi_square < 150  # 99 degrees of freedom: 99 +- 14


def test_neighbouring_seeds_have_nothing_in_common() -> None:
    numbers = whole_numbers(splitmix64(torch.arange(20_000), 1), 1 << 20)[:, 0].double()
    assert abs(float(torch.corrcoef(torch.stack([numbers[:-1], numbers[1:]]))[0, 1])) < 0.03


@given(st.integers(1, 2**32), st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_stay_below_their_bound(bound: int, seed: int) -> None:
    bits = splitmix64(torch.tensor([seed]), 3)
    found = whole_numbers(bits, bound)
    assert ((found >= 0) & (found < bound)).all()
    expected = [((int(number) & MASK) >> 33) * bound >> 31 for number in bits[0]]
    assert found[0].tolist() == expected
    assert whole_numbers(torch.tensor([[-1]]), bound).item() == (2**31 - 1) * bound >> 31  # the greatest bits
