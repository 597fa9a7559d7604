"""Counting and masking frames in a graph, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from graph_parity import RunningGraph

from seqrec.export.frames import frame_mask, rounded_up, size_of, without_padding, zero_padding
from seqrec.export.graph import Frames, Graph

LENGTHS = np.array([4, 1, 0, 3])


def test_whatever_stands_in_the_padding_is_cleared() -> None:
    graph = Graph()
    frames = Frames(graph.input("values", np.float32, ("B", "T", 2)), graph.input("lengths", np.int64, ("B",)))
    cleared = without_padding(graph, frames)
    graph.output("cleared", cleared.values, np.float32, ("B", "T", 2))
    graph.output("same", cleared.lengths, np.int64, ("B",))
    values = np.random.default_rng(0).standard_normal((4, 5, 2)).astype(np.float32)
    inside = (np.arange(5) < LENGTHS[:, None])[..., None]
    for padding in (np.nan, np.inf, 1e9):
        found, same = RunningGraph(graph.model({}))(
            values=np.where(inside, values, np.float32(padding)), lengths=LENGTHS
        )
        np.testing.assert_array_equal(found, np.where(inside, values, 0))
        np.testing.assert_array_equal(same, LENGTHS)


def test_masks_take_axes_of_size_one() -> None:
    graph = Graph()
    lengths = graph.input("lengths", np.int64, ("B",))
    values = graph.input("values", np.float32, ("B", 2, "T", 3))
    mask = frame_mask(graph, lengths, size_of(graph, values, 2), axes=(1, 3))
    graph.output("masked", zero_padding(graph, values, mask), np.float32, ("B", 2, "T", 3))
    array = np.ones((4, 2, 6, 3), np.float32)
    inside = (np.arange(6) < LENGTHS[:, None])[:, None, :, None]
    np.testing.assert_array_equal(RunningGraph(graph.model({}))(values=array, lengths=LENGTHS)[0], array * inside)


@pytest.mark.parametrize("divisor", [1, 2, 3, 7])
def test_lengths_are_rounded_up(divisor: int) -> None:
    graph = Graph()
    graph.output("r", rounded_up(graph, graph.input("n", np.int64, ("B",)), divisor), np.int64, ("B",))
    numbers = np.arange(30)
    np.testing.assert_array_equal(RunningGraph(graph.model({}))(n=numbers)[0], -(-numbers // divisor))
