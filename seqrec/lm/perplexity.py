"""How well a language model predicts a text: its perplexity, and the share of words it has never seen."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seqrec.lm.kneser_ney import END, START, UNKNOWN, NGramModel


@dataclass(frozen=True)
class TextScore:
    """What a model makes of a text."""

    sentences: int
    words: int  # the ends of sentences not counted
    unknown: int  # words outside the vocabulary
    log_prob: float  # to the base 10, of all words and the ends of sentences; those outside as `<unk>`

    @property
    def perplexity(self) -> float:
        """The inverse of the mean probability, by the geometric mean, of a word or an end of a sentence."""
        return float(10 ** (-self.log_prob / (self.words + self.sentences)))

    @property
    def unknown_share(self) -> float:
        """The share of words outside the vocabulary."""
        return self.unknown / self.words if self.words else 0.0


def score_text(model: NGramModel, sentences: Iterable[Sequence[str]]) -> TextScore | None:
    """Score `sentences` of words, without `<s>` and `</s>`; None where there are none.

    All words are looked up at once, an order after the other: where an n-gram is not in the model, the probability is
    that of its end without the first word, times the backoff of what comes before.
    """
    numbers = {word: number for number, word in enumerate(model.words)}
    found = array("i")
    for sentence in sentences:
        found.append(START)
        found.extend([numbers.get(word, UNKNOWN) for word in sentence])
        found.append(END)
    if not found:
        return None
    tokens = np.frombuffer(found, np.int32)
    log_probs, ends_with = model.orders[0].log_probs[tokens], tokens.astype(np.int64)
    for lower, ngrams in zip(model.orders, model.orders[1:], strict=False):
        before = np.where(tokens == START, -1, np.roll(ends_with, 1))  # the context of each word, in the order below
        keys = ngrams.contexts * len(numbers) + ngrams.words
        wanted = before * len(numbers) + tokens
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        seen = (before >= 0) & (keys[places] == wanted)
        log_probs += np.where(before >= 0, lower.log_backoffs[before], 0.0)
        log_probs[seen] = ngrams.log_probs[places[seen]]
        ends_with = np.where(seen, places, -1)
    starts = tokens == START
    num_sentences = int(np.count_nonzero(starts))
    return TextScore(
        sentences=num_sentences,
        words=len(tokens) - 2 * num_sentences,
        unknown=int(np.count_nonzero(tokens == UNKNOWN)),
        log_prob=float(log_probs[~starts].sum()),
    )
