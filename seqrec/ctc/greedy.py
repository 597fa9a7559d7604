"""Greedy (best-path) CTC decoding: Graves et al. 2006, section 3.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqrec.parts import Tokenizer
from seqrec.transcript import Candidate

if TYPE_CHECKING:  # so that torch is not needed beside an exported model
    from seqrec.sequence import Emissions


class GreedyDecoder:
    """Takes the likeliest token of each frame, joins repeats, leaves out blanks; never looks at padded frames.

    A candidate's score is the log-probability of its path.
    """

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Need nothing: log-probs alone decide."""

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        """Return the one candidate of each example, at most as long as its frames."""
        log_probs, best = emissions.log_probs.detach().max(dim=-1)  # (B, T', V) -> (B, T')
        rows = zip(best.cpu().numpy(), log_probs.double().cpu().numpy(), emissions.lengths.tolist(), strict=True)
        return [[_collapse(*row)] for row in rows]

    def decode_arrays(self, examples: Sequence[np.ndarray], threads: int = 1) -> list[list[Candidate]]:
        """Return what `decode` does for log-probs (T', V) of each example; one thread is enough."""
        return [[_collapse(each.argmax(axis=1), each.max(axis=1), len(each))] for each in examples]


def _collapse(path: np.ndarray, log_probs: np.ndarray, length: int) -> Candidate:
    """Return the labelling of a path (T',), of which `length` frames are valid, with the sum of its log-probs."""
    path = path[:length]
    is_new = np.ones(len(path), bool)
    is_new[1:] = path[1:] != path[:-1]
    return Candidate(tuple(path[is_new & (path != 0)].tolist()), float(log_probs[:length].sum(dtype=np.float64)))
