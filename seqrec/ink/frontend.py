"""What the front-ends of ink share: normalisation by training data, and the order of their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqrec.formats.ink import NUM_CHANNELS, STROKE
from seqrec.ink.resampling import stroke_ends
from seqrec.normalisation import GlobalNormalisation
from seqrec.sequence import Features, length_mask

if TYPE_CHECKING:
    from collections.abc import Iterable


class InkFrontEnd(nn.Module):
    """Front-end of signals (B, N, 6) as of `Ink.to_signal`; a subclass gives what raises `NotImplementedError` here.

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

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return where frames part, (B, T + 1) float64, in points: frame t covers those from border t to before t + 1.

        The first frame begins with the ink; the last ends with it, and so do the borders behind it.
        """
        raise NotImplementedError

    def pauses(self, signals: Tensor, signal_lengths: Tensor) -> list[Tensor]:
        """Return where the pen was lifted, (K, 2) int64 for each of the signals (B, N, 6): twice the point after."""
        valid = length_mask(signal_lengths, signals.shape[1])
        is_first, _ = stroke_ends(signals[..., STROKE], valid)
        is_first[:, 0] = False
        return [row.nonzero().expand(-1, 2) for row in is_first]

    def normalise(self, features: Features) -> Features:
        """Normalise features as `normalize` says."""
        return self.normalisation(features)

    def fit(self, signals: Iterable[Tensor]) -> None:
        """Take the mean and deviation that `global` normalises by from training signals (N, 6); else look at none."""
        if self.normalize == "global":
            self.normalisation.fit(
                self.extract(signal[None], torch.tensor([len(signal)])).values[0] for signal in signals
            )


def borders_between(places: Tensor, is_start: Tensor, lengths: Tensor, signal_lengths: Tensor) -> Tensor:
    """Return the borders (B, T + 1) of frames that stand at `places` (B, T) among the points, in order.

    They lie halfway between neighbours, but for the first frame of a stroke, which begins with its first point.
    """
    middles = (places + functional.pad(places, (1, 0))[:, :-1]) / 2
    borders = functional.pad(torch.where(is_start, places, middles), (0, 1))  # (B, T) -> (B, T + 1)
    return from_end_to_end(borders, lengths, signal_lengths)


def from_end_to_end(borders: Tensor, lengths: Tensor, signal_lengths: Tensor) -> Tensor:
    """Return borders (B, T + 1) with the ink's beginning for the first, its end behind the last of the frames."""
    inner = length_mask(lengths, borders.shape[1])
    inner_and_first = torch.where(inner, borders, signal_lengths[:, None].double())
    return inner_and_first.index_fill(1, torch.zeros(1, dtype=torch.int64, device=borders.device), 0.0)


def zero_padded(values: Tensor, counts: Tensor) -> Features:
    """Return values (B, T, F), anything in their padding, as features; `counts` (B, N) add up to each row's frames."""
    lengths = counts.sum(dim=1)
    valid = length_mask(lengths, values.shape[1])[:, :, None]
    return Features(values.masked_fill(~valid, 0.0).float(), lengths)
