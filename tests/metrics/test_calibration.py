"""Calibration: errors against a plain loop, temperatures against the one that made the data."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.metrics.calibration import (
    Calibration,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)

JUDGED = st.lists(st.tuples(st.floats(0, 1) | st.integers(0, 15).map(lambda edge: edge / 15), st.booleans()))
FITTED = Calibration(1.25, 0.04, 0.01, "dev", 300)


def split(judged: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([each for each, _ in judged], float), np.array([right for _, right in judged], bool)


@given(JUDGED, st.integers(1, 20))
def test_equal_to_the_definition(judged: list[tuple[float, bool]], num_bins: int) -> None:
    expected = 0.0
    for number in range(num_bins):
        lower, upper = number / num_bins, (number + 1) / num_bins
        inside = [(each, right) for each, right in judged if lower < each <= upper or each == lower == 0]
        if inside:
            confidence = sum(each for each, _ in inside) / len(inside)
            accuracy = sum(right for _, right in inside) / len(inside)
            expected += len(inside) / len(judged) * abs(confidence - accuracy)
    assert expected_calibration_error(*split(judged), num_bins) == pytest.approx(expected, abs=1e-12)


@given(JUDGED)
def test_every_confidence_is_in_one_bin(judged: list[tuple[float, bool]]) -> None:
    bins = reliability(*split(judged))
    assert [one.lower for one in bins] == [number / 15 for number in range(15)]
    assert [one.upper for one in bins] == [number / 15 for number in range(1, 16)]
    assert sum(one.count for one in bins) == len(judged)
    assert sum(one.count * one.confidence for one in bins) == pytest.approx(sum(each for each, _ in judged))
    assert sum(one.count * one.accuracy for one in bins) == pytest.approx(sum(right for _, right in judged))
    assert all(one.lower <= one.confidence <= one.upper + 1e-12 for one in bins if one.count)


def test_worked_examples() -> None:
    assert expected_calibration_error(np.array([0.9, 0.9, 0.3]), np.array([True, False, False])) == pytest.approx(
        (2 * abs(0.9 - 0.5) + 0.3) / 3
    )
    assert expected_calibration_error(np.ones(4), np.ones(4, bool)) == 0
    assert expected_calibration_error(np.ones(4), np.zeros(4, bool)) == 1
    assert expected_calibration_error(np.array([]), np.array([], bool)) == 0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_the_temperature_that_made_the_data_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(1.5, 2.0, 100_000)  # of the right one of two
    right = random.random(len(logits)) < 1 / (1 + np.exp(-logits / temperature))

    def confidences_at(tried: float) -> np.ndarray:
        return 1 / (1 + np.exp(-logits / tried))

    assert fit_temperature(confidences_at, right) == pytest.approx(temperature, rel=0.03)
    assert expected_calibration_error(confidences_at(temperature), right) < 0.01


def test_the_fit_is_as_good_as_a_fine_grid() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0.5, 3.0, 2000)
    right = random.random(2000) < 1 / (1 + np.exp(-0.6 * logits - 0.4))  # which no temperature makes just so

    def cost(tried: float) -> float:
        return negative_log_likelihood(1 / (1 + np.exp(-logits / tried)), right)

    found = fit_temperature(lambda tried: 1 / (1 + np.exp(-logits / tried)), right)
    assert cost(found) <= min(cost(tried) for tried in np.geomspace(0.1, 10, 400)) + 1e-6


@pytest.mark.parametrize("right", [[True, True], [False, False], []])
def test_what_says_nothing_about_the_temperature_leaves_it(right: list[bool]) -> None:
    assert fit_temperature(lambda tried: np.full(len(right), 0.5), np.array(right, bool)) == 1.0


def test_likelihood_by_hand_and_of_the_certain() -> None:
    found = negative_log_likelihood(np.array([0.8, 0.4]), np.array([True, False]))
    assert found == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert negative_log_likelihood(np.array([1.0, 0.0]), np.array([False, True])) == pytest.approx(-math.log(1e-7))


def test_a_calibration_comes_back_from_json() -> None:
    assert Calibration.from_json(json.loads(json.dumps(FITTED.to_json())), "calibration.json") == FITTED


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ([], "`temperature` is missing"),
        ({}, "`temperature` is missing"),
        ({**FITTED.to_json(), "split": 3}, "`split` is missing or no name"),
        ({**FITTED.to_json(), "examples": True}, "`examples` is missing or no number"),
        (replace(FITTED, temperature=0).to_json(), "temperature=0"),
        (replace(FITTED, temperature=math.inf).to_json(), "temperature=inf"),
        (replace(FITTED, temperature=math.nan).to_json(), "temperature=nan"),
    ],
)
def test_a_damaged_calibration_is_named(record: object, named: str) -> None:
    with pytest.raises(UserError, match=named) as caught:
        Calibration.from_json(record, "run/calibration.json")
    assert str(caught.value).startswith("run/calibration.json: ")
