"""What the front-ends of ink share: normalisation by training data, and the order of their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from seqrec.formats.ink import NUM_CHANNELS
from seqrec.normalisation import GlobalNormalisation
from seqrec.sequence import Features, length_mask

if TYPE_CHECKING:
    from collections.abc import Iterable


class InkFrontEnd(nn.Module):
    """Front-end of signals (B, N, 6) as of `Ink.to_signal`; a subclass gives `extract` and `frame_lengths`.

    With `normalize` `global` each feature is brought to mean 0, variance 1 over the training data (see `fit`); `none`
    leaves them as they are.
    """

    num_channels = NUM_CHANNELS
    length_depends_on_content = True

    def __init__(self, num_features: int, normalize: Literal["global", "none"]) -> None:
        super().__init__()
        self.num_features = num_features
        self.normalize = normalize
        self.normalisation = GlobalNormalisation(num_features)

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the features of signals (B, N, 6), lengths (B,)."""
        return self.normalise(self.extract(signals, signal_lengths))

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Return the features before normalisation."""
        raise NotImplementedError

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without computing the features."""
        raise NotImplementedError

    def normalise(self, features: Features) -> Features:
        """Normalise features as `normalize` says."""
        return self.normalisation(features)

    def fit(self, signals: Iterable[Tensor]) -> None:
        """Take the mean and deviation that `global` normalises by from training signals (N, 6); else look at none."""
        if self.normalize == "global":
            self.normalisation.fit(
                self.extract(signal[None], torch.tensor([len(signal)])).values[0] for signal in signals
            )


def zero_padded(values: Tensor, counts: Tensor) -> Features:
    """Return values (B, T, F), anything in their padding, as features; `counts` (B, N) add up to each row's frames."""
    lengths = counts.sum(dim=1)
    valid = length_mask(lengths, values.shape[1])[:, :, None]
    return Features(values.masked_fill(~valid, 0.0).float(), lengths)
