"""When the words and characters of a text were spoken, or where they were written, by the parts of a recogniser.

Alignment and confidences come from log-probs, places from the front-end and the encoder's windows; `seqrec.ctc.spans`
has the rules that make spans of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqrec.checkpoint import Parts
from seqrec.ctc.align import align
from seqrec.ctc.confidence import token_confidences
from seqrec.ctc.spans import AlignedTokens, Places, output_borders, read_spans
from seqrec.parts import Encoder
from seqrec.sequence import Emissions
from seqrec.transcript import Candidate, Reading


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
    confidences = token_confidences(emissions, alignment, padded, target_lengths, temperature)
    columns = (alignment.starts(), alignment.ends(), confidences, alignment.log_probs)
    rows = zip(targets, *(column.tolist() for column in columns), strict=True)
    places = _places(parts, signals, signal_lengths, emissions.log_probs.shape[1])
    return [read_spans(parts.tokenizer, AlignedTokens(*row), each) for row, each in zip(rows, places, strict=True)]


def _places(parts: Parts, signals: Tensor, signal_lengths: Tensor, num_frames: int) -> list[Places]:
    """Return where the first `num_frames` frames that leave the encoder lie in each of the signals (B, N, C)."""
    recognizer = parts.recognizer
    positions = recognizer.frontend.frame_positions(signals, signal_lengths).cpu().numpy()
    counts = recognizer.output_lengths(recognizer.frame_lengths(signals, signal_lengths)).tolist()
    pauses = recognizer.frontend.pauses(signals, signal_lengths)
    frames = frame_borders(recognizer.encoder, num_frames)
    rows = zip(positions, counts, pauses, signal_lengths.tolist(), strict=True)
    return [
        Places(output_borders(row, frames, count, length), stretches.cpu().numpy(), length)
        for row, count, stretches, length in rows
    ]


def frame_borders(encoder: Encoder, num_frames: int) -> np.ndarray:
    """Return between which frames that enter an encoder the first `num_frames` that leave it part.

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
    return borders[: num_frames + 1].numpy()
