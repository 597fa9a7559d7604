"""Every encoder of ours as part of a graph, by its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.conv_bilstm import ConvEncoder
from seqrec.encoders.deepspeech import DeepSpeechEncoder
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder
from seqrec.encoders.streaming_lookahead import LookaheadLSTMEncoder
from seqrec.encoders.tds import TDSEncoder
from seqrec.errors import UserError
from seqrec.export.chunks import add_chunked
from seqrec.export.convolutions import add_convolutional, add_deepspeech
from seqrec.export.graph import Frames, Graph
from seqrec.export.recurrent import add_lookahead, add_pyramid, add_recurrent

ADDERS: Mapping[type[nn.Module], Callable[[Graph, Any, Frames], Frames]] = {
    RecurrentEncoder: add_recurrent,
    LSTMEncoder: add_recurrent,
    LookaheadLSTMEncoder: add_lookahead,
    ChunkedBiLSTMEncoder: add_chunked,
    PyramidEncoder: add_pyramid,
    Conv1dEncoder: add_convolutional,
    ConvEncoder: add_convolutional,
    TDSEncoder: add_convolutional,
    DeepSpeechEncoder: add_deepspeech,
}


def add_encoder(graph: Graph, encoder: nn.Module, frames: Frames) -> Frames:
    """Add an encoder as it is in evaluation: frames (B, T, F) to (B, T', H), zero in the padding.

    Raises:
        UserError: there is no graph of its class; a class derived from one of ours counts as another, since it may
            compute something else.
    """
    adder = ADDERS.get(type(encoder))
    if adder is None:
        name = f"{type(encoder).__module__}.{type(encoder).__qualname__}"
        known = ", ".join(kind.__name__ for kind in ADDERS)
        raise UserError(f"the encoder {name} has no ONNX graph: only {known} have; run it with engine=torch")
    return adder(graph, encoder, frames)
