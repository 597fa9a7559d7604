from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqrec.errors import UserError
from seqrec.formats.samples import check_samples, samples_of


def test_whole_numbers_are_scaled_from_their_range() -> None:
    for kind in (np.int8, np.int16, np.int32):
        info = np.iinfo(kind)
        found = samples_of(np.array([info.min, 0, info.max // 2 + 1], kind))
        assert found.tolist() == [[-1.0], [0.0], [0.5]]
        assert found.dtype == np.float32


def test_channels_stand_side_by_side() -> None:
    assert samples_of([[0.5, 0.25], [0.0, 1.0], [1.0, 1.0]]).shape == (3, 2)
    assert samples_of([0.5, 0.25]).shape == (2, 1)


@pytest.mark.parametrize("source", [np.zeros((2, 9)), np.zeros((1, 2, 3)), ["a"], 0.5, [1j]])
def test_what_is_no_recording(source: Any) -> None:
    with pytest.raises(UserError, match="is no recording"):
        samples_of(source)


def test_recordings_that_hold_nothing_or_no_numbers() -> None:
    with pytest.raises(UserError, match=r"^a\.wav: holds no samples"):
        check_samples(np.zeros((0, 1)), "a.wav")
    with pytest.raises(UserError, match=r"^a\.wav: 2 of 4 samples are NaN or infinite"):
        check_samples(np.array([[0.0, np.nan], [np.inf, 1.0]]), "a.wav")
    check_samples(np.zeros((1, 2)), "a.wav")
