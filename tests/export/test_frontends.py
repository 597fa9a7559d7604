"""Front-ends in a graph: torch's own features on ragged batches, with anything in the padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from graph_parity import PADDINGS, RunningGraph
from torch import Tensor

from seqrec.errors import UserError
from seqrec.export.frontends import add_frontend, has_graph
from seqrec.export.graph import Graph
from seqrec.ink.deltas import StrokeDeltas
from seqrec.sequence import length_mask
from seqrec.speech.logmel import LogMel
from seqrec.speech.mfcc import MFCC

LENGTHS = torch.tensor([3000, 150, 801, 40, 200])  # the last three: some frames, less than a window, a window


def running(frontend: LogMel) -> RunningGraph:
    graph = Graph()
    signals, lengths = graph.input("signals", np.float32, ("B", "N")), graph.input("lengths", np.int64, ("B",))
    frames = add_frontend(graph, frontend, signals, lengths)
    graph.output("values", frames.values, np.float32, ("B", "T", frontend.num_features))
    graph.output("counts", frames.lengths, np.int64, ("B",))
    return RunningGraph(graph.model({}))


def noise(lengths: Tensor, width: int = 0, seed: int = 0) -> Tensor:
    """Noise (B, N), from loud to soft, zero in the padding."""
    generator = torch.Generator().manual_seed(seed)
    width = max(width, int(lengths.max()))
    level = torch.logspace(0, -3, len(lengths))[:, None]
    return level * torch.randn(len(lengths), width, generator=generator) * length_mask(lengths, width)


def check(frontend: LogMel, signals: Tensor, lengths: Tensor, padding: float, atol: float = 1e-3) -> None:
    soiled = signals.masked_fill(~length_mask(lengths, signals.shape[1]), padding)
    values, counts = running(frontend)(signals=soiled.numpy(), lengths=lengths.numpy())
    expected = frontend.eval()(signals[..., None], lengths)
    assert counts.tolist() == expected.lengths.tolist()
    torch.testing.assert_close(torch.from_numpy(values), expected.values, atol=atol, rtol=0)
    assert not values[~length_mask(expected.lengths, values.shape[1]).numpy()].any()


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("normalize", ["utterance", "global", "none"])
@pytest.mark.parametrize("kind", [LogMel, MFCC])
def test_ragged_batches_give_torchs_features(kind: Any, normalize: str, padding: float) -> None:
    for deltas in (0, 1, 2):
        frontend = kind(8000, num_mels=23, normalize=normalize, deltas=deltas, dither=0.1)
        frontend.fit([noise(torch.tensor([4000]), seed=1)[0, :, None]])
        check(frontend, noise(LENGTHS), LENGTHS, padding, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"window_ms": 32.0, "hop_ms": 16.0},  # a window of a whole transform
        {"window_ms": 10.0, "hop_ms": 12.5},  # gaps between windows
        {"low_hz": 300.0, "high_hz": 3400.0},
        {"low_hz": 0.0, "floor": 1e-3},
        {"range_db": 10.0, "deltas": 1},
    ],
)
def test_other_windows_and_bands(options: dict[str, float]) -> None:
    check(LogMel(8000, num_mels=20, **options), noise(LENGTHS), LENGTHS, float("nan"), atol=1e-4)  # type: ignore[arg-type]


def test_liftered_cepstra() -> None:
    check(MFCC(8000, lifter=22, num_ceps=20, normalize="none"), noise(LENGTHS), LENGTHS, 1e9)
    check(MFCC(8000, range_db=15.0, normalize="none"), noise(LENGTHS), LENGTHS, 1e9)


def test_a_batch_shorter_than_a_window() -> None:
    lengths = torch.tensor([17, 1])
    for width in (17, 30):  # padded less, and more, than it must be
        check(LogMel(8000, num_mels=10, deltas=2), noise(lengths, width), lengths, float("nan"), atol=1e-4)


def test_a_batch_padded_beyond_its_longest() -> None:
    lengths = torch.tensor([700, 500])
    check(LogMel(8000, num_mels=10), noise(lengths, 2000), lengths, 1e9, atol=1e-4)


def test_digital_silence_is_the_floor() -> None:
    check(LogMel(8000, num_mels=20, normalize="none"), torch.zeros(1, 900), torch.tensor([900]), 0.0, atol=1e-5)


def test_bands_80_db_below_the_loudest() -> None:
    times = torch.arange(16000) / 16000
    signal = 0.5 * torch.sin(2 * torch.pi * 300 * times) + noise(torch.tensor([16000]))[0] * 1e-3
    check(LogMel(normalize="none"), signal[None], torch.tensor([16000]), 0.0)


def test_a_loud_tone_is_nearer_to_float64_than_torch_is() -> None:
    frontend = LogMel(normalize="none")
    signals, lengths = 0.9 * torch.sin(torch.arange(16000) * 0.08)[None], torch.tensor([16000])
    exact = LogMel(normalize="none").double()(signals[..., None], lengths).values
    found = torch.from_numpy(running(frontend)(signals=signals.numpy(), lengths=lengths.numpy())[0])
    apart = [(values - exact).abs().max() for values in (found, frontend(signals[..., None], lengths).values)]
    assert apart[0] < apart[1] < 0.05


def test_classes_without_a_graph() -> None:
    class Other(LogMel):
        pass

    assert has_graph(LogMel())
    assert has_graph(MFCC())
    for frontend in (Other(), StrokeDeltas()):
        assert not has_graph(frontend)
        with pytest.raises(UserError, match="has no ONNX graph: only LogMel, MFCC have"):
            add_frontend(Graph(), frontend, "signals", "lengths")
