"""Greedy (best-path) CTC decoding: Graves et al. 2006, section 3.2."""

from __future__ import annotations

import torch

from seqrec.sequence import Emissions


class GreedyDecoder:
    """Takes the likeliest token of each frame, joins repeats, leaves out blanks; never looks at padded frames."""

    def decode(self, emissions: Emissions) -> list[list[int]]:
        """Return the tokens of each example of a batch, at most as many as its frames."""
        best = emissions.log_probs.argmax(dim=-1).cpu()  # (B, T', V) -> (B, T')
        lengths = emissions.lengths.tolist()
        return [
            [token for token in torch.unique_consecutive(row[:length]).tolist() if token != 0]
            for row, length in zip(best, lengths, strict=True)
        ]
