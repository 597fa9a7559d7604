"""Dropout between recurrent layers: of single outputs, or locked to the same outputs of all frames."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import dropout

from seqrec.encoders.per_layer import per_layer


class LockedDropout(nn.Module):
    """Zeroes the same features in all frames of an example, others in each example.

    Source: variational dropout of Gal and Ghahramani 2016 (https://arxiv.org/abs/1512.05287), as Merity et al. 2017
    apply it between layers.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, values: Tensor) -> Tensor:
        """Drop features of (B, ..., F) in training; one mask for all that lies between."""
        if not self.training or not self.p:
            return values
        ones = values.new_ones(len(values), *(1 for _ in values.shape[1:-1]), values.shape[-1])
        return values * dropout(ones, self.p)


def make_dropouts(rates: float | Sequence[float], num_layers: int, locked: bool) -> nn.ModuleList:
    """Return a dropout for each layer; `rates`, in [0, 1), is one for all, or one each; else ValueError."""
    kind = LockedDropout if locked else nn.Dropout
    each = per_layer("dropout", rates, num_layers)
    if not all(0 <= rate < 1 for rate in each):
        raise ValueError(f"dropout={rates}: must be at least 0 and below 1, such as 0.1")
    return nn.ModuleList(kind(rate) for rate in each)
