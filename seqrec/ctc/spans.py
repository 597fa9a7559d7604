"""From a token's own frames to places in the signal: where the words and characters of one text lie, in NumPy.

CTC gives a token a frame or two of its own, somewhere in what it stands for, and leaves the rest to blanks. So a
token's own frames only say where to look. Two words are parted by the longest pause that touches the white space's own
frames or, where the tokenizer has no token for it, lies between the words' frames; the pause belongs to neither. Where
there is none, the white space's first frame parts them, or the middle. Two characters of a word part where a pause
begins, else in the middle, so that characters fill their word. Pauses are the front-end's: silence, or the lifted pen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from seqrec.parts import Tokenizer
from seqrec.transcript import Reading, Span

Stretch = tuple[float, float]  # of a signal, in samples or points


@dataclass(frozen=True)
class AlignedTokens:
    """The tokens of a text with the frames that its best path gives them."""

    tokens: Sequence[int]  # (U,) none of them the blank
    firsts: Sequence[int]  # (U,) the first frame of each
    lasts: Sequence[int]  # (U,) the frame behind its last
    confidences: Sequence[float]  # (U,) in (0, 1]
    score: float  # log-probability of the path; -inf where the text cannot fit its frames


@dataclass(frozen=True)
class Places:
    """Where the frames of an example lie in its signal."""

    borders: np.ndarray  # (T' + 1,) float64 between the frames that leave the encoder, in samples or points
    pauses: np.ndarray  # (K, 2) int64, the first sample or point, and one behind the last
    length: int  # N


def output_borders(positions: np.ndarray, frames: np.ndarray, count: int, length: int) -> np.ndarray:
    """Return where in a signal the frames that leave an encoder part, (T' + 1,) float64.

    Args:
        positions: (T + 1,) of the borders of the frames that enter it, in samples or points.
        frames: (T' + 1,) between which of these those that leave it part; halves are in the middle.
        count: how many leave it; the last ends with the signal, and so do the borders behind.
        length: N of the signal.
    """
    frames = np.minimum(frames, len(positions) - 1)
    before = frames.astype(np.int64)
    start = positions[before]
    borders = start + (frames - before) * (positions[np.minimum(before + 1, len(positions) - 1)] - start)
    borders[count:] = length
    return borders


def read_spans(tokenizer: Tokenizer, aligned: AlignedTokens, places: Places) -> Reading:
    """Return the text of tokens with the spans of its words and characters; without, where they do not fit."""
    text = tokenizer.decode(aligned.tokens)
    pieces = list(_pieces(tokenizer, aligned, places.borders))
    if not pieces or aligned.score == -np.inf:
        return Reading(text, aligned.score)
    characters = _spans(pieces, places.pauses, places.length)
    return Reading(text, aligned.score, _words(pieces, characters), characters)


def word_confidence(confidences: Iterable[float]) -> float:
    """Return how sure the recogniser is of a word, from the confidences of its tokens."""
    return prod(confidences)


@dataclass(frozen=True)
class _Piece:
    """A token that is not white space."""

    text: str
    starts_word: bool
    start: float  # of its own frames, in samples or points
    end: float
    confidence: float
    gap: Stretch | None  # the own frames of the white space before it
    near_gap: Stretch | None  # with one frame more at each end


def _pieces(tokenizer: Tokenizer, aligned: AlignedTokens, borders: np.ndarray) -> Iterator[_Piece]:
    """Yield what the tokens spell, with the places of their own frames."""
    starts_word, gap, near_gap = True, None, None
    rows = zip(aligned.tokens, aligned.firsts, aligned.lasts, aligned.confidences, strict=False)
    for token, first, last, confidence in rows:
        spelling = tokenizer.spellings[token - 1]
        own = (float(borders[first]), float(borders[last]))
        if not spelling.strip():
            gap = (gap[0] if gap else own[0], own[1])
            near = (float(borders[max(first - 1, 0)]), float(borders[min(last + 1, len(borders) - 1)]))
            near_gap = (near_gap[0] if near_gap else near[0], near[1])
            starts_word = True
            continue
        yield _Piece(" ".join(spelling.split()), starts_word or spelling[0].isspace(), *own, confidence, gap, near_gap)
        starts_word, gap, near_gap = spelling[-1].isspace(), None, None


def _spans(pieces: Sequence[_Piece], pauses: np.ndarray, length: int) -> tuple[Span, ...]:
    """Return the spans of pieces in a signal of `length`, the pauses (K, 2) of which are known."""
    silences = pauses[pauses[:, 1] > pauses[:, 0]]
    first, last = pieces[0].start, pieces[-1].end
    before = _longest(silences, (0.0, first), (0.0, first / 2))  # not a closure shortly before the first character
    behind = _longest(silences, (last, length), ((last + length) / 2, length))
    borders = [before[1] if before else 0.0]
    for left, right in pairwise(pieces):
        borders += _part(left, right, pauses)
    borders.append(behind[0] if behind else length)
    whole = _whole(np.array(borders), length).tolist()
    places = zip(pieces, whole[::2], whole[1::2], strict=True)
    return tuple(Span(piece.text, start, end, piece.confidence) for piece, start, end in places)


def _part(left: _Piece, right: _Piece, pauses: np.ndarray) -> Stretch:
    """Return where `left` ends and `right` begins."""
    between = (left.end, right.start)
    gap = right.gap if right.starts_word else None
    pause = _longest(pauses, between, (right.near_gap or between) if gap else between)
    if pause is None:
        border = gap[0] if gap else sum(between) / 2
        return border, border
    return pause if right.starts_word else (pause[0], pause[0])


def _longest(pauses: np.ndarray, inside: Stretch, touching: Stretch) -> Stretch | None:
    """Return the longest of the pauses, as far as they lie `inside`, that touches a stretch; of equals the middlemost.

    None where there is none; a lifted pen is a pause of no points.
    """
    first, last = np.searchsorted(pauses[:, 1], inside[0]), np.searchsorted(pauses[:, 0], inside[1], side="right")
    found = []
    for start, end in pauses[first:last].tolist():
        low, high = max(start, inside[0]), min(end, inside[1])
        if (low < high or start == end) and low <= touching[1] and high >= touching[0]:
            found.append((low - high, abs(low + high - sum(touching)), low, high))
    return min(found)[2:] if found else None


def _whole(borders: np.ndarray, length: int) -> np.ndarray:
    """Return starts and ends (2U,), float and never decreasing, as whole numbers from 0 to `length`.

    A span gets the samples or points from its start on, at least one if the signal has as many; spans stay apart.
    """
    least = (np.arange(len(borders)) + 1) // 2  # samples that spans need before each border
    spare = np.maximum.accumulate(np.ceil(borders).astype(np.int64) - least)
    return np.clip(np.clip(spare, 0, max(length - least[-1], 0)) + least, 0, length)


def _words(pieces: Sequence[_Piece], characters: Sequence[Span]) -> tuple[Span, ...]:
    starts = [index for index, piece in enumerate(pieces) if piece.starts_word]
    words = [characters[first:last] for first, last in pairwise([*starts, len(characters)])]
    return tuple(
        Span(
            "".join(one.text for one in word), word[0].start, word[-1].end, word_confidence(c.confidence for c in word)
        )
        for word in words
    )
