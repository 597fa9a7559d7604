"""The CTC loss of Graves et al. 2006."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from seqrec.sequence import Emissions, length_mask, on_cpu


class CTCLoss:
    """The negative log-likelihood of each target, summed over all alignments.

    Computed in float64: on float32 log-probs the gradient is off by up to 1e-2 at 1,600 frames.

    Args:
        infeasible: what becomes of a training target that needs more frames than its example has, found before
            training: `error` names the examples and stops; `skip` names and counts them and trains on the others.
        intermediate_layer: the recurrent layer, counted from 1, whose outputs are also trained by CTC, through a head
            of their own that only training has (Lee and Watanabe 2021, https://arxiv.org/abs/2102.03216).
        intermediate_weight: its share w of the loss: (1 - w) * last layer's + w * that layer's.
    """

    def __init__(
        self,
        infeasible: Literal["error", "skip"] = "error",
        intermediate_layer: int | None = None,
        intermediate_weight: float = 0.3,
    ) -> None:
        if not 0 < intermediate_weight < 1:
            raise ValueError(f"intermediate_weight={intermediate_weight}: a share of the loss, between 0 and 1")
        self.infeasible = infeasible
        self.intermediate_layer = intermediate_layer
        self.intermediate_weight = intermediate_weight

    def __call__(self, emissions: Emissions, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """Score a batch.

        Args:
            emissions: log-probs (B, T', V) and their lengths; token 0 is the blank.
            targets: (B, U) token numbers, padded with anything.
            target_lengths: (B,) labels of each target.

        Returns:
            (B,) float64 nats; infinite where a target needs more frames than there are.
        """
        return functional.ctc_loss(
            emissions.log_probs.double().transpose(0, 1),  # (B, T', V) -> (T', B, V)
            targets,
            on_cpu(emissions.lengths),  # where torch wants them
            on_cpu(target_lengths),
            blank=0,
            reduction="none",
            zero_infinity=False,
        )

    def of_feasible(self, emissions: Emissions, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """Score a batch as a call does, but give 0, with no gradient, where a target does not fit its frames."""
        fits = self.fits(emissions, targets, target_lengths)
        # An empty target always fits; the gradient of an infinite loss is no number, even times 0.
        losses = self(emissions, targets, torch.where(fits, on_cpu(target_lengths), 0))
        return torch.where(fits.to(losses.device, non_blocking=True), losses, 0.0)

    def fits(self, emissions: Emissions, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """Return (B,) whether each target fits its frames; on the CPU, so that asking it waits for no GPU."""
        return feasible(on_cpu(emissions.lengths), on_cpu(targets), on_cpu(target_lengths))


def feasible(lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
    """Return (B,) whether each target (B, U) fits the frames `lengths` (B,): a label each, a blank between equals."""
    within = length_mask(target_lengths, targets.shape[1])[:, 1:]
    repeats = (targets[:, 1:] == targets[:, :-1]) & within
    return target_lengths + repeats.sum(dim=1) <= lengths
