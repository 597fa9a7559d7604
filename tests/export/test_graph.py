"""Graphs as they are written: names, constants, bodies and what is checked."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest
from graph_parity import RunningGraph

from seqrec.errors import UserError
from seqrec.export.graph import Graph


def test_a_graph_computes_what_was_written() -> None:
    graph = Graph()
    values = graph.input("values", np.float32, ("N", 3))
    low, high = graph.add_several("Split", 2, values, graph.integers(1, 2), axis=1)
    clipped = graph.add("Clip", high, "", graph.number(2.5))  # the lower bound is left out
    graph.output("sums", graph.add("Add", low, clipped), np.float32, ("N", 2))
    model = graph.model({"seqrec": "1", "more": "é"})
    array = np.array([[1, 2, 3], [4, 5, -6]], np.float32)
    np.testing.assert_array_equal(RunningGraph(model)(values=array)[0], [[3, 3.5], [6.5, -2]])
    assert {part.key: part.value for part in model.metadata_props} == {"seqrec": "1", "more": "é"}
    assert (model.ir_version, model.opset_import[0].version) == (8, 17)


def test_constants_keep_type_shape_and_value() -> None:
    graph = Graph()
    written = [
        np.float32(2.5),
        np.array(3),
        np.arange(6.0, dtype=np.float32).reshape(2, 3).T,
        np.zeros((0, 2), np.int64),
    ]
    for number, value in enumerate(written):
        graph.output(f"out{number}", graph.constant(np.asarray(value)), value.dtype.type, value.shape)
    for value, found in zip(written, RunningGraph(graph.model({}))(), strict=True):
        assert found.shape == value.shape
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)


def test_a_body_reads_what_stands_around_it() -> None:
    graph = Graph()
    steps = graph.input("steps", np.float32, ("T",))
    body = graph.inner()
    total, step = body.input("total", np.float32, ()), body.input("step", np.float32, ())
    added = body.add("Add", total, body.add("Mul", step, graph.number(10.0)))
    body.output("next", added, np.float32, ())
    body.output("kept", added, np.float32, ())
    _, sums = graph.add_several("Scan", 2, graph.number(0.5), steps, body=body.body(), num_scan_inputs=1)
    graph.output("sums", sums, np.float32, ("T",))
    found = RunningGraph(graph.model({}))(steps=np.array([1, 2, 3], np.float32))[0]
    np.testing.assert_array_equal(found, [10.5, 30.5, 60.5])


def test_a_value_that_nothing_gives_is_refused() -> None:
    graph = Graph()
    graph.output("y", graph.add("Relu", "nothing"), np.float32, ())
    with pytest.raises(onnx.checker.ValidationError, match="nothing"):
        graph.model({})


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r"pip install 'seqrec\[onnx\]'"):
        Graph()
