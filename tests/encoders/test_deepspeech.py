"""Deep Speech 2 against the published shape, in torch's modules, on each example alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqrec.encoders.deepspeech import DeepSpeechEncoder
from seqrec.sequence import Features, pad_signals
from seqrec.share import constructor_defaults


class Published(nn.Module):
    """The paper's network up to the head, features before frames as it is published; one example at a time."""

    def __init__(self, num_features: int, hidden_size: int, num_layers: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, (41, 11), stride=(2, 2), padding=(20, 5), bias=False),
            nn.BatchNorm2d(32),
            nn.Hardtanh(0, 20),
            nn.Conv2d(32, 32, (21, 11), stride=(2, 1), padding=(10, 5), bias=False),
            nn.BatchNorm2d(32),
            nn.Hardtanh(0, 20),
        )
        sizes = [32 * -(-num_features // 4)] + [hidden_size] * (num_layers - 1)
        self.rnns = nn.ModuleList(nn.LSTM(size, hidden_size, bidirectional=True) for size in sizes)
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden_size) for _ in sizes)

    def forward(self, spectrogram: Tensor) -> list[Tensor]:
        """(F, T) to (T', H) of each layer."""
        values = self.conv(spectrogram[None, None])[0].flatten(0, 1).T
        outputs = []
        for rnn, norm in zip(self.rnns, self.norms, strict=True):
            values = norm(rnn(values)[0].unflatten(1, (2, -1)).sum(1))
            outputs.append(values)
        return outputs


def copy_weights(ours: DeepSpeechEncoder, theirs: Published) -> None:
    for layer, place in zip(ours.front, (0, 3), strict=True):
        theirs.conv[place].weight.data.copy_(layer.convolution.weight.transpose(2, 3))
        theirs.conv[place + 1].load_state_dict(layer.norm.state_dict())
    for layer, rnn in zip(ours.layers, theirs.rnns, strict=True):
        rnn.load_state_dict(layer.lstm.state_dict())
    theirs.norms.load_state_dict(ours.norms.state_dict())


def test_each_example_is_the_published_network() -> None:
    torch.manual_seed(0)
    encoder, published = DeepSpeechEncoder(13, hidden_size=5, num_layers=3).eval(), Published(13, 5, 3).eval()
    for norm in [*(layer.norm for layer in encoder.front), *encoder.norms]:
        nn.init.normal_(norm.running_mean, std=0.1)
        nn.init.normal_(norm.bias)
    copy_weights(encoder, published)
    examples = [torch.randn(length, 13) for length in (23, 1, 6, 2)]
    layers = encoder.layer_outputs(Features(*pad_signals(examples)))
    for i, example in enumerate(examples):
        for found, expected in zip(layers, published(example.T), strict=True):
            torch.testing.assert_close(found.values[i, : found.lengths[i]], expected, atol=1e-5, rtol=1e-4)


def test_published_sizes() -> None:
    """161 frequencies of 20 ms at 16 kHz give 41 x 32 numbers a frame; 1024 cells a direction, five layers."""
    defaults = constructor_defaults("seqrec.encoders.deepspeech.DeepSpeechEncoder")
    assert defaults == {"hidden_size": 1024, "num_layers": 5}
    encoder = DeepSpeechEncoder(161, hidden_size=8)
    assert [layer.lstm.input_size for layer in encoder.layers] == [1312, 8, 8, 8, 8]
    assert encoder.output_size == 8


def test_impossible_settings_are_named() -> None:
    with pytest.raises(ValueError, match="num_layers=0"):
        DeepSpeechEncoder(13, num_layers=0)
