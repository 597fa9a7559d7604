"""Dropout between recurrent layers: of single outputs, or locked to the same outputs of all frames."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import dropout


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


def make_dropouts(rates: float | list[float], num_layers: int, locked: bool) -> nn.ModuleList:
    """Return a dropout for each layer; `rates` is one for all, or one each."""
    kind = LockedDropout if locked else nn.Dropout
    return nn.ModuleList(kind(rate) for rate in _per_layer(rates, num_layers))


def _per_layer(dropout: float | list[float], num_layers: int) -> list[float]:
    rates = [float(rate) for rate in dropout] if isinstance(dropout, list) else [float(dropout)] * num_layers
    if len(rates) != num_layers or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(f"dropout={dropout}: needs one number in [0, 1), or {num_layers} of them, one for each layer")
    return rates
