"""N-gram models as dictionaries: a text to estimate them from, ARPA files, and probabilities as they define them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from seqrec.lm.kneser_ney import NGramModel

Ngram = tuple[str, ...]
LETTERS = [  # any text would do, so long as most of its discounts can be estimated
    ["abcdefghijkl"[(i * i + 7 * j * j * (i % 5 + 1) + j * i) % (2 + i % 11)] for j in range(1 + (i * 5) % 9)]
    for i in range(60)
]


class Entry(NamedTuple):
    log_prob: float
    log_backoff: float


def entries(model: NGramModel) -> dict[Ngram, Entry]:
    """The model's n-grams by their words."""
    found: dict[Ngram, Entry] = {}
    below: list[Ngram] = [()]
    for order in model.orders:
        these = [(*below[c], model.words[w]) for c, w in zip(order.contexts, order.words, strict=True)]
        found.update(zip(these, map(Entry, order.log_probs, order.log_backoffs), strict=True))
        below = these
    return found


def read_arpa(path: Path) -> dict[Ngram, Entry]:
    """The n-grams of an ARPA file of lmplz."""
    rows = [line.split("\t") for line in path.read_text().splitlines() if "\t" in line]
    return {tuple(row[1].split()): Entry(float(row[0]), float(row[2]) if row[2:] else 0.0) for row in rows}


def prob_after(found: dict[Ngram, Entry], history: Ngram, word: str) -> float:
    """The probability of `word` after `history`, as ARPA files define it."""
    if (*history, word) in found:
        return float(10 ** found[(*history, word)].log_prob)
    backoff = found[history].log_backoff if history in found else 0.0
    return float(10**backoff) * prob_after(found, history[1:], word)
