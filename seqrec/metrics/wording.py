"""Figures in words: rates, intervals and confusions as reports and terminals write them."""

from __future__ import annotations

from math import isfinite

from seqrec.metrics.intervals import Interval


def percent(rate: float) -> str:
    """Write a fraction as a percentage; what is infinite as ∞."""
    return f"{100 * rate:.2f} %" if isfinite(rate) else "∞"


def between(interval: Interval) -> str:
    """Write an interval of fractions as percentages."""
    return f"{percent(interval.low).removesuffix(' %')} to {percent(interval.high)}"


def spell(piece: str) -> str:
    """Write a piece of a confusion: nothing as ∅, a space as ␣."""
    return "∅" if not piece else "␣" if piece == " " else piece


def value_name(value: str | None) -> str:
    """Write a value of a key, as a breakdown has it: None and nothing in brackets, which tells them from names."""
    return "(none)" if value is None else value or "(empty)"
