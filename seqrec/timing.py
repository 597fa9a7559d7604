"""From frames to places in the signal: where the words and characters of a text were spoken or written.

CTC gives a token a frame or two of its own, somewhere in what it stands for, and leaves the rest to blanks. So a
token's own frames only say where to look. Two words are parted by the longest pause that touches the white space's own
frames or, where the tokenizer has no token for it, lies between the words' frames; the pause belongs to neither. Where
there is none, the white space's first frame parts them, or the middle. Two characters of a word part where a pause
begins, else in the middle, so that characters fill their word. Pauses are the front-end's: silence, or the lifted pen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqrec.checkpoint import Parts
from seqrec.ctc.align import align
from seqrec.ctc.confidence import token_confidences, word_confidence
from seqrec.parts import Encoder, Tokenizer
from seqrec.sequence import Emissions
from seqrec.transcript import Candidate, Reading, Span

Stretch = tuple[float, float]  # of a signal, in samples or points


def read_with_times(
    parts: Parts,
    signals: Tensor,
    signal_lengths: Tensor,
    emissions: Emissions,
    candidates: Sequence[Sequence[Candidate]],
    temperature: float = 1.0,
) -> list[tuple[Reading, ...]]:
    """Return the readings of a batch's candidates, the best of each example with the spans of its words and characters.

    Args:
        parts: what recognised.
        signals: (B, N, C), of lengths `signal_lengths` (B,).
        signal_lengths: (B,) samples or points.
        emissions: of these signals.
        candidates: of each example, the best first.
        temperature: of the confidences, as `token_confidences` takes it.
    """
    best = [some[0].tokens for some in candidates]
    timed = read_targets(parts, signals, signal_lengths, emissions, best, temperature)
    decode = parts.tokenizer.decode
    return [
        (
            Reading(reading.text, some[0].score, reading.words, reading.characters),
            *(Reading(decode(other.tokens), other.score) for other in some[1:]),
        )
        for reading, some in zip(timed, candidates, strict=True)
    ]


@torch.no_grad()
def read_targets(
    parts: Parts,
    signals: Tensor,
    signal_lengths: Tensor,
    emissions: Emissions,
    targets: Sequence[Sequence[int]],
    temperature: float = 1.0,
) -> list[Reading]:
    """Return the text of each target with its spans, and the log-probability of its best path for a score.

    A target that cannot fit its frames has the score -inf and no spans. The arguments are those of `read_with_times`.
    """
    padded = pad_sequence([torch.tensor(list(target), dtype=torch.int64) for target in targets], batch_first=True)
    target_lengths = torch.tensor([len(target) for target in targets])
    alignment = align(emissions, padded, target_lengths)
    confidences = token_confidences(emissions, alignment, padded, target_lengths, temperature).tolist()
    firsts, lasts = alignment.starts().tolist(), alignment.ends().tolist()
    borders = output_borders(parts, signals, signal_lengths, emissions.log_probs.shape[1])
    pauses = parts.recognizer.frontend.pauses(signals, signal_lengths)
    rows = zip(alignment.log_probs.tolist(), signal_lengths.tolist(), borders.cpu().numpy(), pauses, strict=True)
    readings = []
    for index, (score, length, places, stretches) in enumerate(rows):
        text = parts.tokenizer.decode(targets[index])
        found = list(_pieces(parts.tokenizer, targets[index], firsts[index], lasts[index], places, confidences[index]))
        if not found or score == -np.inf:
            readings.append(Reading(text, score))
            continue
        characters = _spans(found, stretches.cpu().numpy(), length)
        readings.append(Reading(text, score, _words(found, characters), characters))
    return readings


def output_borders(parts: Parts, signals: Tensor, signal_lengths: Tensor, num_frames: int) -> Tensor:
    """Return where in the signals the frames that leave the encoder part, (B, T' + 1) float64; T' is `num_frames`."""
    positions = parts.recognizer.frontend.frame_positions(signals, signal_lengths)
    frames = frame_borders(parts.recognizer.encoder, num_frames).to(positions.device)
    frames = frames.clamp(max=positions.shape[1] - 1)
    before = frames.floor().long()
    behind = (before + 1).clamp(max=positions.shape[1] - 1)
    borders = torch.lerp(positions[:, before], positions[:, behind], frames - before)
    counts = parts.recognizer.output_lengths(parts.recognizer.frame_lengths(signals, signal_lengths))
    is_end = torch.arange(num_frames + 1, device=borders.device) >= counts.to(borders.device)[:, None]
    return torch.where(is_end, signal_lengths[:, None].to(borders), borders)


def frame_borders(encoder: Encoder, num_frames: int) -> Tensor:
    """Return between which frames that enter an encoder the first `num_frames` that leave it part, (num_frames,).

    The k-th output comes with the first input that its window reaches beyond those of the outputs before: windows and
    strides follow from `output_lengths` alone. Neighbours part in the middle between their windows' middles.
    """
    size = 2 * num_frames + 8
    while int((counts := encoder.output_lengths(torch.arange(1, size + 1)))[-1]) < max(num_frames, 2) + 1:
        size *= 2
    newest = torch.searchsorted(counts, torch.arange(1, max(num_frames, 2) + 2))  # the input that brings each output
    window, stride = newest[1], newest[2] - newest[1]
    borders = newest.double() - (window - stride) / 2
    borders[0] = 0.0
    return borders[: num_frames + 1]


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


def _pieces(
    tokenizer: Tokenizer,
    tokens: Sequence[int],
    firsts: Sequence[int],
    lasts: Sequence[int],
    places: np.ndarray,
    confidences: Sequence[float],
) -> Iterator[_Piece]:
    """Yield what a target's tokens spell; their own frames go from `firsts` to before `lasts`."""
    starts_word, gap, near_gap = True, None, None
    for token, first, last, confidence in zip(tokens, firsts, lasts, confidences, strict=False):
        spelling = tokenizer.spellings[token - 1]
        own = (float(places[first]), float(places[last]))
        if not spelling.strip():
            gap = (gap[0] if gap else own[0], own[1])
            near = (float(places[max(first - 1, 0)]), float(places[min(last + 1, len(places) - 1)]))
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
