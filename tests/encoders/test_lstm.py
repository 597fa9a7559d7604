"""The LSTM encoder of older checkpoints: the same options, names of weights, draws and outputs as ever."""

from __future__ import annotations

import inspect

import pytest
import torch
from ragged import ragged

from seqrec.encoders.lstm import LSTMEncoder
from seqrec.encoders.recurrent import RecurrentEncoder

WEIGHTS = [0.5228015, 0.6115335, 0.2563408, 0.5277781, 0.8493823]  # a draw behind them, two inputs, two recurrent
OUTPUTS = [0.0, 0.2922903, -0.0, 0.0, 0.1821722, 0.0402744, -0.0105422, -0.0880719]  # four with dropout, four without


def test_names_and_shapes_of_weights_as_in_older_checkpoints() -> None:
    found = {name: tuple(weight.shape) for name, weight in LSTMEncoder(3, 4, 2, stack_size=2).state_dict().items()}
    expected = {}
    for layer, size in enumerate((6, 8)):
        for suffix in ("", "_reverse"):
            shapes = {"weight_ih": (16, size), "weight_hh": (16, 4), "bias_ih": (16,), "bias_hh": (16,)}
            expected |= {f"layers.{layer}.lstm.{name}_l0{suffix}": shape for name, shape in shapes.items()}
    assert found == expected


def test_draws_and_outputs_as_before_there_were_other_cells() -> None:
    """Numbers of the encoder of version 0.1, which READMEs were measured with."""
    torch.manual_seed(0)
    encoder = LSTMEncoder(2, 2, 2, dropout=0.5)
    after = torch.rand(1).item()
    first = encoder.state_dict()["layers.0.lstm.weight_ih_l0"][0].tolist()
    last = encoder.state_dict()["layers.1.lstm.weight_hh_l0_reverse"][-1].tolist()
    dropped = encoder(ragged([2], 2)).values[0, 1].tolist()
    kept = encoder.eval()(ragged([2], 2)).values[0, 1].tolist()
    assert [after, *first, *last] == pytest.approx(WEIGHTS, abs=1e-6)
    assert [*dropped, *kept] == pytest.approx(OUTPUTS, abs=1e-6)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_is_the_recurrent_encoder_of_the_same_options(bidirectional: bool) -> None:
    options = {"hidden_size": 4, "bidirectional": bidirectional, "stack_size": 2, "stack_stride": 2}
    outputs = []
    for kind in (LSTMEncoder, RecurrentEncoder):
        torch.manual_seed(0)
        outputs.append(kind(3, **options)(ragged([7, 3], 3)).values)
    assert outputs[0].equal(outputs[1])


def test_defaults_of_the_old_name_and_the_new_agree() -> None:
    new = inspect.signature(RecurrentEncoder).parameters
    for name, parameter in inspect.signature(LSTMEncoder).parameters.items():
        assert parameter.default == new[name].default
