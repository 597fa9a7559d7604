"""Where nobody speaks: stretches of a recording that are much softer than its speech."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.sequence import length_mask

_LONGEST_CLOSURE_MS = 50  # softer stretches up to there are mostly the closures of p, t and k
_SHARE = 0.3  # of the way from the softest to the loudest frames, in decibels: softer frames are pauses
_LEAST_RANGE_DB = 15.0  # between softest and loudest; with less, all is speech or all is noise
_FLOOR = 1e-9  # mean square of the least 16-bit sample


def find_pauses(signals: Tensor, signal_lengths: Tensor, hop: int, sample_rate: int) -> list[Tensor]:
    """Return for each of the signals (B, N, 1) its pauses (K, 2) int64: first sample, and one behind the last.

    Levels are those of blocks of `hop` samples, averaged over three; the softest and the loudest twentieth of them are
    left out when the recording's range is taken.
    """
    valid = length_mask(signal_lengths, signals.shape[1])
    samples = signals[..., 0].masked_fill(~valid, 0.0)  # (B, N, 1) -> (B, N)
    count = -(-samples.shape[1] // hop)
    samples = functional.pad(samples, (hop, (count + 1) * hop - samples.shape[1]))
    blocks = samples.unfold(1, hop, hop).double().square().sum(dim=2)  # (B, T + 2)
    levels = 10 * (blocks / hop + _FLOOR).log10()
    levels = (levels[:, :-2] + levels[:, 1:-1] + levels[:, 2:]) / 3
    frames = -(-signal_lengths // hop)
    softest, loudest = (_quantile(levels, frames, share) for share in (0.05, 0.95))
    is_soft = (levels < softest + _SHARE * (loudest - softest)) & length_mask(frames, count)
    is_soft &= loudest - softest >= _LEAST_RANGE_DB
    shortest = _LONGEST_CLOSURE_MS * sample_rate / 1000
    found = [_stretches(row) * hop for row in is_soft]
    ends = signal_lengths.tolist()
    return [
        stretches[stretches[:, 1] - stretches[:, 0] > shortest].clamp(max=end)
        for stretches, end in zip(found, ends, strict=True)
    ]


def _quantile(values: Tensor, lengths: Tensor, share: float) -> Tensor:
    """Return the value (B, 1) that `share` of the valid ones of (B, T) do not reach."""
    valid = length_mask(lengths, values.shape[1])
    ordered = values.masked_fill(~valid, torch.inf).sort(dim=1).values
    return ordered.gather(1, ((lengths - 1) * share).round().long()[:, None])


def _stretches(mask: Tensor) -> Tensor:
    """Return where runs of true in a mask (T,) begin, and where they have ended: (K, 2)."""
    changes = functional.pad(mask.to(torch.int8), (1, 1)).diff()
    return torch.stack([(changes == 1).nonzero()[:, 0], (changes == -1).nonzero()[:, 0]], dim=1)
