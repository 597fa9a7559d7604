from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqrec.sequence import pad_signals
from seqrec.speech.logmel import LogMel
from seqrec.speech.mfcc import MFCC


def bursts(*lengths: int) -> Tensor:
    """Noise and near silence in turn, of so many samples."""
    generator = torch.Generator().manual_seed(0)
    gains = torch.cat([torch.full((n,), (1.0, 1e-4)[i % 2]) for i, n in enumerate(lengths)])
    return (0.1 * gains * torch.randn(len(gains), generator=generator))[:, None]


def test_pauses_are_found_to_a_block_and_closures_are_none() -> None:
    signal = bursts(8000, 4000, 8000, 640, 4000, 2400)  # 500 ms of noise, 250 of silence, 500, 40, 250, 150
    (found,) = LogMel(16000).pauses(signal[None], torch.tensor([len(signal)]))
    assert found.shape == (2, 2)
    assert (found - torch.tensor([[8000, 12000], [24640, 27040]])).abs().max() <= 160


def test_a_signal_of_one_level_has_no_pause() -> None:
    for signal in (bursts(16000), torch.zeros(16000, 1), torch.zeros(1, 1)):
        assert not len(LogMel(16000).pauses(signal[None], torch.tensor([len(signal)]))[0])


@pytest.mark.parametrize("padding", [0.0, 1e9, float("nan")])
def test_padding_changes_neither_pauses_nor_positions(padding: float) -> None:
    front_end = LogMel(16000)
    signals = [bursts(3000, 3000, 5000), bursts(160), bursts(9000, 4000, 9000, 4000)]
    padded, lengths = pad_signals(signals)
    padded[torch.arange(padded.shape[1]) >= lengths[:, None]] = padding
    positions = front_end.frame_positions(padded, lengths)
    for row, (signal, pauses) in enumerate(zip(signals, front_end.pauses(padded, lengths), strict=True)):
        alone = torch.tensor([len(signal)])
        assert torch.equal(front_end.pauses(signal[None], alone)[0], pauses)
        own = front_end.frame_positions(None, alone)[0]
        assert torch.equal(positions[row, : len(own)], own)
        assert (positions[row, len(own) :] == len(signal)).all()


@pytest.mark.parametrize("front_end", [LogMel(8000), LogMel(8000, deltas=2), MFCC(8000, window_ms=10.0, hop_ms=20.0)])
def test_a_click_is_loudest_in_the_frame_it_lies_in(front_end: LogMel) -> None:
    front_end.normalize = "none"
    borders = front_end.frame_positions(None, torch.tensor([4000]))[0]
    assert borders[0] == 0
    assert borders[-1] == 4000
    assert (borders.diff() > 0).all()
    for place in range(300, 3700, 37):
        signal = torch.zeros(1, 4000, 1)
        signal[0, place] = 1.0
        level = front_end(signal, torch.tensor([4000])).values[0, :, :13].sum(dim=1)
        frame = int(level.argmax())
        if level[frame] - level.sort().values[-2] > 1e-3 and front_end.window > front_end.hop:
            assert borders[frame] - 1 <= place <= borders[frame + 1]
