"""A recogniser as one ONNX model, from features or from signals to log-probs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from seqrec.export.encoders import add_encoder
from seqrec.export.frames import without_padding
from seqrec.export.graph import Frames, Graph
from seqrec.export.modules import add_linear
from seqrec.recognizer import Recognizer

if TYPE_CHECKING:
    import onnx


def features_model(recognizer: Recognizer, metadata: Mapping[str, str]) -> onnx.ModelProto:
    """Return the encoder and the head as a model; the front-end's features are made beside it.

    Inputs: `features` (B, T, F) float32, with anything in the padding, and `lengths` (B,) int64, of at least 1 and at
    most T frames. Outputs: `log_probs` (B, T', V) float32 and `output_lengths` (B,) int64.

    Raises:
        UserError: the encoder has no graph, or the package `onnx` is missing.
    """
    graph = Graph()
    features = graph.input("features", np.float32, ("B", "T", recognizer.frontend.num_features))
    lengths = graph.input("lengths", np.int64, ("B",))
    return _finish(graph, recognizer, without_padding(graph, Frames(features, lengths)), metadata)


def signals_model(recognizer: Recognizer, metadata: Mapping[str, str]) -> onnx.ModelProto:
    """Return front-end, encoder and head as a model.

    Inputs: `signals` (B, N) float32, with anything in the padding, and `lengths` (B,) int64. Outputs: as of
    `features_model`.

    Raises:
        UserError: front-end or encoder have no graph, or the package `onnx` is missing.
    """
    from seqrec.export.frontends import add_frontend

    graph = Graph()
    signals = graph.input("signals", np.float32, ("B", "N"))
    lengths = graph.input("lengths", np.int64, ("B",))
    frames = add_frontend(graph, recognizer.frontend, signals, lengths)  # type: ignore[arg-type]
    return _finish(graph, recognizer, frames, metadata)


def _finish(graph: Graph, recognizer: Recognizer, frames: Frames, metadata: Mapping[str, str]) -> onnx.ModelProto:
    encoded = add_encoder(graph, recognizer.encoder, frames)  # type: ignore[arg-type]
    log_probs = graph.add("LogSoftmax", add_linear(graph, recognizer.head, encoded.values), axis=-1)
    graph.output("log_probs", log_probs, np.float32, ("B", "T_out", recognizer.head.out_features))
    graph.output("output_lengths", encoded.lengths, np.int64, ("B",))
    return graph.model(metadata)
