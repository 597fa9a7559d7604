"""Whole recognisers as models: log-probs of torch, from features and from signals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from graph_parity import PADDINGS, RunningGraph, randomise
from ragged import ragged, soil
from torch import nn

from seqrec.encoders.conv_bilstm import ConvEncoder
from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.export.recognizer_graph import features_model, signals_model
from seqrec.recognizer import Recognizer
from seqrec.speech.logmel import LogMel


class Nothing(nn.Module):
    """The front-end of those who have features already."""

    num_features = 6


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", [RecurrentEncoder, ConvEncoder])
def test_log_probs_from_features(kind: type[nn.Module], training: bool) -> None:
    recognizer = Recognizer(Nothing(), kind(6, hidden_size=7, num_layers=2), 5)
    randomise(recognizer)
    features = ragged([9, 1, 6], 6)
    with torch.no_grad():
        expected = recognizer.recognise(features)
    graph = RunningGraph(features_model(recognizer.train(training), {"seqrec": "{}"}))
    for padding in PADDINGS:
        log_probs, lengths = graph.features(soil(features, padding))
        np.testing.assert_allclose(log_probs, expected.log_probs.numpy(), atol=1e-5, rtol=0)
        np.testing.assert_array_equal(lengths, expected.lengths.numpy())


def test_the_interface_that_files_have() -> None:
    model = features_model(Recognizer(Nothing(), RecurrentEncoder(6, 4), 5), {"seqrec": "{}"})
    assert [(part.key, part.value) for part in model.metadata_props] == [("seqrec", "{}")]
    for part, names in (
        (model.graph.input, ["features", "lengths"]),
        (model.graph.output, ["log_probs", "output_lengths"]),
    ):
        assert [value.name for value in part] == names
    sizes = [
        dimension.dim_param or dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim
    ]
    assert sizes == ["B", "T", 6]


def test_log_probs_from_signals() -> None:
    torch.manual_seed(0)
    frontend = LogMel(8000, num_mels=6)
    recognizer = Recognizer(frontend, RecurrentEncoder(frontend.num_features, 7, 2), 5).eval()
    lengths = torch.tensor([4000, 700, 2500])
    signals = torch.randn(3, 4000, 1) * 0.1
    for row, length in zip(signals, lengths, strict=True):
        row[length:] = 0
    with torch.no_grad():
        expected = recognizer(signals, lengths)
    graph = RunningGraph(signals_model(recognizer, {}))
    for padding in PADDINGS:
        soiled = torch.where(torch.arange(4000)[None] < lengths[:, None], signals[..., 0], padding)
        log_probs, output_lengths = graph(signals=soiled.numpy(), lengths=lengths.numpy())
        np.testing.assert_array_equal(output_lengths, expected.lengths.numpy())
        np.testing.assert_allclose(log_probs, expected.log_probs.numpy(), atol=1e-4, rtol=0)
