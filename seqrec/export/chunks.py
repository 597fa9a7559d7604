"""The bidirectional LSTM over chunks as part of a graph.

Backward, all chunks are one batch. Forward, a Scan goes from chunk to chunk, since ONNX's LSTM gives its whole state at
its last frame only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder, ChunkedLayer
from seqrec.export.frames import INT32, positions, rounded_up, size_of, zero_padding
from seqrec.export.graph import Frames, Graph
from seqrec.export.recurrent import Steps, add_cells, add_stacking, add_windows, store_weights, to_steps


@dataclass(frozen=True)
class Windows:
    """Names in the graph of K chunks, each with its right context behind it: W frames."""

    values: str  # (W, K, B, F) float32, zero in the padding
    mask: str  # (W, K, B, 1) bool, true at valid frames
    lengths: str  # (K * B,) int32, 1 rather than 0 where an example has ended


def add_chunked(graph: Graph, encoder: ChunkedBiLSTMEncoder, frames: Frames) -> Frames:
    """Add frame stacking, and layers that run over chunks."""
    steps = add_stacking(graph, encoder.stacking, to_steps(graph, frames))
    windows = _cut(graph, steps, encoder)
    for layer in encoder.layers:
        windows = _add_layer(graph, layer, windows, encoder.right_context)  # type: ignore[arg-type]
    chunks = graph.add("Slice", windows.values, graph.integers(0), graph.integers(encoder.chunk_size))
    chunks = graph.add("Transpose", chunks, perm=(2, 1, 0, 3))  # (W, K, B, H) -> (B, K, W, H)
    joined = graph.add("Reshape", chunks, graph.integers(0, -1, encoder.output_size))
    end = graph.add("Shape", steps.values, start=0, end=1)
    return Frames(graph.add("Slice", joined, graph.integers(0), end, graph.integers(1)), steps.lengths)


def _cut(graph: Graph, steps: Steps, encoder: ChunkedBiLSTMEncoder) -> Windows:
    size, step = encoder.chunk_size + encoder.right_context, encoder.chunk_size
    count = rounded_up(graph, size_of(graph, steps.values, 0), step)
    starts = graph.add("Mul", positions(graph, count), graph.integer(step))
    rest = graph.add("Sub", steps.lengths, graph.add("Unsqueeze", starts, graph.integers(1)))  # (K, B)
    mask = graph.add("Less", graph.constant(np.arange(size)[:, None, None]), rest)  # (W, K, B)
    lengths = graph.add("Reshape", graph.add("Clip", rest, graph.integer(1), graph.integer(size)), graph.integers(-1))
    return Windows(
        add_windows(graph, steps.values, count, size, step),
        graph.add("Unsqueeze", mask, graph.integers(3)),
        graph.add("Cast", lengths, to=INT32),
    )


def _add_layer(graph: Graph, layer: ChunkedLayer, windows: Windows, right_context: int) -> Windows:
    cells, size = layer.cells, layer.chunk_size + right_context
    weights = list(cells.parameters())
    batch = graph.add("Reshape", windows.values, graph.integers(size, -1, cells.input_size))
    forward = _run_chunks(graph, layer, windows.values, store_weights(graph, "lstm", weights[:4]), right_context)
    others = [*store_weights(graph, "lstm", weights[4:]), windows.lengths]
    backward = add_cells(graph, layer, "reverse", batch, others)[0]
    output = graph.add("Concat", forward, backward, axis=-1)  # (W, 1, K * B, 2 * H)
    sizes = graph.add("Concat", graph.add("Shape", windows.values, start=0, end=3), graph.integers(-1), axis=0)
    values = zero_padding(graph, graph.add("Reshape", output, sizes), windows.mask)
    return Windows(values, windows.mask, windows.lengths)


def _run_chunks(graph: Graph, layer: ChunkedLayer, values: str, weights: list[str], right_context: int) -> str:
    """Run forward over chunks (W, K, B, F), then over all right contexts at once, to (W, 1, K * B, H)."""
    size, end = graph.integers(layer.chunk_size), graph.integers(layer.chunk_size + right_context)
    hidden_size, input_size = layer.cells.hidden_size, layer.cells.input_size
    output, *state = _scan(graph, layer, graph.add("Slice", values, graph.integers(0), size), weights)
    output = graph.add("Reshape", output, graph.integers(layer.chunk_size, 1, -1, hidden_size))
    if not right_context:
        return output
    state = [graph.add("Reshape", part, graph.integers(1, -1, hidden_size)) for part in state]
    contexts = graph.add(
        "Reshape", graph.add("Slice", values, size, end), graph.integers(right_context, -1, input_size)
    )
    return graph.add("Concat", output, add_cells(graph, layer, "forward", contexts, [*weights, "", *state])[0], axis=0)


def _scan(graph: Graph, layer: ChunkedLayer, values: str, weights: list[str]) -> list[str]:
    """Run forward over (C, K, B, F), chunk after chunk; return (C, K, 1, B, H) and the last states (1, K, B, H)."""
    hidden_size = layer.cells.hidden_size
    num_examples = graph.add("Shape", values, start=2, end=3)
    sizes = graph.add("Concat", graph.integers(1), num_examples, graph.integers(hidden_size), axis=0)
    zeros = graph.add("ConstantOfShape", sizes)
    body = graph.inner()
    shape = (1, "B", hidden_size)
    before = [body.input(f"{zeros}_{name}", np.float32, shape) for name in ("h", "c")]
    chunk = body.input(f"{zeros}_chunk", np.float32, (layer.chunk_size, "B", layer.cells.input_size))
    output, *state = add_cells(body, layer, "forward", chunk, [*weights, "", *before])
    for part, value in zip(("h", "c", "h_kept", "c_kept"), (*state, *state), strict=True):
        body.output(f"{zeros}_{part}_next", value, np.float32, shape)
    body.output(f"{zeros}_output", output, np.float32, (layer.chunk_size, 1, "B", hidden_size))
    axes = {"scan_input_axes": [1], "scan_output_axes": [1, 1, 1]}  # K
    results = graph.add_several("Scan", 5, zeros, zeros, values, body=body.body(), num_scan_inputs=1, **axes)
    return [results[4], *results[2:4]]
