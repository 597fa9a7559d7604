from __future__ import annotations

import pytest

from seqrec.metrics.intervals import Interval
from seqrec.metrics.wording import between, percent, spell, value_name


@pytest.mark.parametrize(("rate", "written"), [(0.0, "0.00 %"), (0.12345, "12.35 %"), (2.0, "200.00 %")])
def test_rates_are_percentages(rate: float, written: str) -> None:
    assert percent(rate) == written


def test_what_is_infinite_has_a_sign_of_its_own() -> None:
    infinity = float("inf")
    assert percent(infinity) == "∞"
    assert between(Interval(0.1, infinity)) == "10.00 to ∞"
    assert between(Interval(infinity, infinity)) == "∞ to ∞"
    assert between(Interval(0.1, 0.2)) == "10.00 to 20.00 %"


def test_nothing_and_spaces_can_be_seen() -> None:
    assert [spell(piece) for piece in ("", " ", "a b")] == ["∅", "␣", "a b"]
    assert [value_name(value) for value in (None, "", "ann")] == ["(none)", "(empty)", "ann"]
