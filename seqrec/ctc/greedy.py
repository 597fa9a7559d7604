"""Greedy (best-path) CTC decoding: Graves et al. 2006, section 3.2."""

from __future__ import annotations

import torch

from seqrec.parts import Tokenizer
from seqrec.sequence import Emissions, length_mask
from seqrec.transcript import Candidate


class GreedyDecoder:
    """Takes the likeliest token of each frame, joins repeats, leaves out blanks; never looks at padded frames.

    A candidate's score is the log-probability of its path.
    """

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Need nothing: log-probs alone decide."""

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        """Return the one candidate of each example, at most as long as its frames."""
        log_probs, best = (each.cpu() for each in emissions.log_probs.max(dim=-1))  # (B, T', V) -> (B, T')
        lengths = emissions.lengths.cpu()
        scores = log_probs.masked_fill(~length_mask(lengths, best.shape[1]), 0.0).double().sum(dim=1).tolist()
        return [
            [Candidate(tuple(token for token in torch.unique_consecutive(row[:length]).tolist() if token != 0), score)]
            for row, length, score in zip(best, lengths.tolist(), scores, strict=True)
        ]
