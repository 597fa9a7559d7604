"""When the words and characters of a text were spoken, or where they were written: as `seqrec.timing` tells it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqrec.ctc.spans import Places, output_borders, read_spans
from seqrec.exported.alignment import align
from seqrec.exported.inputs import Input
from seqrec.exported.metadata import Metadata
from seqrec.parts import Tokenizer
from seqrec.transcript import Candidate, Reading


def read_with_times(
    source: Input, log_probs: np.ndarray, candidates: Sequence[Candidate], tokenizer: Tokenizer, metadata: Metadata
) -> tuple[Reading, ...]:
    """Return the readings of an example's candidates, the best with the spans of its words and characters.

    Args:
        source: what was recognised.
        log_probs: (T', V) of it.
        candidates: the best first.
        tokenizer: of the model.
        metadata: of the model.
    """
    numbers = np.arange(len(log_probs) + 1)
    frames = np.where(numbers, metadata.first_border + (numbers - 1) * metadata.frame_stride, 0.0)
    borders = output_borders(source.frame_positions(), frames, len(log_probs), source.length)
    aligned = align(log_probs, candidates[0].tokens, metadata.temperature)
    best = read_spans(tokenizer, aligned, Places(borders, source.pauses(), source.length))
    others = (Reading(tokenizer.decode(other.tokens), other.score) for other in candidates[1:])
    return Reading(best.text, candidates[0].score, best.words, best.characters), *others
