"""Ragged batches of features, and the law that an example's output is its own."""

from __future__ import annotations

import torch
from torch import nn

from seqrec.sequence import Features, length_mask, pad_signals


def ragged(lengths: list[int], size: int, seed: int = 0) -> Features:
    """Draw examples of `lengths` frames, padded with zeros."""
    generator = torch.Generator().manual_seed(seed)
    return Features(*pad_signals([torch.randn(length, size, generator=generator) for length in lengths]))


def soil(features: Features, padding: float) -> Features:
    """Return the features with `padding` where there are no frames."""
    outside = ~length_mask(features.lengths, features.values.shape[1])[..., None]
    return Features(features.values.masked_fill(outside, padding), features.lengths)


@torch.no_grad()
def check_padding_invariance(encoder: nn.Module, features: Features, atol: float = 1e-5) -> None:
    """Run each example of clean features alone, and all side by side among garbage."""
    lengths = encoder.output_lengths(features.lengths)
    alone = [
        encoder(Features(features.values[i : i + 1, :length], features.lengths[i : i + 1])).values[0]
        for i, length in enumerate(features.lengths.tolist())
    ]
    for padding in (0.0, 1e9, float("nan")):
        found = encoder(soil(features, padding))
        assert found.lengths.equal(lengths)
        assert found.values.shape == (len(lengths), int(lengths.max()), encoder.output_size)
        for row, expected, length in zip(found.values, alone, lengths.tolist(), strict=True):
            assert expected.abs().max() > 0
            torch.testing.assert_close(row[:length], expected, atol=atol, rtol=0)
            assert not row[length:].any()
