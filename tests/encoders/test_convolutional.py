"""What all encoders that make fewer frames keep: padding never shows, lengths are exact, each layer is there."""

from __future__ import annotations

from functools import partial

import pytest
import torch
import yaml
from torch import nn

from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.conv_bilstm import ConvEncoder
from seqrec.encoders.deepspeech import DeepSpeechEncoder
from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.tds import TDSEncoder
from seqrec.encoders.valid_frames import FrameBatchNorm
from seqrec.sequence import Features, length_mask, pad_signals
from seqrec.share import build, share_folder

LENGTHS = [11, 1, 4, 10, 2, 5]
SMALL = {"hidden_size": 6, "dropout": 0.0, "num_layers": 2}
FRONTS = {"conv1d": Conv1dEncoder, "conv": ConvEncoder}
OF_BATCH_NORM = {
    **{f"{name}-batch": partial(front, channels=(4, 8), **SMALL) for name, front in FRONTS.items()},
    "deepspeech": partial(DeepSpeechEncoder, hidden_size=6, num_layers=2),
}
EACH_ALONE = {
    **{
        f"{name}-{norm}": partial(front, channels=(4, 8), norm=norm, activation="gelu", **SMALL)
        for name, front in FRONTS.items()
        for norm in ("layer", "none")
    },
    "tds": partial(TDSEncoder, channels=(2, 4), conv_dropout=0.0, **SMALL),
    "pyramid": partial(PyramidEncoder, hidden_size=6, dropout=0.0),
}
ALL = {**OF_BATCH_NORM, **EACH_ALONE}
SETTINGS = [*((name, False) for name in ALL), *((name, True) for name in EACH_ALONE)]  # with batch norm not in training


def ragged(lengths: list[int], size: int) -> Features:
    return Features(*pad_signals([torch.randn(length, size) for length in lengths]))


def make(name: str, training: bool = False) -> nn.Module:
    torch.manual_seed(0)
    encoder = ALL[name](7)
    for module in encoder.modules():
        if isinstance(module, FrameBatchNorm):
            for value in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(value)
    return encoder.train(training)


@pytest.mark.parametrize("padding", [0.0, 1e9, float("nan")])
@pytest.mark.parametrize(("name", "training"), SETTINGS)
def test_an_example_is_the_same_alone_and_beside_others(name: str, training: bool, padding: float) -> None:
    encoder, batch = make(name, training), ragged(LENGTHS, 7)
    values = nn.functional.pad(batch.values, (0, 0, 0, 3))  # wider than the longest, too
    outside = ~length_mask(batch.lengths, values.shape[1])
    found = encoder.layer_outputs(Features(values.masked_fill(outside[..., None], padding), batch.lengths))
    assert found[-1].values.shape[2] == encoder.output_size
    for i, length in enumerate(LENGTHS):
        alone = encoder.layer_outputs(Features(batch.values[i : i + 1, :length], batch.lengths[i : i + 1]))
        for layer, expected in zip(found, alone, strict=True):
            out = int(layer.lengths[i])
            assert expected.values.shape[1] == out == expected.lengths
            torch.testing.assert_close(layer.values[i, :out], expected.values[0], atol=1e-5, rtol=1e-4)
            assert layer.values[i, out:].eq(0).all()


@pytest.mark.parametrize("name", ALL)
def test_garbage_in_the_padding_reaches_no_gradient(name: str) -> None:
    encoder, batch = make(name, training=True), ragged(LENGTHS, 7)
    outside = ~length_mask(batch.lengths, batch.values.shape[1])[..., None]

    def gradients(padding: float) -> list[torch.Tensor]:
        values = batch.values.masked_fill(outside, padding).requires_grad_()
        output = encoder(Features(values, batch.lengths)).values
        return list(torch.autograd.grad(output.square().sum(), [values, *encoder.parameters()]))

    clean, dirty = gradients(0.0), gradients(float("nan"))
    torch.testing.assert_close(clean, dirty, atol=1e-6, rtol=1e-4)
    assert not clean[0].masked_select(outside).any()
    assert all(gradient.any() for gradient in clean)


@pytest.mark.parametrize("name", ALL)
def test_lengths_are_those_of_the_output(name: str) -> None:
    encoder = make(name)
    lengths = torch.arange(1, 41)
    outputs = encoder.output_lengths(lengths)
    found = encoder(Features(torch.randn(40, 40, 7), lengths))
    assert found.lengths.equal(outputs)
    for length, output in zip(lengths.tolist(), outputs.tolist(), strict=True):
        alone = encoder(Features(torch.randn(1, length, 7), torch.tensor([length])))
        assert alone.values.shape == (1, output, encoder.output_size)
    stride = 2 if name == "deepspeech" else 4
    assert outputs.tolist() == [-(-length // stride) for length in lengths.tolist()]


@pytest.mark.parametrize("name", ALL)
def test_the_last_layers_output_is_the_encoders(name: str) -> None:
    encoder, batch = make(name), ragged(LENGTHS, 7)
    layers, found = encoder.layer_outputs(batch), encoder(batch)
    assert len(layers) == (3 if name == "pyramid" else 2)
    assert layers[-1].values.equal(found.values)
    assert not layers[0].values.equal(layers[1].values)


@pytest.mark.parametrize("name", ALL)
def test_one_frame_trains(name: str) -> None:
    encoder = make(name, training=True)
    encoder(Features(torch.randn(1, 1, 7), torch.tensor([1]))).values.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in encoder.parameters())


@pytest.mark.parametrize("name", ALL)
def test_bfloat16_is_near(name: str) -> None:
    encoder, batch = make(name), ragged(LENGTHS, 7)
    exact = encoder(batch).values
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = encoder(batch).values
        found.float().square().sum().backward()
    assert (found.float() - exact).norm() < 0.05 * exact.norm()
    assert all(weight.grad.isfinite().all() for weight in encoder.parameters())


@pytest.mark.parametrize("name", ["conv1d_bilstm", "conv_bilstm", "deepspeech", "pyramid_bilstm", "tds"])
def test_configs_build(name: str) -> None:
    part = yaml.safe_load((share_folder("conf") / "encoder" / f"{name}.yaml").read_text(encoding="utf-8"))
    encoder = build({**part, "hidden_size": 8}, "encoder", input_size=5)
    batch = ragged([9, 3], 5)
    assert encoder(batch).values.shape == (2, int(encoder.output_lengths(batch.lengths).max()), encoder.output_size)
