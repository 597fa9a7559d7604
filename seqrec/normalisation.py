"""Feature normalisation by the mean and deviation of training data, for the front-ends of every modality."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from seqrec.sequence import Features, length_mask


class FrameStatistics:
    """Mean and deviation of each of `num_features` features, over frames that come in pieces, summed in float64."""

    def __init__(self, num_features: int) -> None:
        self._sums = torch.zeros(3, num_features, dtype=torch.float64)  # of ones, values, squares

    def add(self, frames: Tensor) -> None:
        """Take frames (T, F) in."""
        values = frames.double()
        sums = torch.stack([torch.ones_like(values).sum(0), values.sum(0), values.square().sum(0)])
        self._sums += sums.to(self._sums.device)

    @property
    def mean(self) -> Tensor:
        """The mean (F,) float64 of the frames so far."""
        return self._sums[1] / self._sums[0]

    @property
    def deviation(self) -> Tensor:
        """Their standard deviation (F,) float64."""
        return (self._sums[2] / self._sums[0] - self.mean.square()).clamp(min=0).sqrt()


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
        statistics = FrameStatistics(len(self.mean))
        for example in frames:
            statistics.add(example)
        deviation = statistics.deviation
        self.mean.copy_(statistics.mean)
        self.deviation.copy_(torch.where(deviation > 1e-4, deviation, 1.0))

    def forward(self, features: Features) -> Features:
        """Normalise features (B, T, F), zero in the padding."""
        mask = length_mask(features.lengths, features.values.shape[1])[..., None]
        return Features((features.values - self.mean) / self.deviation * mask, features.lengths)
