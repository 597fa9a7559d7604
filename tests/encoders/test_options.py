"""Options of encoders: each reaches the layers that it is for, and changes no other."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

import pytest
from ragged import ragged
from torch import Tensor, nn

from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.conv_bilstm import ConvEncoder
from seqrec.encoders.convolution import ConvolutionLayer
from seqrec.encoders.convolutional import ConvolutionalEncoder
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.encoders.recurrent_dropout import LockedDropout
from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder
from seqrec.encoders.streaming_lookahead import LookaheadLSTMEncoder
from seqrec.encoders.tds import TDSEncoder

BASE = {"hidden_size": 4, "num_layers": 3, "stack_size": 2}
CHANGES = {
    "hidden_size": 5,
    "num_layers": 4,
    "cell": "gru",
    "bidirectional": False,
    "dropout": [0.2, 0.3, 0.4],
    "projection": 7,
    "layer_norm": True,
    "residual": True,
    "merge": "sum",
    "locked_dropout": True,
    "weight_dropout": 0.25,
    "stack_size": 3,
    "stack_stride": 2,
    "norm": "layer",
    "activation": "gelu",
    "conv_dropout": 0.35,
    "block_size": 3,
}
ENCODERS = (
    RecurrentEncoder, LSTMEncoder, LookaheadLSTMEncoder, ChunkedBiLSTMEncoder, PyramidEncoder, Conv1dEncoder,
    ConvEncoder, TDSEncoder,
)  # fmt: skip


def taken(encoder: Callable[..., nn.Module], options: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if name in inspect.signature(encoder).parameters}


def alike(values: Iterable[object]) -> object:
    """What all have in common, else what each has."""
    each = list(values)
    return each[0] if len(set(each)) == 1 else each


def stack_of(encoder: nn.Module) -> nn.Module:
    return encoder.recurrent if isinstance(encoder, ConvolutionalEncoder) else encoder


def of_layers(encoder: nn.Module) -> dict[str, object]:
    stack = stack_of(encoder)
    return {
        "hidden_size": alike(layer.cells.hidden_size for layer in stack.layers),
        "num_layers": len(stack.layers),
        "cell": alike(layer.cells.mode.partition("_")[0].lower() for layer in stack.layers),
        "bidirectional": alike(layer.cells.bidirectional for layer in stack.layers),
        "dropout": alike(dropout.p for dropout in stack.dropouts),
        "projection": alike(layer.projection and layer.projection.out_features for layer in stack.layers),
        "layer_norm": alike(isinstance(layer.norm, nn.LayerNorm) for layer in stack.layers),
        "residual": getattr(stack, "residual", False),
        "merge": alike(layer.merge for layer in stack.layers),
        "locked_dropout": alike(isinstance(dropout, LockedDropout) for dropout in stack.dropouts),
        "weight_dropout": alike(layer.weight_dropout for layer in stack.layers),
    }


def of_stacking(encoder: nn.Module) -> dict[str, object]:
    return {"stack_size": encoder.stacking.size, "stack_stride": encoder.stacking.stride}


def of_front(encoder: nn.Module) -> dict[str, object]:
    modules = list(encoder.front.modules())
    layers = [module for module in modules if isinstance(module, ConvolutionLayer)]
    norms = {"FrameBatchNorm": "batch", "LayerNorm": "layer", "Identity": "none"}
    return {
        "norm": alike(norms[type(layer.norm).__name__] for layer in layers),
        "activation": alike(type(layer.activation).__name__.lower() for layer in layers),
        "conv_dropout": alike(module.p for module in modules if isinstance(module, nn.Dropout)),
        "block_size": len(layers) // 2,  # all have two groups of them
    }


def settings(encoder: nn.Module) -> dict[str, object]:
    found = of_layers(encoder)
    if isinstance(encoder, ConvolutionalEncoder):
        found |= of_front(encoder)
    elif not isinstance(encoder, PyramidEncoder):
        found |= of_stacking(encoder)
    return found


def check_width(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
    assert given[0].shape[-1] == layer.cells.input_size  # torch.lstm computes something of any other


@pytest.mark.parametrize(
    ("encoder", "option"),
    [
        pytest.param(encoder, option, id=f"{encoder.__name__}-{option}")
        for encoder in ENCODERS
        for option in taken(encoder, CHANGES)
    ],
)
def test_an_option_reaches_its_layers_alone(encoder: Callable[..., nn.Module], option: str) -> None:
    base, change = taken(encoder, BASE), {option: CHANGES[option]}
    before, changed = settings(encoder(3, **base)), encoder(3, **{**base, **change})
    assert settings(changed) == {**before, **change} != before
    for layer in stack_of(changed).layers:
        layer.register_forward_pre_hook(check_width)
    assert changed(ragged([9, 4], 3)).values.shape[2] == changed.output_size
