"""Cutting a word into the pieces of a subword model, as SentencePiece cuts it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import inf


def merge_pieces(word: str, ranks: Mapping[str, int]) -> list[str]:
    """Return the pieces of `word` by byte-pair encoding: the neighbours whose union ranks first merge, until none do.

    Args:
        word: characters, each of which may stand alone.
        ranks: of each piece, its place in the order in which pieces were learnt; of equals the leftmost goes first.

    Source: Sennrich et al. (2016), Neural machine translation of rare words with subword units
    """
    pieces = list(word)
    unions = [ranks.get(left + right, inf) for left, right in pairwise(pieces)]
    while unions and (first := min(unions)) < inf:
        at = unions.index(first)
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        del unions[at]
        for i in (at - 1, at):
            if 0 <= i < len(unions):
                unions[i] = ranks.get(pieces[i] + pieces[i + 1], inf)
    return pieces


def likeliest_pieces(word: str, scores: Mapping[str, float], longest: int) -> list[str]:
    """Return the pieces of `word` whose log-probabilities have the greatest sum, by the Viterbi algorithm.

    Args:
        word: characters, each of which is a piece.
        scores: the log-probability of each piece.
        longest: the most characters of a piece.

    Source: Kudo (2018), Subword regularization
    """
    best, starts = [0.0] + [-inf] * len(word), [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - longest), end):
            score = best[start] + scores.get(word[start:end], -inf)
            if score > best[end]:
                best[end], starts[end] = score, start
    pieces, end = [], len(word)
    while end:
        pieces.append(word[starts[end] : end])
        end = starts[end]
    return pieces[::-1]
