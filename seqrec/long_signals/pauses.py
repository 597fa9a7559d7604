"""Where log-probs without an end are cut, to be decoded piece by piece."""

from __future__ import annotations

import torch
from torch import Tensor

from seqrec.parts import Tokenizer


class PauseCutter:
    """Cuts log-probs in the middle of long runs of blanks, between words where there are such.

    No run of a token's own frames is ever cut, so that greedy decoding of the pieces gives the tokens of the whole; but
    for a token that lasts longer than `longest`.

    Args:
        tokenizer: says which tokens begin or end a word.
        longest: frames of a piece, at most.
    """

    def __init__(self, tokenizer: Tokenizer, longest: int) -> None:
        self.longest = longest
        self.shortest = longest // 3
        self._begins = torch.tensor([False, *(spelling.startswith(" ") for spelling in tokenizer.spellings)])
        self._ends = torch.tensor([False, *(spelling.endswith(" ") for spelling in tokenizer.spellings)])

    def cuts(self, log_probs: Tensor, is_end: bool) -> list[int]:
        """Return where to cut log-probs (T', V), rising.

        What lies behind the last cut is to be given again, with more frames behind it; at the end there is nothing.
        """
        best = log_probs.argmax(dim=1)
        cuts = [0]
        while len(best) - cuts[-1] > self.longest:
            cuts.append(cuts[-1] + self._best_cut(best[cuts[-1] : cuts[-1] + self.longest]))
        return [*cuts[1:], len(best)] if is_end and len(best) > cuts[-1] else cuts[1:]

    def _best_cut(self, best: Tensor) -> int:
        """Return where to cut a piece from the front of frames, whose best tokens are `best` (longest,)."""
        tokens, counts = best.unique_consecutive(return_counts=True)
        ends = counts.cumsum(0)
        middles = ends - counts // 2
        is_pause = (tokens == 0) & (middles >= self.shortest)
        if not is_pause.any():
            return int(ends[-2]) if len(ends) > 1 else len(best)
        parts_words = self._ends[tokens.roll(1)] | self._begins[tokens.roll(-1)]
        parts_words[0] = parts_words[-1] = False  # what comes before and behind is not known
        rank = (counts + len(best) * parts_words).masked_fill(~is_pause, -1)
        return int(middles[rank.argmax()])
