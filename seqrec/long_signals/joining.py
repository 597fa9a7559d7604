"""The readings of a signal from those of its pieces."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from seqrec.parts import Tokenizer
from seqrec.transcript import Candidate, Reading, Span


@dataclass(frozen=True)
class PieceReading:
    """A way to read a piece: what a decoder gave, and the text and spans of it, in samples of the whole signal."""

    candidate: Candidate
    reading: Reading


@dataclass(frozen=True)
class _Path:
    """A choice of a reading for each piece so far."""

    score: float
    last: PieceReading | None = None
    before: _Path | None = None

    def readings(self) -> list[PieceReading]:
        found = []
        path: _Path | None = self
        while path is not None and path.last is not None:
            found.append(path.last)
            path = path.before
        return found[::-1]


def join_pieces(pieces: Iterable[Sequence[PieceReading]], tokenizer: Tokenizer) -> tuple[Reading, ...]:
    """Return the n-best readings of a signal, for up to n readings of each piece, the best first.

    The score of a reading is the sum of its pieces'; of all combinations the n best are found. As of `read_with_times`,
    only the best has spans.
    """
    pieces = list(pieces)
    num_best = max(map(len, pieces), default=1)
    paths = [_Path(0.0)]
    for piece in pieces:
        choices = (_Path(path.score + one.candidate.score, one, path) for path in paths for one in piece)
        paths = heapq.nlargest(num_best, choices, key=lambda path: path.score)
    best, *others = (path.readings() for path in paths)
    text = partial(_text, tokenizer=tokenizer)
    words = tuple(join_words(best, tokenizer.spellings))
    characters = tuple(span for piece in best for span in piece.reading.characters)
    scores = [path.score for path in paths]
    return (
        Reading(text(best), scores[0], words, characters),
        *(Reading(text(other), score) for other, score in zip(others, scores[1:], strict=True)),
    )


def _text(pieces: Iterable[PieceReading], tokenizer: Tokenizer) -> str:
    return tokenizer.decode(token for piece in pieces for token in piece.candidate.tokens)


def shifted(reading: Reading, samples: int, start: int = 0) -> Reading:
    """Return a reading whose spans lie `samples` later, none of them before `start`."""

    def move(spans: tuple[Span, ...]) -> tuple[Span, ...]:
        return tuple(
            replace(span, start=max(start, span.start + samples), end=max(start, span.end + samples)) for span in spans
        )

    return replace(reading, words=move(reading.words), characters=move(reading.characters))


def join_words(pieces: Iterable[PieceReading], spellings: Sequence[str]) -> Iterator[Span]:
    """Yield the words of pieces; one that a piece ends in and the next goes on with is one word."""
    open_word: Span | None = None  # the last, which may go on
    is_open = False  # whether what follows without a space belongs to it
    for piece in pieces:
        tokens, words = piece.candidate.tokens, piece.reading.words
        if not tokens:
            continue
        goes_on = is_open and not spellings[tokens[0] - 1].startswith(" ")
        for number, word in enumerate(words):
            if open_word is not None and goes_on and number == 0:
                open_word = _merged(open_word, word)
                continue
            if open_word is not None:
                yield open_word
            open_word = word
        is_open = not spellings[tokens[-1] - 1].endswith(" ")
    if open_word is not None:
        yield open_word


def _merged(one: Span, two: Span) -> Span:
    return Span(one.text + two.text, one.start, max(one.end, two.end), one.confidence * two.confidence)
