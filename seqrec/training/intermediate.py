"""Intermediate CTC: a second CTC head on a middle layer, in training only (Lee and Watanabe 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqrec.errors import UserError
from seqrec.recognizer import Recognizer
from seqrec.sequence import Emissions, Features

_FRAMES = 64  # enough for any encoder's subsampling


class IntermediateHead(nn.Module):
    """Gives the emissions of a middle layer beside those of the recogniser; the recogniser's own weights lie there.

    Args:
        recognizer: whose encoder has the layer.
        layer: the recurrent layer, counted from 1.
    """

    def __init__(self, recognizer: Recognizer, layer: int) -> None:
        super().__init__()
        sizes = _layer_sizes(recognizer)
        if not 1 <= layer < len(sizes):
            choices = f"choose from 1 to {len(sizes) - 1}" if len(sizes) > 1 else "set it to null"
            raise UserError(
                f"ctc.intermediate_layer={layer} is no middle layer of an encoder of {len(sizes)} recurrent layers; "
                f"{choices}"
            )
        self.layer = layer
        self.head = nn.Linear(sizes[layer - 1], recognizer.head.out_features)

    def forward(self, recognizer: Recognizer, features: Features) -> tuple[Emissions, Emissions]:
        """Return the recogniser's emissions of features (B, T, F), and the middle layer's."""
        outputs = recognizer.encoder.layer_outputs(features)
        return _emit(recognizer.head, outputs[-1]), _emit(self.head, outputs[self.layer - 1])


def _emit(head: nn.Linear, encoded: Features) -> Emissions:
    logits: Tensor = head(encoded.values)
    return Emissions(logits.float().log_softmax(dim=-1), encoded.lengths)  # (B, T', H) -> (B, T', V)


def _layer_sizes(recognizer: Recognizer) -> list[int]:
    """Return H of each recurrent layer, by running silence through them."""
    encoder = recognizer.encoder
    if not hasattr(encoder, "layer_outputs"):
        raise UserError(f"ctc.intermediate_layer: {type(encoder).__name__} has no layer_outputs; set it to null")
    values = torch.zeros(1, _FRAMES, recognizer.frontend.num_features)
    was_training = recognizer.training
    recognizer.eval()
    with torch.no_grad():
        outputs = encoder.layer_outputs(Features(values, torch.tensor([_FRAMES])))
    recognizer.train(was_training)
    return [output.values.shape[-1] for output in outputs]
