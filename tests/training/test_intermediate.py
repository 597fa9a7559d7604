"""Intermediate CTC against the two losses computed apart, and out of the way of recognition."""

from __future__ import annotations

import pytest
import torch
from tiny_training import noise, tiny_module, train

from seqrec.ctc.loss import CTCLoss
from seqrec.errors import UserError
from seqrec.sequence import Emissions, Features

BATCH = noise([9, 7, 8], ["ab", "c", "abc"])


def test_the_loss_is_the_weighted_sum_of_both_heads() -> None:
    module = tiny_module(CTCLoss(intermediate_layer=1, intermediate_weight=0.25))
    assert module.intermediate is not None
    layers = module.recognizer.encoder.layer_outputs(Features(BATCH.signals, BATCH.signal_lengths))
    heads = (module.recognizer.head, module.intermediate.head)
    emissions = [
        Emissions(head(layer.values).log_softmax(-1), layer.lengths)
        for head, layer in zip(heads, (layers[1], layers[0]), strict=True)
    ]
    last, middle = (CTCLoss()(each, BATCH.targets, BATCH.target_lengths).mean() for each in emissions)
    torch.testing.assert_close(module.batch_loss(BATCH).double(), 0.75 * last + 0.25 * middle)


def test_its_head_is_trained_and_kept_beside_the_recogniser() -> None:
    module = tiny_module(CTCLoss(intermediate_layer=1))
    assert module.intermediate is not None
    before = module.intermediate.head.weight.clone()
    train(module, [BATCH])
    assert not torch.equal(module.intermediate.head.weight, before)
    extra = {name for name in module.state_dict() if not name.startswith("recognizer.")}
    assert extra == {"intermediate.head.weight", "intermediate.head.bias"}


@pytest.mark.parametrize(("num_layers", "mend"), [(2, "choose from 1 to 1"), (1, "set it to null")])
@pytest.mark.parametrize("layer", [0, 2])
def test_only_a_middle_layer_can_have_one(num_layers: int, mend: str, layer: int) -> None:
    with pytest.raises(UserError, match=rf"ctc\.intermediate_layer={layer} is no middle layer .*; {mend}"):
        tiny_module(CTCLoss(intermediate_layer=layer), num_layers=num_layers)


def test_a_share_of_all_or_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        CTCLoss(intermediate_layer=1, intermediate_weight=1.0)
