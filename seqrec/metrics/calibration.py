"""Whether confidences mean what they say, and the temperature that makes them (Guo et al. 2017).

https://arxiv.org/abs/1706.04599
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import exp, isfinite, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from seqrec.errors import UserError

COLDEST, HOTTEST = 0.1, 10.0  # temperatures tried
_GRID = 13  # of them, before the best one's neighbourhood is searched


@dataclass(frozen=True)
class ReliabilityBin:
    """What is known of the confidences above `lower` and up to `upper`."""

    lower: float
    upper: float
    count: int
    confidence: float  # their mean; 0 where there are none
    accuracy: float  # the share of them that is right; 0 where there are none


@dataclass(frozen=True)
class Calibration:
    """The temperature of a run's confidences, and what it was fitted on."""

    temperature: float
    ece_before: float  # expected calibration error of tokens at temperature 1, a fraction
    ece_after: float  # at this temperature
    split: str
    examples: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: object, where: str) -> Calibration:
        """Undo `to_json`; `where` is the file, for messages.

        Raises:
            UserError: something is missing, or no temperature.
        """
        values = record if isinstance(record, Mapping) else {}
        for name in cls.__dataclass_fields__:
            kind = str if name == "split" else (int, float)
            if not isinstance(values.get(name), kind) or isinstance(values[name], bool):
                raise UserError(
                    f"{where}: `{name}` is missing or no {'name' if kind is str else 'number'}; calibrate anew"
                )
        if not (isfinite(values["temperature"]) and values["temperature"] > 0):
            raise UserError(f"{where}: temperature={values['temperature']} is not a number above 0; calibrate anew")
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


def reliability(confidences: np.ndarray, correct: np.ndarray, num_bins: int = 15) -> list[ReliabilityBin]:
    """Sort confidences into bins of equal width, for a reliability diagram.

    Args:
        confidences: (n,) between 0 and 1.
        correct: (n,) bool, whether what each belongs to is right.
        num_bins: of 0 to 1; each holds its upper edge, the first also 0.
    """
    edges = np.arange(num_bins + 1) / num_bins
    places = np.searchsorted(edges[1:-1], confidences, side="left")
    counts, sums, rights = (
        np.bincount(places, weights, num_bins) for weights in (None, confidences, np.asarray(correct, np.float64))
    )
    per_bin = zip(edges[:-1], edges[1:], counts, sums, rights, strict=True)
    return [
        ReliabilityBin(
            float(lower), float(upper), int(count), float(total / max(count, 1)), float(right / max(count, 1))
        )
        for lower, upper, count, total, right in per_bin
    ]


def read_calibration(path: Path) -> Calibration | None:
    """Read what `write_calibration` wrote; None where nothing is.

    Raises:
        UserError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not JSON ({error}); delete it, then calibrate anew by `seqrec evaluate RUN split=dev`"
        ) from None
    return Calibration.from_json(record, str(path))


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration as JSON."""
    path.write_text(json.dumps(calibration.to_json(), indent=2) + "\n", encoding="utf-8")


def expected_calibration_error(confidences: np.ndarray, correct: np.ndarray, num_bins: int = 15) -> float:
    """Return the mean gap of confidence and accuracy over the bins, weighted by what is in them; 0 for nothing.

    Guo et al. 2017, equation 3; arguments as of `reliability`.
    """
    bins = reliability(confidences, correct, num_bins)
    gaps = sum(one.count * abs(one.confidence - one.accuracy) for one in bins)
    return gaps / max(len(confidences), 1)


def negative_log_likelihood(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Return the mean of -log of the probability that was given to what came, right or wrong, in nats."""
    # A wrong one of confidence 1 would cost all others' say.
    bounded = np.clip(confidences, 1e-7, 1 - 1e-7)
    return float(-np.where(correct, np.log(bounded), np.log1p(-bounded)).mean())


def fit_temperature(confidences_at: Callable[[float], np.ndarray], correct: np.ndarray) -> float:
    """Find the temperature, from 0.1 to 10, that makes confidences likeliest to come out right and wrong as they did.

    A grid in the logarithm of the temperature, then a golden-section search about its best: some 25 calls.

    Args:
        confidences_at: gives the confidences (n,) at a temperature.
        correct: (n,) bool, whether what each belongs to is right.

    Returns:
        The temperature; 1 where all are right or all are wrong, which says nothing about it.
    """
    if not 0 < np.count_nonzero(correct) < len(correct):
        return 1.0

    def cost(log_temperature: float) -> float:
        return negative_log_likelihood(confidences_at(exp(log_temperature)), correct)

    grid = np.linspace(log(COLDEST), log(HOTTEST), _GRID).tolist()
    best = min(range(_GRID), key=[cost(each) for each in grid].__getitem__)
    return exp(_golden_section(cost, grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]))


def _golden_section(cost: Callable[[float], float], lower: float, upper: float, tolerance: float = 5e-3) -> float:
    """Return where a function with one valley between two bounds is lowest."""
    ratio = (sqrt(5) - 1) / 2
    left, right = upper - ratio * (upper - lower), lower + ratio * (upper - lower)
    cost_left, cost_right = cost(left), cost(right)
    while upper - lower > tolerance:
        if cost_left <= cost_right:
            upper, right, cost_right = right, left, cost_left
            left = upper - ratio * (upper - lower)
            cost_left = cost(left)
        else:
            lower, left, cost_left = left, right, cost_right
            right = lower + ratio * (upper - lower)
            cost_right = cost(right)
    return (lower + upper) / 2
