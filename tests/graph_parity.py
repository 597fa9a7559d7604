"""Encoders and their graphs side by side: torch's outputs against onnxruntime's, whatever stands in the padding."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import torch
from ragged import soil
from torch import nn

from seqrec.export.encoders import add_encoder
from seqrec.export.frames import without_padding
from seqrec.export.graph import Frames, Graph
from seqrec.sequence import Features

PADDINGS = (0.0, 1e9, float("nan"))


class RunningGraph:
    """Runs a model with one thread."""

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.model = model
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])

    def __call__(self, **inputs: np.ndarray) -> list[np.ndarray]:
        return self._session.run(None, inputs)

    def features(self, features: Features) -> list[np.ndarray]:
        return self(features=features.values.numpy(), lengths=features.lengths.numpy())


def encoder_graph(encoder: nn.Module, input_size: int) -> RunningGraph:
    """Return an encoder alone as a graph, from features with anything in their padding."""
    graph = Graph()
    features = graph.input("features", np.float32, ("B", "T", input_size))
    frames = without_padding(graph, Frames(features, graph.input("lengths", np.int64, ("B",))))
    encoded = add_encoder(graph, encoder, frames)
    graph.output("values", encoded.values, np.float32, ("B", "T_out", encoder.output_size))
    graph.output("output_lengths", encoded.lengths, np.int64, ("B",))
    return RunningGraph(graph.model({}))


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give biases, norms and their statistics values that a fault cannot hide behind; return it as in evaluation."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in module.named_parameters():
        if weight.dim() == 1:
            weight.data.copy_(torch.randn(weight.shape, generator=generator) * 0.5 + ("norm" in name))
        else:
            weight.data.copy_(torch.randn(weight.shape, generator=generator) / weight[0].numel() ** 0.5)
    for name, statistic in module.named_buffers():
        if statistic.is_floating_point():
            mean = torch.randn(statistic.shape, generator=generator)
            statistic.copy_(mean.abs() + 0.5 if "var" in name else mean)
    return module.eval()


@torch.no_grad()
def check_graph(encoder: nn.Module, graph: RunningGraph, features: Features, atol: float = 1e-5) -> None:
    """Compare a batch, zero in the padding, and each of its examples alone."""
    expected = encoder(features)
    for padding in PADDINGS:
        values, lengths = graph.features(soil(features, padding))
        assert values.dtype == np.float32
        np.testing.assert_array_equal(lengths, expected.lengths.numpy())
        np.testing.assert_allclose(values, expected.values.numpy(), atol=atol, rtol=0)
        for row, length in zip(values, lengths, strict=True):
            assert not row[length:].any()
    for number, length in enumerate(features.lengths.tolist()):
        alone = Features(features.values[number : number + 1, :length], features.lengths[number : number + 1])
        values, lengths = graph.features(alone)
        assert values.shape[1] == lengths[0] == expected.lengths[number]
        np.testing.assert_allclose(values[0], expected.values[number, : lengths[0]].numpy(), atol=atol, rtol=0)
