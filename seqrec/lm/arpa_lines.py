"""The n-gram lines of an ARPA file, read by compiled code: numbers to floats, words to their hashes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from seqrec.lm.vocabulary import hash_word

READ, SECTION_ENDS = 0, 1  # how a call ended; above these: mistakes
FAULTS = {
    2: "the line does not start with a number, the log10 probability",
    3: "the log10 probability is above 0",
    4: "the line has fewer words than its section says",
    5: "what follows the words is not a number, the log10 backoff",
    6: "an n-gram of the highest order has a backoff",
    7: "the line goes on after the backoff",
}
_NO_NUMBER, _POSITIVE, _FEW_WORDS, _NO_BACKOFF, _TOP_BACKOFF, _TOO_LONG = FAULTS

_TAB, _NEWLINE, _RETURN, _SPACE, _BACKSLASH = (np.uint8(ord(c)) for c in "\t\n\r \\")
_PLUS, _MINUS, _DOT, _ZERO, _NINE = (np.uint8(ord(c)) for c in "+-.09")
_EXPONENT = np.uint8(ord("e"))
_LOWER_CASE = np.uint8(0x20)
_LOG_ZERO = -99.0  # SRILM's; some tools write -inf instead
_TOO_BIG = 1e30  # float32 must hold it, and sums of it


class LineArrays(NamedTuple):
    """Room for the n-grams of some lines."""

    hashes: np.ndarray  # (N, n) uint64, of the words
    log10: np.ndarray  # (N,) float32
    backoffs: np.ndarray  # (N,) float32
    places: np.ndarray  # (N, 3) int64: where the line starts, where its first word starts and ends


@njit(cache=True)
def read_lines(text: np.ndarray, start: int, order: int, out: LineArrays) -> tuple[int, int, int]:
    """Read n-gram lines of `text` (C,) uint8, which ends in a newline, until `out` is full or a line starts with `\\`.

    Returns:
        the place behind the last line read (at the start of a faulty one), the lines read, and how it ended.
    """
    n = out.hashes.shape[1]
    row = 0
    while start < len(text) and row < len(out.log10):
        place = _skip_spaces(text, start)
        if text[place] == _BACKSLASH:
            return start, row, SECTION_ENDS
        if text[place] != _NEWLINE:
            out.places[row, 0] = start
            place, fault = _read_line(text, place, n == order, out, row)
            if fault:
                return start, row, fault
            row += 1
        start = place + 1
    return start, row, READ


@njit(cache=True)
def _read_line(text: np.ndarray, place: int, top: bool, out: LineArrays, row: int) -> tuple[int, int]:
    """Fill a row of `out` from a line; returns the place of its newline, and the fault or 0."""
    log10, place = _read_number(text, place)
    if place < 0:
        return place, _NO_NUMBER
    if log10 > 0:
        return place, _POSITIVE
    for index in range(out.hashes.shape[1]):
        place = _skip_spaces(text, place)
        end = _word_end(text, place)
        if end == place:
            return place, _FEW_WORDS
        out.hashes[row, index] = hash_word(text, place, end)
        if index == 0:
            out.places[row, 1], out.places[row, 2] = place, end
        place = end
    place = _skip_spaces(text, place)
    backoff = 0.0
    if text[place] != _NEWLINE:
        backoff, place = _read_number(text, place)
        if place < 0:
            return place, _NO_BACKOFF
        place = _skip_spaces(text, place)
    out.log10[row], out.backoffs[row] = log10, backoff
    if top and backoff != 0.0:
        return place, _TOP_BACKOFF
    return place, 0 if text[place] == _NEWLINE else _TOO_LONG


@njit(cache=True)
def _skip_spaces(text: np.ndarray, place: int) -> int:
    while text[place] == _SPACE or text[place] == _TAB or text[place] == _RETURN:
        place += 1
    return place


@njit(cache=True)
def _word_end(text: np.ndarray, place: int) -> int:
    while not (text[place] == _SPACE or text[place] == _TAB or text[place] == _RETURN or text[place] == _NEWLINE):
        place += 1
    return place


@njit(cache=True)
def _read_number(text: np.ndarray, place: int) -> tuple[float, int]:
    """Read a decimal number such as -1.25 or 3e-05 that a space follows; returns it and the place behind it, or -1."""
    negative = text[place] == _MINUS
    if negative or text[place] == _PLUS:
        place += 1
    if negative and _is_infinity(text, place):
        return _LOG_ZERO, place + 3
    digits, scale, count, place = _read_digits(text, place)
    if count == 0:
        return 0.0, -1
    if text[place] | _LOWER_CASE == _EXPONENT:
        shift, place = _read_exponent(text, place + 1)
        if place < 0:
            return 0.0, -1
        scale += shift
    if _word_end(text, place) != place:
        return 0.0, -1
    value = digits * 10.0**scale if scale >= 0 else digits / 10.0**-scale  # exact powers: correctly rounded
    if not value < _TOO_BIG:
        return 0.0, -1
    return -value if negative else value, place


@njit(cache=True)
def _is_infinity(text: np.ndarray, place: int) -> bool:
    if _word_end(text, place) != place + 3:
        return False
    lower = text[place] | _LOWER_CASE, text[place + 1] | _LOWER_CASE, text[place + 2] | _LOWER_CASE
    return lower[0] == ord("i") and lower[1] == ord("n") and lower[2] == ord("f")


@njit(cache=True)
def _read_digits(text: np.ndarray, place: int) -> tuple[float, int, int, int]:
    """Read digits with at most one point: their value as a whole number, its power of ten, their count, the end."""
    digits, scale, count, after_point = 0.0, 0, 0, False
    while _ZERO <= text[place] <= _NINE or (text[place] == _DOT and not after_point):
        if text[place] == _DOT:
            after_point = True
        else:
            count += 1
            if digits < 1e17:  # float64 holds no more; the rest only counts as zeros
                digits = digits * 10.0 + (text[place] - _ZERO)
                scale -= after_point
            else:
                scale += not after_point
        place += 1
    return digits, scale, count, place


@njit(cache=True)
def _read_exponent(text: np.ndarray, place: int) -> tuple[int, int]:
    negative = text[place] == _MINUS
    if negative or text[place] == _PLUS:
        place += 1
    start, exponent = place, 0
    while _ZERO <= text[place] <= _NINE:
        exponent = min(exponent * 10 + (text[place] - _ZERO), 9999)
        place += 1
    return (-exponent if negative else exponent), (place if place > start else -1)
