"""The pyramid against torch's LSTM layer by layer, on each example alone, its frames joined by loops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.sequence import Features, pad_signals


def joined(values: Tensor, stride: int) -> Tensor:
    """(T, F) to (ceil(T / stride), F * stride), zeros behind the last frame."""
    rows = []
    for start in range(0, len(values), stride):
        frames = [values[t] if t < len(values) else torch.zeros_like(values[0]) for t in range(start, start + stride)]
        rows.append(torch.cat(frames))
    return torch.stack(rows)


@pytest.mark.parametrize("strides", [(1, 2, 2), (3, 1)])
def test_each_example_is_plain_torch(strides: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    encoder = PyramidEncoder(3, hidden_size=5, strides=strides).eval()
    examples = [torch.randn(length, 3) for length in (13, 1, 6, 2)]
    layers = encoder.layer_outputs(Features(*pad_signals(examples)))
    for i, example in enumerate(examples):
        values = example
        for stride, layer, found in zip(strides, encoder.layers, layers, strict=True):
            lstm = nn.LSTM(values.shape[1] * stride, 5, bidirectional=True)
            lstm.load_state_dict(layer.lstm.state_dict())
            values = lstm(joined(values, stride))[0]
            torch.testing.assert_close(found.values[i, : found.lengths[i]], values, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("strides", [(), (1, 0)])
def test_impossible_settings_are_named(strides: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"strides=\["):
        PyramidEncoder(3, strides=strides)
