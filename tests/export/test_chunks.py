"""The LSTM over chunks as a graph, against torch: chunks that end with, before and behind an example."""

from __future__ import annotations

import pytest
from graph_parity import check_graph, encoder_graph, randomise
from ragged import ragged

from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder


@pytest.mark.parametrize(("chunk_size", "right_context"), [(4, 2), (3, 0), (1, 1), (2, 5), (32, 16)])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 2)])
def test_chunks_and_their_right_contexts(chunk_size: int, right_context: int, size: int, stride: int) -> None:
    encoder = ChunkedBiLSTMEncoder(
        3, 4, 2, chunk_size=chunk_size, right_context=right_context, stack_size=size, stack_stride=stride
    )
    graph = encoder_graph(randomise(encoder), 3)
    for lengths in ([1], [4, 8, 1], [13, 1, 12, 5, 9]):
        check_graph(encoder, graph, ragged(lengths, 3))
