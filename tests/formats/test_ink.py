"""Ink from outside data, and its signal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.formats.ink import HEIGHT, NUM_CHANNELS, PRESSURE, STROKE, TIME, Ink, X, Y

NUMBERS = st.one_of(
    st.floats(-1e30, 1e30),
    st.integers(-(10**30), 10**30),
    st.fractions(-1000, 1000),
    st.floats(-1e30, 1e30).map(np.float64),
)


def test_signal_has_the_named_columns() -> None:
    ink = Ink.from_strokes([[[10, 20, 5.0, 0.5], [11, 22, 5.5, 0]], [[7, 21, 6.0, None]]], height=30)
    signal = ink.to_signal()
    assert signal.shape == (3, NUM_CHANNELS)
    assert signal.dtype == np.float32
    np.testing.assert_array_equal(signal[:, X], [0, 1, -3])
    np.testing.assert_array_equal(signal[:, Y], [0, 2, 1])
    np.testing.assert_array_equal(signal[:, TIME], [0, 0.5, 1])
    np.testing.assert_array_equal(signal[:, PRESSURE], [0.5, 0, math.nan])
    np.testing.assert_array_equal(signal[:, STROKE], [0, 0, 1])
    np.testing.assert_array_equal(signal[:, HEIGHT], [30, 30, 30])
    assert ink.num_points == 3


def test_what_is_unknown_is_nan() -> None:
    signal = Ink.from_strokes([[[1, 2], [3, 4]]]).to_signal()
    assert np.isnan(signal[:, [TIME, PRESSURE, HEIGHT]]).all()
    assert not np.isnan(signal[:, [X, Y, STROKE]]).any()


def test_epoch_times_and_far_coordinates_survive_float32() -> None:
    epoch = 1_700_000_000.0
    signal = Ink.from_strokes([[[1e9, 1e9, epoch], [1e9 + 1, 1e9 + 2, epoch + 0.01]]]).to_signal()
    np.testing.assert_array_equal(signal[1, [X, Y]], [1, 2])
    assert signal[1, TIME] == pytest.approx(0.01, abs=1e-6)


def test_time_counts_from_the_first_known_one() -> None:
    signal = Ink.from_strokes([[[0, 0, None], [1, 1, 100.0], [2, 2, 101.0]]]).to_signal()
    np.testing.assert_array_equal(signal[:, TIME], [math.nan, 0, 1])


def test_empty_strokes_are_left_out_and_single_points_kept() -> None:
    ink = Ink.from_strokes([[], [[1, 2]], np.empty((0, 3)), [[3, 4], [5, 6]]])
    assert [len(stroke) for stroke in ink.strokes] == [1, 2]
    np.testing.assert_array_equal(ink.to_signal()[:, STROKE], [0, 1, 1])


def test_the_signal_leaves_the_ink_as_it_was() -> None:
    ink = Ink.from_strokes([np.array([[5.0, 6.0], [7.0, 8.0]])])
    ink.to_signal()
    np.testing.assert_array_equal(ink.strokes[0][:, [X, Y]], [[5, 6], [7, 8]])


def test_decreasing_times_are_accepted() -> None:
    signal = Ink.from_strokes([[[0, 0, 1.0], [1, 0, 0.5]]]).to_signal()
    np.testing.assert_array_equal(signal[:, TIME], [0, -0.5])


def test_integer_arrays_become_float64() -> None:
    assert Ink.from_strokes([np.array([[1, 2, 3]])]).strokes[0].dtype == np.float64


@given(
    strokes=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(st.tuples(*[NUMBERS] * width), min_size=1), min_size=1)
    ),
    as_lists=st.booleans(),
)
def test_numbers_of_any_kind_are_read_as_float_reads_them(strokes: list[list[Any]], as_lists: bool) -> None:
    given_strokes = [[list(point) if as_lists else point for point in stroke] for stroke in strokes]
    for read, stroke in zip(Ink.from_strokes(given_strokes).strokes, strokes, strict=True):
        expected = [[float(value) for value in point] + [math.nan] * (4 - len(point)) for point in stroke]
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([], "no point"),
        ([[], []], "no point"),
        ({"a": 1}, "not a list of strokes"),
        ("abc", "not a list of strokes"),
        ([[1, 2], [3, 4]], r"stroke 1, point 1 is 1"),
        ([[[1, 2]], 5], r"stroke 2 is 5"),
        ([[[1, 2]], [[1]]], r"stroke 2, point 1 is \[1\]"),
        ([[[1, 2, 3, 4, 5]]], r"stroke 1, point 1"),
        ([[[1, 2], "34"]], r"stroke 1, point 2 is '34'"),
        ([[[1, [2, 3]]]], r"stroke 1, point 1: y is \[2, 3\]"),
        ([[[1, True]]], r"y is True"),
        ([[[0, 1.5], [True, 2.0]]], r"stroke 1, point 2: x is True, not a number"),
        ([[[0.0, 1, 0.5], [0, "2", 1.0]]], r"stroke 1, point 2: y is '2', not a number"),
        ([[[0.0, 1], [0, 10**400], [0, None]]], r"stroke 1, point 3: y is None, not a number"),
        ([[["1", 2]]], r"x is '1'"),
        ([[[None, 2]]], r"x is None"),
        ([[[0, 0], [math.nan, 2]]], r"stroke 1, point 2: x is nan"),
        ([[[0, math.inf]]], r"y is inf"),
        ([[[0, 0, -math.inf]]], r"t is -inf"),
        ([[[0, 10**400]]], r"y is inf"),
        ([[[0, 1e31]]], r"y is 1e\+31"),
        ([[[0, 0], [1, 1, 1]]], r"stroke 1, point 2 has 3 numbers"),
        ([[], [[0, 0]], [[1, 1, 1]]], r"stroke 3 has 3 numbers a point and stroke 2 has 2"),
        ([np.zeros(3)], r"stroke 1 is a float64 array of \(3,\)"),
        ([np.zeros((3, 5))], r"array of \(3, 5\)"),
        ([np.array([["a", "b"]])], r"stroke 1 is a <U1 array"),
        ([np.array([[True, False]])], r"stroke 1 is a bool array"),
        ([np.array([[1.0, math.nan]])], r"stroke 1, point 1: y is nan"),
    ],
)
def test_malformed_strokes_are_named(strokes: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Ink.from_strokes(strokes)


@pytest.mark.parametrize("height", [0, -1, math.nan, math.inf, True, "10", [10], 10**400])
def test_a_height_must_be_a_positive_number(height: Any) -> None:
    with pytest.raises(UserError, match=r"height is .*not a positive number"):
        Ink.from_strokes([[[0, 0], [1, 1]]], height)


def test_a_height_in_other_units_is_refused() -> None:
    strokes = [[[0, 0], [1000, 10]]]
    assert Ink.from_strokes(strokes, height=10).height == 10
    with pytest.raises(UserError, match=r"height is 9.9"):
        Ink.from_strokes(strokes, height=9.9)
