"""Recurrent layers as ONNX's LSTM, GRU and RNN nodes, exact on ragged batches by their `sequence_lens`.

Inside, frames are time-major, as the nodes want them, so that nothing is turned round between layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.recurrent import RecurrentEncoder, RecurrentStack
from seqrec.encoders.recurrent_cells import Cell
from seqrec.encoders.recurrent_layer import RecurrentLayer
from seqrec.encoders.stacking import FrameStacking
from seqrec.encoders.streaming_lookahead import LookaheadLSTMEncoder
from seqrec.export.frames import INT32, frame_mask, positions, rounded_up, size_of, zero_padding
from seqrec.export.graph import Frames, Graph
from seqrec.export.modules import add_layer_norm, add_linear, array

GATES: Mapping[Cell, tuple[int, ...]] = {  # where torch has the gates in ONNX's order
    "lstm": (0, 3, 1, 2),  # i, f, g, o -> i, o, f, c
    "gru": (1, 0, 2),  # r, z, n -> z, r, h
    "rnn": (0,),
}


@dataclass(frozen=True)
class Steps:
    """Names in the graph of frames, time-major."""

    values: str  # (T, B, F) float32, zero in the padding
    lengths: str  # (B,) int64


def to_steps(graph: Graph, frames: Frames) -> Steps:
    """Turn frames time-major."""
    return Steps(graph.add("Transpose", frames.values, perm=(1, 0, 2)), frames.lengths)


def to_frames(graph: Graph, steps: Steps) -> Frames:
    """Turn steps back."""
    return Frames(graph.add("Transpose", steps.values, perm=(1, 0, 2)), steps.lengths)


def add_recurrent(graph: Graph, encoder: RecurrentEncoder, frames: Frames) -> Frames:
    """Add frame stacking and recurrent layers."""
    return to_frames(graph, add_stack(graph, encoder, add_stacking(graph, encoder.stacking, to_steps(graph, frames))))


def add_lookahead(graph: Graph, encoder: LookaheadLSTMEncoder, frames: Frames) -> Frames:
    """Add forward layers and the row convolution above them."""
    steps = add_stack(graph, encoder, add_stacking(graph, encoder.stacking, to_steps(graph, frames)))
    row = encoder.lookahead
    planes = graph.add("Transpose", steps.values, perm=(1, 2, 0))  # (T, B, H) -> (B, H, T)
    weight = graph.constant(array(row.weight))
    sums = graph.add("Conv", planes, weight, group=len(row.weight), pads=(0, row.num_ahead))
    return Frames(graph.add("Transpose", sums, perm=(0, 2, 1)), steps.lengths)


def add_pyramid(graph: Graph, encoder: PyramidEncoder, frames: Frames) -> Frames:
    """Add recurrent layers with frames joined before each."""
    steps = to_steps(graph, frames)
    for stacking, layer in zip(encoder.stackings, encoder.layers, strict=True):
        steps = add_layer(graph, layer, add_stacking(graph, stacking, steps))  # type: ignore[arg-type]
    return to_frames(graph, steps)


def add_stack(graph: Graph, stack: RecurrentStack, steps: Steps) -> Steps:
    """Add the layers of a stack, with what is residual between them."""
    for layer in stack.layers:
        output = add_layer(graph, layer, steps)  # type: ignore[arg-type]
        if stack.residual and layer.output_size == layer.cells.input_size:  # type: ignore[union-attr]
            output = Steps(graph.add("Add", output.values, steps.values), steps.lengths)
        steps = output
    return steps


def add_layer(graph: Graph, layer: RecurrentLayer, steps: Steps) -> Steps:
    """Add one recurrent layer: its cells, both directions merged, projection and norm."""
    lengths = graph.add("Cast", steps.lengths, to=INT32)
    direction = "bidirectional" if layer.bidirectional else "forward"
    weights = store_weights(graph, layer.cell, list(layer.cells.parameters()))
    output = add_cells(graph, layer, direction, steps.values, [*weights, lengths])[0]  # (T, D, B, H)
    if layer.merge == "sum" or not layer.bidirectional:
        output = graph.add("ReduceSum", output, graph.integers(1), keepdims=0)
    else:
        output = graph.add("Transpose", output, perm=(0, 2, 1, 3))
        output = graph.add("Reshape", output, graph.integers(0, 0, -1))  # (T, B, D, H) -> (T, B, D * H)
    if layer.projection is None and layer.norm is None:
        return Steps(output, steps.lengths)  # the nodes leave zeros in the padding
    if layer.projection is not None:
        output = add_linear(graph, layer.projection, output)
    if layer.norm is not None:
        output = add_layer_norm(graph, layer.norm, output)
    return Steps(clear_padding(graph, output, steps.lengths), steps.lengths)


def clear_padding(graph: Graph, values: str, lengths: str) -> str:
    """Return finite values (T, B, F) with zeros in the padding."""
    mask = frame_mask(graph, lengths, size_of(graph, values, 0), axes=(2,))
    return zero_padding(graph, values, graph.add("Transpose", mask, perm=(1, 0, 2)))  # (B, T, 1) -> (T, B, 1)


def store_weights(graph: Graph, cell: Cell, weights: Sequence[Tensor]) -> list[str]:
    """Store torch's W, U and two biases of each direction as ONNX's W, R and B, directions first."""

    def ordered(weight: Tensor) -> np.ndarray:
        gates = np.split(array(weight), len(GATES[cell]))
        return np.concatenate([gates[number] for number in GATES[cell]])

    inputs, recurrent, *biases = (np.stack([ordered(weight) for weight in weights[kind::4]]) for kind in range(4))
    return [graph.constant(value) for value in (inputs, recurrent, np.concatenate(biases, axis=1))]


def add_cells(graph: Graph, layer: RecurrentLayer, direction: str, values: str, others: Sequence[str]) -> list[str]:
    """Add a layer's node over (T, B, F); `others` are W, R, B and, if any, lengths (B,) int32 and a first state.

    Returns its outputs: (T, D, B, H), zero in the padding, then the last state, each (D, B, H).
    """
    attributes = {"hidden_size": layer.cells.hidden_size, "direction": direction}
    if layer.cell == "gru":
        attributes["linear_before_reset"] = 1  # torch's reset gate stands behind the recurrent product
    num_outputs = 3 if layer.cell == "lstm" else 2
    return graph.add_several(layer.cell.upper(), num_outputs, values, *others, **attributes)


def add_stacking(graph: Graph, stacking: FrameStacking, steps: Steps) -> Steps:
    """Join neighbouring frames (T, B, F) to (T', B, size * F); T' is the longest example's."""
    size, stride = stacking.size, stacking.stride
    if size == 1:
        return steps
    ahead = graph.add("Max", graph.add("Sub", steps.lengths, graph.integer(size)), graph.integer(0))
    lengths = graph.add("Add", rounded_up(graph, ahead, stride), graph.integer(1))
    count = graph.add("ReduceMax", lengths, keepdims=0)
    windows = add_windows(graph, steps.values, count, size, stride)
    windows = graph.add("Transpose", windows, perm=(1, 2, 0, 3))  # (size, T', B, F) -> (T', B, size, F)
    return Steps(graph.add("Reshape", windows, graph.integers(0, 0, -1)), lengths)


def add_windows(graph: Graph, values: str, count: str, size: int, stride: int) -> str:
    """Cut (T, B, F) into `count` windows (size, count, B, F), each begun inside; zeros follow the end."""
    pads = graph.integers(0, 0, 0, size - 1, 0, 0)
    starts = graph.add("Mul", positions(graph, count), graph.integer(stride))
    places = graph.add("Add", graph.constant(np.arange(size)[:, None]), starts)
    return graph.add("Gather", graph.add("Pad", values, pads), places, axis=0)
