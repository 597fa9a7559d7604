"""Padding invariance of the whole recogniser: log-probs and text are the same alone and in any batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqrec.ctc.greedy import GreedyDecoder
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.formats.ink import Ink
from seqrec.ink.deltas import StrokeDeltas
from seqrec.parts import FrontEnd
from seqrec.recognizer import Recognizer
from seqrec.sequence import pad_signals
from seqrec.speech.logmel import LogMel


def recordings() -> list[Tensor]:
    return [0.1 * torch.randn(length, 1) for length in (4000, 150, 1900, 201, 8000, 1)]


def inks() -> list[Tensor]:
    signals = []
    for number, points in enumerate((40, 1, 9, 80, 2)):
        moves = torch.randn(points, 2).cumsum(0)
        time = 0.01 * torch.arange(points)[:, None]
        strokes = [part.tolist() for part in torch.cat([moves, time], dim=1).split(7)]
        signals.append(torch.from_numpy(Ink.from_strokes(strokes, 30.0 if number % 2 else None).to_signal()))
    return signals


MODALITIES = {
    "speech utterance": (lambda: LogMel(8000, 20), recordings),
    "speech in range": (lambda: LogMel(8000, 20, range_db=20.0), recordings),
    "speech global": (lambda: LogMel(8000, 20, normalize="global"), recordings),
    "ink": (StrokeDeltas, inks),
    "ink without time": (lambda: StrokeDeltas(time=False), inks),
}


def make(frontend: FrontEnd, signals: list[Tensor], **options: int) -> Recognizer:
    frontend.fit(iter(signals))
    encoder = LSTMEncoder(frontend.num_features, hidden_size=16, num_layers=2, **options)
    recognizer = Recognizer(frontend, encoder, num_tokens=12)
    torch.nn.init.normal_(recognizer.head.weight)  # sharper, so that there is text to compare
    return recognizer.eval()


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("stacks", [{}, {"stack_size": 3, "stack_stride": 2}])
@torch.inference_mode()
def test_log_probs_and_text_are_the_same_alone_and_in_a_batch(modality: str, stacks: dict[str, int]) -> None:
    torch.manual_seed(0)
    make_frontend, make_signals = MODALITIES[modality]
    signals = make_signals()
    recognizer = make(make_frontend(), signals, **stacks)
    batch = recognizer(*pad_signals(signals))
    texts = GreedyDecoder().decode(batch)
    assert len({tuple(text) for text in texts}) > 2
    for i, signal in enumerate(signals):
        alone = recognizer(*pad_signals([signal]))
        length = int(alone.lengths)
        assert batch.lengths[i] == length == alone.log_probs.shape[1]
        torch.testing.assert_close(batch.log_probs[i, :length], alone.log_probs[0], atol=1e-5, rtol=0)
        assert GreedyDecoder().decode(alone)[0][0].tokens == texts[i][0].tokens


@pytest.mark.parametrize("modality", MODALITIES)
def test_lengths_are_known_before_the_log_probs(modality: str) -> None:
    make_frontend, make_signals = MODALITIES[modality]
    signals = make_signals()
    recognizer = make(make_frontend(), signals, stack_size=3, stack_stride=3)
    padded, lengths = pad_signals(signals)
    frames = recognizer.frame_lengths(padded, lengths)
    assert recognizer.output_lengths(frames).equal(recognizer(padded, lengths).lengths)
    if not recognizer.frontend.length_depends_on_content:
        assert recognizer.frame_lengths(None, lengths).equal(frames)


def test_each_frame_holds_probabilities() -> None:
    signals = recordings()
    emissions = make(LogMel(8000, 20), signals)(*pad_signals(signals))
    assert emissions.log_probs.shape[2] == 12
    torch.testing.assert_close(emissions.log_probs.exp().sum(-1), torch.ones(emissions.log_probs.shape[:2]))


def test_under_autocast_log_probs_are_single_precision() -> None:
    signals = recordings()
    recognizer = make(LogMel(8000, 20), signals)
    with torch.autocast("cpu", torch.bfloat16):
        assert recognizer(*pad_signals(signals)).log_probs.dtype == torch.float32
