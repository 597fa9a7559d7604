"""Every encoder by its name in conf/ as a graph, on any ragged batch."""

from __future__ import annotations

from functools import cache

import pytest
import torch
import yaml
from graph_parity import RunningGraph, check_graph, encoder_graph, randomise
from hypothesis import given, settings
from hypothesis import strategies as st
from ragged import ragged
from torch import nn

from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.errors import UserError
from seqrec.export.encoders import ADDERS, add_encoder
from seqrec.export.graph import Frames, Graph
from seqrec.sequence import Features
from seqrec.share import build, share_folder

FILES = {path.stem: path for path in sorted(share_folder("conf").glob("encoder/*.yaml"))}
SMALL = {
    "chunked_bilstm": {"num_layers": 2, "chunk_size": 6, "right_context": 3},
    "lookahead_lstm": {"num_layers": 2, "lookahead": 5},
    "pyramid_bilstm": {},
    "tds": {"num_layers": 1, "channels": (2, 3)},
}
INPUT_SIZE = 8


@cache
def prepared(name: str) -> tuple[nn.Module, RunningGraph]:
    part = yaml.safe_load(FILES[name].read_text(encoding="utf-8"))
    options = {"hidden_size": 5, **SMALL.get(name, {"num_layers": 2})}
    encoder = randomise(build({**part, **options}, "encoder", input_size=INPUT_SIZE))
    return encoder, encoder_graph(encoder, INPUT_SIZE)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=8, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    more_padding=st.integers(0, 6),
    seed=st.integers(0, 2**31),
)
def test_any_ragged_batch(name: str, lengths: list[int], more_padding: int, seed: int) -> None:
    features = ragged(lengths, INPUT_SIZE, seed)
    values = nn.functional.pad(features.values, (0, 0, 0, more_padding))
    check_graph(*prepared(name), Features(values, features.lengths))


@pytest.mark.parametrize("name", FILES)
def test_long_examples_stay_exact(name: str) -> None:
    check_graph(*prepared(name), ragged([700, 1, 333], INPUT_SIZE))


def test_every_encoder_of_conf_has_a_graph() -> None:
    assert len(FILES) >= 13
    assert {type(prepared(name)[0]) for name in FILES} <= set(ADDERS)


def test_an_encoder_without_a_graph_is_named() -> None:
    class MyEncoder(RecurrentEncoder):
        def forward(self, features: Features) -> Features:
            return Features(torch.zeros_like(features.values), features.lengths)

    with pytest.raises(UserError, match=r"test_encoders\S*MyEncoder has no ONNX graph.*RecurrentEncoder"):
        add_encoder(Graph(), MyEncoder(3, 4), Frames("values", "lengths"))
