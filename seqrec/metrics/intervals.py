"""Confidence intervals of error rates, and of the difference of two systems, by the bootstrap.

Source: Bisani and Ney, Bootstrap estimates for confidence intervals in ASR performance evaluation, ICASSP 2004.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_COUNTS_AT_ONCE = 1 << 21  # of one step: 16 MB


@dataclass(frozen=True)
class Interval:
    """Where an error rate lies, with some confidence; fractions."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedComparison:
    """How much higher the error rate of system B is than that of A, on the same examples; fractions."""

    difference: float  # rate of B - rate of A; below 0: B is better
    interval: Interval  # of the difference
    p_value: float  # two-sided: how easily chance alone gives a difference of this sign


def bootstrap_interval(
    errors: np.ndarray,
    lengths: np.ndarray,
    groups: Sequence[str] | None = None,
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the percentile interval of the corpus-level rate, sum(errors) / sum(lengths).

    Errors of one speaker or writer are alike; where `groups` says who it is, whole groups are drawn, which gives wider
    and more honest intervals. With a single group there is nothing to draw between: its examples are drawn instead.
    One example alone gives an interval of no width.

    Args:
        errors: edits of each example (N,).
        lengths: reference words or characters of each example (N,).
        groups: the speaker or writer of each example.
        num_resamples: how many corpora are drawn.
        level: how often the interval is to hold the rate of a corpus drawn anew, between 0 and 1.
        seed: of the draws; the same seed gives the same interval.

    Raises:
        ValueError: the lists are empty or of unequal lengths, or an option is out of range.
    """
    columns = _columns(errors, lengths)
    _check_options(num_resamples, level)
    drawn = _draw(columns, groups, num_resamples, seed)
    return _percentiles(_rates(drawn[:, 0], drawn[:, 1]), level)


def paired_bootstrap(
    errors_a: np.ndarray,
    errors_b: np.ndarray,
    lengths: np.ndarray,
    groups: Sequence[str] | None = None,
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PairedComparison:
    """Compare two systems on the same examples: both are drawn together, so what is hard for both cancels out.

    The p-value is twice the share of drawn corpora in which the difference is not of the sign of the larger share, each
    share counted with one corpus more, so that it is never 0; it is 1 where the systems differ nowhere.

    Args:
        errors_a: edits of each example by system A (N,).
        errors_b: edits of each example by system B (N,).
        lengths: reference words or characters of each example (N,).
        groups: the speaker or writer of each example; whole groups are drawn, as in `bootstrap_interval`.
        num_resamples: how many corpora are drawn.
        level: how often the interval is to hold the difference on a corpus drawn anew, between 0 and 1.
        seed: of the draws; the same seed gives the same result.

    Raises:
        ValueError: the lists are empty or of unequal lengths, or an option is out of range.
    """
    columns = _columns(errors_a, errors_b, lengths)
    _check_options(num_resamples, level)
    drawn = _draw(columns, groups, num_resamples, seed)
    differences = _rates(drawn[:, 1] - drawn[:, 0], drawn[:, 2])
    rarer = min((differences <= 0).sum(), (differences >= 0).sum())
    p_value = min(1.0, 2 * (rarer + 1) / (num_resamples + 1))
    sums = columns.sum(0, keepdims=True)
    difference = _rates(sums[:, 1] - sums[:, 0], sums[:, 2])[0]
    return PairedComparison(float(difference), _percentiles(differences, level), float(p_value))


def _columns(*counts: np.ndarray) -> np.ndarray:
    """Return (N, columns), whole numbers."""
    lists = [np.asarray(one) for one in counts]
    if any(one.ndim != 1 or len(one) != len(lists[0]) for one in lists):
        raise ValueError(f"errors and lengths of shapes {[one.shape for one in lists]} are not one number an example")
    if not len(lists[0]):
        raise ValueError("there are no examples, and so no interval")
    return np.stack(lists, axis=1).astype(np.int64)


def _check_options(num_resamples: int, level: float) -> None:
    if num_resamples < 1 or not 0 < level < 1:
        raise ValueError(f"num_resamples={num_resamples} or level={level} is out of range; take 1000 and 0.95")


def _draw(columns: np.ndarray, groups: Sequence[str] | None, num_resamples: int, seed: int) -> np.ndarray:
    """Return the columns' sums (num_resamples, columns) over corpora of units drawn with replacement.

    Units with equal numbers need not be told apart: how often each kind of them is drawn is multinomial, which is the
    same bootstrap at a fraction of the draws.
    """
    units = columns if groups is None else _sums_of_groups(columns, groups)
    kinds, counts = np.unique(units, axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    share = counts / counts.sum()
    steps = _steps(num_resamples, max(1, _COUNTS_AT_ONCE // len(kinds)))
    return np.concatenate([random.multinomial(len(units), share, size=step) @ kinds for step in steps])


def _sums_of_groups(columns: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Return the columns' sums (groups, columns); the columns as they are where there is a single group."""
    if len(groups) != len(columns):
        raise ValueError(f"{len(groups)} groups are given for {len(columns)} examples; give one for each")
    numbers: dict[str, int] = {}
    members = [numbers.setdefault(name, len(numbers)) for name in groups]
    if len(numbers) == 1:
        return columns
    sums = np.zeros((len(numbers), columns.shape[1]), np.int64)
    np.add.at(sums, members, columns)
    return sums


def _steps(total: int, most: int) -> Iterator[int]:
    """Split `total` into steps of `most`."""
    for start in range(0, total, most):
        yield min(most, total - start)


def _rates(errors: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Divide; errors in references of no length at all are an infinite rate, and none are a rate of 0."""
    nothing = np.where(errors == 0, 0.0, np.copysign(np.inf, errors))
    return np.where(lengths > 0, errors / np.maximum(lengths, 1), nothing)


def _percentiles(values: np.ndarray, level: float) -> Interval:
    """Return the values between which the middle `level` of them lie; outwards to a value where between two."""
    tail = (1 - level) / 2
    low, high = np.quantile(values, tail, method="lower"), np.quantile(values, 1 - tail, method="higher")
    return Interval(float(low), float(high))
