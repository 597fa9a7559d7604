"""Frames and their lengths in a graph: counting and masking them."""

from __future__ import annotations

from collections.abc import Sequence

from seqrec.export.graph import Frames, Graph

FLOAT = 1  # onnx.TensorProto's numbers of types, for Cast
INT32 = 6


def size_of(graph: Graph, values: str, axis: int) -> str:
    """Return the size of `values` along `axis`, an int64 scalar."""
    return graph.add("Gather", graph.add("Shape", values), graph.integer(axis))


def positions(graph: Graph, count: str) -> str:
    """Return 0 ... count - 1, int64."""
    return graph.add("Range", graph.integer(0), count, graph.integer(1))


def frame_mask(graph: Graph, lengths: str, count: str, axes: Sequence[int] = ()) -> str:
    """Return (B, count) bool, true at valid frames, with axes of size 1 put in at `axes`."""
    mask = graph.add("Less", positions(graph, count), graph.add("Unsqueeze", lengths, graph.integers(1)))
    return graph.add("Unsqueeze", mask, graph.integers(*axes)) if axes else mask


def without_padding(graph: Graph, frames: Frames) -> Frames:
    """Return frames (B, T, F) with zeros for whatever stands in the padding, NaN included."""
    mask = frame_mask(graph, frames.lengths, size_of(graph, frames.values, 1), axes=(2,))
    return Frames(graph.add("Where", mask, frames.values, graph.number(0.0)), frames.lengths)


def rounded_up(graph: Graph, lengths: str, divisor: int) -> str:
    """Return ceil(lengths / divisor), int64, of lengths that are not negative."""
    if divisor == 1:
        return lengths
    return graph.add("Div", graph.add("Add", lengths, graph.integer(divisor - 1)), graph.integer(divisor))


def zero_padding(graph: Graph, values: str, mask: str) -> str:
    """Return finite values that are zero outside a bool mask; a product costs less than `Where`."""
    return graph.add("Mul", values, graph.add("Cast", mask, to=FLOAT))
