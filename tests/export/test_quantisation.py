"""int8: what is quantised, what stays, and how far log-probs move."""

from __future__ import annotations

import onnx
import pytest
import torch
from graph_parity import RunningGraph
from ragged import ragged

from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder
from seqrec.errors import UserError
from seqrec.export.quantisation import quantised
from seqrec.export.recognizer_graph import features_model, signals_model
from seqrec.recognizer import Recognizer
from seqrec.speech.mfcc import MFCC


def recognizer(**options: object) -> Recognizer:
    torch.manual_seed(0)
    frontend = MFCC(8000)
    return Recognizer(frontend, RecurrentEncoder(frontend.num_features, 32, 2, **options), 20).eval()  # type: ignore[arg-type]


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_lstms_and_products_are_quantised_and_the_front_end_is_not() -> None:
    model = signals_model(recognizer(projection=16), {"seqrec": "{}"})
    small = quantised(model)
    assert kinds(small).count("DynamicQuantizeLSTM") == kinds(model).count("LSTM") == 2
    assert kinds(model).count("MatMul") == 3  # two projections and the head
    assert not {"LSTM", "MatMul", "ConvInteger"} & set(kinds(small))
    assert kinds(small).count("Conv") == kinds(model).count("Conv") == 3  # waves, bands, cepstra


def test_the_model_given_stays_as_it_is_and_metadata_is_kept() -> None:
    model = features_model(recognizer(), {"seqrec": '{"a": 1}'})
    before = model.SerializeToString()
    small = quantised(model)
    assert model.SerializeToString() == before
    assert [(entry.key, entry.value) for entry in small.metadata_props] == [("seqrec", '{"a": 1}')]
    assert small.ByteSize() < 0.5 * model.ByteSize()


def test_log_probs_are_near_and_lengths_the_same() -> None:
    torch_one = recognizer()
    features = ragged([50, 7, 31, 1], 39)
    with torch.inference_mode():
        expected = torch_one.recognise(features)
    log_probs, lengths = RunningGraph(quantised(features_model(torch_one, {}))).features(features)
    assert lengths.tolist() == expected.lengths.tolist()
    for row, length in enumerate(lengths.tolist()):
        apart = torch.from_numpy(log_probs[row, :length]) - expected.log_probs[row, :length]
        assert 0 < apart.abs().max() < 0.05


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells_cannot_be(cell: str) -> None:
    with pytest.raises(UserError, match=f"int8 for LSTM cells, not for {cell.upper()}; use engine=onnx"):
        quantised(features_model(recognizer(cell=cell), {}))


def test_cells_that_go_from_chunk_to_chunk_stay_in_float32() -> None:
    torch.manual_seed(0)
    frontend = MFCC(8000)
    encoder = ChunkedBiLSTMEncoder(frontend.num_features, 16, 2, chunk_size=6, right_context=3)
    torch_one = Recognizer(frontend, encoder, 20).eval()
    features = ragged([50, 7, 1], frontend.num_features)
    small = quantised(features_model(torch_one, {}))
    assert kinds(small).count("DynamicQuantizeLSTM") == kinds(small).count("Scan") == 2  # the backward cells
    log_probs, lengths = RunningGraph(small).features(features)
    with torch.inference_mode():
        expected = torch_one.recognise(features)
    assert lengths.tolist() == expected.lengths.tolist()
    torch.testing.assert_close(torch.from_numpy(log_probs[0]), expected.log_probs[0], atol=0.05, rtol=0)
