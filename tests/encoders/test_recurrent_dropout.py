"""Locked dropout: one mask an example, kept on the average; and the rates of each layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from seqrec.encoders.recurrent_dropout import LockedDropout, make_dropouts


@pytest.mark.parametrize("shape", [(200, 7, 50), (200, 3, 4, 50)])
def test_one_mask_for_all_frames_of_an_example(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    dropped = LockedDropout(0.4)(torch.ones(shape)).flatten(1, -2)
    masks = dropped[:, 0]
    assert dropped.equal(masks[:, None].expand_as(dropped))
    torch.testing.assert_close(masks.unique(), torch.tensor([0.0, 1 / 0.6]))
    assert masks.eq(0).float().mean().item() == pytest.approx(0.4, abs=0.02)
    assert len(masks.unique(dim=0)) == 200


def test_nothing_is_dropped_in_evaluation_or_at_rate_0() -> None:
    values = torch.ones(2, 3, 4)
    assert LockedDropout(0.4).eval()(values) is values
    assert LockedDropout(0.0)(values) is values


def test_rates_of_each_layer() -> None:
    assert [dropout.p for dropout in make_dropouts(0.3, 2, locked=False)] == [0.3, 0.3]
    locked = make_dropouts([0.1, 0.2], 2, locked=True)
    assert [(type(dropout), dropout.p) for dropout in locked] == [(LockedDropout, 0.1), (LockedDropout, 0.2)]
    assert all(type(dropout) is nn.Dropout for dropout in make_dropouts(0.3, 2, locked=False))
    with pytest.raises(ValueError, match=r"dropout=\[0\.1\] for 2 layers"):
        make_dropouts([0.1], 2, locked=True)
    with pytest.raises(ValueError, match=r"dropout=\[0\.1, 1\.0\]: must be"):
        make_dropouts([0.1, 1.0], 2, locked=False)
