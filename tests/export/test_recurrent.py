"""Recurrent encoders as graphs, with every combination of options, against torch."""

from __future__ import annotations

import itertools

import pytest
from graph_parity import check_graph, encoder_graph, randomise
from ragged import ragged

from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.encoders.streaming_lookahead import LookaheadLSTMEncoder

LENGTHS = [7, 1, 4, 7, 2]


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_every_combination_of_options(cell: str, bidirectional: bool) -> None:
    flags = itertools.product([None, 3], [False, True], [False, True], ["concat", "sum"])
    for projection, layer_norm, residual, merge in flags:
        encoder = RecurrentEncoder(
            3,
            4,
            2,
            cell,
            bidirectional,
            projection=projection,
            layer_norm=layer_norm,
            residual=residual,
            merge=merge,
            locked_dropout=True,
            weight_dropout=0.5,
        )
        check_graph(randomise(encoder), encoder_graph(encoder, 3), ragged(LENGTHS, 3))


@pytest.mark.parametrize(("size", "stride"), [(2, 1), (2, 2), (3, 2), (5, 5), (9, 4)])
def test_stacked_frames(size: int, stride: int) -> None:
    encoder = randomise(RecurrentEncoder(3, 4, 1, stack_size=size, stack_stride=stride))
    graph = encoder_graph(encoder, 3)
    for longest in range(1, 12):
        check_graph(encoder, graph, ragged([longest, 1, max(longest - 3, 1)], 3))


@pytest.mark.parametrize("strides", [(1,), (2, 1, 3), (4, 4)])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_pyramids(cell: str, strides: tuple[int, ...]) -> None:
    encoder = PyramidEncoder(3, 4, strides, cell, projection=3, layer_norm=True, merge="sum")
    check_graph(randomise(encoder), encoder_graph(encoder, 3), ragged([13, 1, 12, 5], 3))


@pytest.mark.parametrize(("lookahead", "size", "stride"), [(1, 1, 1), (3, 3, 2), (20, 1, 1)])
def test_lookahead(lookahead: int, size: int, stride: int) -> None:
    encoder = LookaheadLSTMEncoder(3, 4, 2, lookahead=lookahead, stack_size=size, stack_stride=stride)
    check_graph(randomise(encoder), encoder_graph(encoder, 3), ragged(LENGTHS, 3))


def test_layers_follow_one_another_with_nothing_needless_between_them() -> None:
    nodes = encoder_graph(RecurrentEncoder(3, 4, 4), 3).model.graph.node
    middle = [node.op_type for node in nodes if node.op_type not in ("Constant", "Identity", "Cast")]
    first = middle.index("LSTM")
    assert middle[first:] == ["LSTM", "Transpose", "Reshape"] * 4 + ["Transpose"]
