"""Dynamic int8: weights as 8-bit integers, activations made so on the way, in the LSTMs and matrix products of a model.

What a front-end does stands in a graph as convolutions, and stays in float32; so do cells that go from chunk to chunk.
The range of activations is that of all that is run together, so whoever runs such a model gives it one example at a
time: else an example's log-probs would depend, within the rounding, on the others beside it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.errors import UserError

if TYPE_CHECKING:
    import onnx

_QUANTISED = ("LSTM", "MatMul")
_REFUSED = ("GRU", "RNN")  # ONNX Runtime has no integer kernels for these
_PREPARED = ("onnx.quant.pre_process", "onnxruntime.quant")  # says that advice on preparing the graph is not needed


def quantised(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model with int8 weights, each row of a matrix scaled by itself; metadata stays.

    Weights take 7 of the 8 bits: processors without VNNI add pairs of products up in 16 bits, which 8 would overflow.

    Raises:
        UserError: the model's cells cannot be quantised.
    """
    import onnx
    from onnxruntime.quantization import quantize_dynamic

    cells = sorted({node.op_type for node in model.graph.node} & set(_REFUSED))
    if cells:
        raise UserError(
            f"engine=onnx-int8: ONNX Runtime has int8 for LSTM cells, not for {' and '.join(cells)}; use engine=onnx"
        )
    marked = onnx.ModelProto()
    marked.CopyFrom(model)
    marked.metadata_props.add(key=_PREPARED[0], value=_PREPARED[1])
    with tempfile.TemporaryDirectory(prefix="seqrec-") as folder:
        path = Path(folder) / "model.onnx"
        excluded = _nodes_of_loops(model.graph)
        quantize_dynamic(marked, path, list(_QUANTISED), True, reduce_range=True, nodes_to_exclude=excluded)
        result = onnx.load(path)
    del result.metadata_props[:], result.graph.value_info[:]
    result.metadata_props.extend(model.metadata_props)
    return result


def _nodes_of_loops(graph: onnx.GraphProto) -> list[str]:
    """Return the nodes that share weights with the body of a loop, which is never quantised: they are one array."""
    bodies = (attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g"))
    inside = {name for body in bodies for node in body.node for name in node.input if name}
    return [node.name for node in graph.node if inside & set(node.input)]
