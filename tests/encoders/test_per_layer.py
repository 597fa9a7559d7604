"""Options of layers: one number for all, or one for each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seqrec.encoders.per_layer import per_layer


def test_one_number_is_for_all_layers() -> None:
    assert per_layer("strides", 2, 3) == [2, 2, 2]
    assert per_layer("dropout", 0.5, 2) == [0.5, 0.5]


@pytest.mark.parametrize("value", [(1, 2), [1, 2]])
def test_any_sequence_gives_one_for_each(value: Sequence[int]) -> None:
    assert per_layer("strides", value, 2) == [1, 2]


@pytest.mark.parametrize(("value", "count"), [((1, 2), 3), ((), 0), (1, 0)])
def test_another_number_of_values_is_refused(value: int | Sequence[int], count: int) -> None:
    with pytest.raises(ValueError, match=rf"strides=.* for {count} layers"):
        per_layer("strides", value, count)
