"""Feature normalisation by the mean and deviation of training data, for the front-ends of every modality."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from seqrec.sequence import Features, length_mask


class GlobalNormalisation(nn.Module):
    """Brings each feature to mean 0 and variance 1 over the training data; leaves it alone until `fit`.

    A feature that never changes keeps its scale, lest the first example that differs blow up.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("deviation", torch.ones(num_features))

    @torch.no_grad()
    def fit(self, frames: Iterable[Tensor]) -> None:
        """Take mean and deviation from frames (T, F) of many examples, summed in float64."""
        sums = torch.zeros(3, len(self.mean), dtype=torch.float64)  # of ones, values, squares
        for values in (example.double() for example in frames):
            sums += torch.stack([torch.ones_like(values).sum(0), values.sum(0), values.square().sum(0)])
        mean, square = sums[1] / sums[0], sums[2] / sums[0]
        deviation = (square - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-4, deviation, 1.0))

    def forward(self, features: Features) -> Features:
        """Normalise features (B, T, F), zero in the padding."""
        mask = length_mask(features.lengths, features.values.shape[1])[..., None]
        return Features((features.values - self.mean) / self.deviation * mask, features.lengths)
