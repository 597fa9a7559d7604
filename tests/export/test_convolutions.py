"""Convolutional fronts as graphs, against torch: norms, activations, strides and pools."""

from __future__ import annotations

import pytest
from graph_parity import check_graph, encoder_graph, randomise
from ragged import ragged
from torch import nn

from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.conv_bilstm import ConvEncoder
from seqrec.encoders.deepspeech import DeepSpeechEncoder
from seqrec.encoders.tds import TDSEncoder

NORMS = pytest.mark.parametrize("norm", ["batch", "layer", "none"])
ACTIVATIONS = pytest.mark.parametrize("activation", ["relu", "gelu", "hardtanh"])


def check(encoder: nn.Module) -> None:
    graph = encoder_graph(randomise(encoder), 6)
    for lengths in ([17, 1, 16, 5], [1], [4, 4]):
        check_graph(encoder, graph, ragged(lengths, 6))


@NORMS
@ACTIVATIONS
def test_over_time(norm: str, activation: str) -> None:
    check(Conv1dEncoder(6, (4, 5, 3), (5, 3, 7), (2, 1, 3), norm, activation, 0.1, 3, 1))  # type: ignore[arg-type]


@NORMS
@ACTIVATIONS
def test_over_time_and_features(norm: str, activation: str) -> None:
    check(ConvEncoder(6, (3, 4), 2, 3, (2, 3), (1, 4), norm, activation, 0.1, 3, 1))  # type: ignore[arg-type]


def test_pools_over_frames_below_zero() -> None:
    encoder = ConvEncoder(6, (2,), 1, 3, 4, 5, "layer", "gelu", hidden_size=3, num_layers=1)
    for name, weight in randomise(encoder).named_parameters():
        if name.endswith("norm.bias"):
            weight.data.fill_(-3.0)  # zeros of the padding would be the largest
    graph = encoder_graph(encoder, 6)
    check_graph(encoder, graph, ragged([9, 1, 6], 6))


@pytest.mark.parametrize("strides", [1, (2, 3)])
def test_time_depth_separable(strides: int | tuple[int, ...]) -> None:
    check(TDSEncoder(6, (2, 3), (1, 2), 5, strides, hidden_size=3, num_layers=1, cell="gru", merge="sum"))


def test_deep_speech() -> None:
    check(DeepSpeechEncoder(6, 3, 2))
