"""An ONNX graph as it is written: nodes, weights, inputs and outputs, each value by a name of its own."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.errors import UserError

if TYPE_CHECKING:
    import onnx

OPSET = 17  # with layer norm; onnxruntime runs it from 1.12 on
IR_VERSION = 8  # of the file's format; what came with that opset


@dataclass(frozen=True)
class Frames:
    """Names in the graph of frames and their count."""

    values: str  # (B, T, F) float32, zero in the padding
    lengths: str  # (B,) int64


class Graph:
    """Collects nodes and weights; a value is the name of what an input, a constant or a node gives.

    Raises:
        UserError: the package `onnx` is missing.
    """

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError as error:
            raise UserError(
                f"an ONNX graph needs the package onnx ({error}); install it with `pip install 'seqrec[onnx]'`"
            ) from None
        self._onnx = onnx
        self._numbers = itertools.count()
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: type[np.generic], shape: Sequence[str | int]) -> str:
        """Declare an input; a size that varies has a name instead of a number."""
        self._inputs.append(self._declaration(name, dtype, shape))
        return name

    def output(self, name: str, value: str, dtype: type[np.generic], shape: Sequence[str | int]) -> None:
        """Give `value` out by `name`."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(self._declaration(name, dtype, shape))

    def constant(self, value: np.ndarray) -> str:
        """Store an array in the file."""
        name = f"constant_{next(self._numbers)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def number(self, value: float) -> str:
        """Store a float32 scalar."""
        return self.constant(np.array(value, np.float32))

    def integer(self, value: int) -> str:
        """Store an int64 scalar."""
        return self.constant(np.array(value, np.int64))

    def integers(self, *values: int) -> str:
        """Store an int64 vector: axes, shapes, positions."""
        return self.constant(np.array(values, np.int64))

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output and return its name; "" leaves an input out."""
        return self.add_several(op, 1, *inputs, **attributes)[0]

    def add_several(self, op: str, num_outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node and return the names of its first `num_outputs` outputs."""
        name = f"{op}_{next(self._numbers)}"
        outputs = [name] if num_outputs == 1 else [f"{name}_{number}" for number in range(num_outputs)]
        self._nodes.append(self._onnx.helper.make_node(op, inputs, outputs, name=name, **attributes))
        return outputs

    def inner(self) -> Graph:
        """Return an empty graph for the body of a node such as Scan; it may name what stands in this one."""
        graph = Graph()
        graph._numbers = self._numbers
        graph._constants = self._constants  # stored once, with the outermost graph
        return graph

    def body(self) -> onnx.GraphProto:
        """Return what `inner` collected, as the attribute of a node."""
        return self._onnx.helper.make_graph(self._nodes, f"body_{next(self._numbers)}", self._inputs, self._outputs)

    def model(self, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """Return the whole as a model, checked by onnx."""
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, "seqrec", self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="seqrec")
        helper.set_model_props(model, dict(metadata))
        self._onnx.checker.check_model(model)
        return model

    def _declaration(self, name: str, dtype: type[np.generic], shape: Sequence[str | int]) -> onnx.ValueInfoProto:
        element = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._onnx.helper.make_tensor_value_info(name, element, shape)
