"""What a beam search must find, reckoned over every path and labelling in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from pathlib import Path

import numpy as np

Labelling = tuple[int, ...]


def collapse(path: Sequence[int]) -> Labelling:
    return tuple(token for token, _ in groupby(path) if token)


def labellings(log_probs: np.ndarray) -> dict[Labelling, float]:
    """The log-probability of every labelling that has one, summed over all V^T paths (T, V)."""
    num_frames, num_tokens = log_probs.shape
    paths: dict[Labelling, list[float]] = {}
    for path in product(range(num_tokens), repeat=num_frames):
        score = sum(float(log_probs[frame, token]) for frame, token in enumerate(path))
        if score > -math.inf:
            paths.setdefault(collapse(path), []).append(score)
    return {labelling: float(np.logaddexp.reduce(scores)) for labelling, scores in paths.items()}


def _binary(number: float) -> float:
    """Round to what a float32 holds exactly."""
    return round(number * 4096) / 4096


@dataclass(frozen=True)
class Arpa:
    """A backoff model as its file has it: log10 of probabilities and backoffs by n-gram."""

    order: int
    log10: dict[tuple[str, ...], float]
    backoffs: dict[tuple[str, ...], float]

    @staticmethod
    def random(words: Sequence[str], order: int, seed: int) -> Arpa:
        """A model with gaps at every order; its probabilities need not sum to one."""
        random = np.random.default_rng(seed)
        log10: dict[tuple[str, ...], float] = {}
        known: list[tuple[str, ...]] = [(word,) for word in ("<unk>", "<s>", "</s>", *words)]
        for n in range(1, order + 1):
            log10.update({ngram: _binary(-random.exponential(0.7) - 0.01) for ngram in known})
            longer = [(*ngram, end) for ngram in known for end in ("</s>", *words) if "</s>" not in ngram]
            known = [ngram for ngram in longer if n < order and random.random() < 0.6]
        log10["<s>",] = -99.0
        inner = [ngram for ngram in log10 if len(ngram) < order and "</s>" not in ngram]
        return Arpa(order, log10, {ngram: _binary(-random.exponential(0.4)) for ngram in inner})

    def write(self, path: Path) -> str:
        counts = [sum(len(ngram) == n for ngram in self.log10) for n in range(1, self.order + 1)]
        lines = ["\\data\\", *(f"ngram {n}={count}" for n, count in enumerate(counts, 1))]
        for n in range(1, self.order + 1):
            lines += ["", f"\\{n}-grams:"]
            for ngram in (ngram for ngram in self.log10 if len(ngram) == n):
                backoff = f"\t{self.backoffs[ngram]}" if ngram in self.backoffs else ""
                lines.append(f"{self.log10[ngram]}\t{' '.join(ngram)}{backoff}")
        path.write_text("\n".join([*lines, "", "\\end\\", ""]), encoding="utf-8")
        return str(path)

    def knows(self, word: str) -> bool:
        return (word,) in self.log10

    def score(self, words: Sequence[str], eos: bool) -> float:
        """Natural-log probability of a sentence."""
        sentence = [word if self.knows(word) else "<unk>" for word in words]
        sentence = ["<s>", *sentence, *(["</s>"] if eos else [])]
        return sum(self._log10(tuple(sentence[:end])) for end in range(2, len(sentence) + 1)) * math.log(10)

    def _log10(self, ngram: tuple[str, ...]) -> float:
        ngram = ngram[-self.order :]
        if ngram in self.log10 or len(ngram) == 1:
            return self.log10[ngram]
        return self.backoffs.get(ngram[:-1], 0.0) + self._log10(ngram[1:])


@dataclass(frozen=True)
class Formula:
    """The score that `beam_lm` states, of whole labellings."""

    spellings: Sequence[str]
    arpa: Arpa | None = None
    unit: str = "word"
    alpha: float = 0.5
    beta: float = 1.0
    unk_score: float = -10.0
    lexicon: Sequence[str] | None = None
    hotwords: Sequence[str] = field(default=())
    hotword_weight: float = 5.0
    eos: bool = True

    def text(self, labelling: Labelling) -> str:
        return " ".join("".join(self.spellings[token - 1] for token in labelling).split())

    def extra(self, labelling: Labelling) -> float:
        """What is added to a labelling's log-probability; minus infinity where the lexicon lacks a word of it."""
        words = self.text(labelling).split()
        if self.lexicon is not None and not set(words) <= set(self.lexicon):
            return -math.inf
        phrases = {tuple(hotword.split()) for hotword in self.hotwords}
        whole = sum(
            len(phrase)
            for phrase in phrases
            for at in range(len(words))
            if tuple(words[at : at + len(phrase)]) == phrase
        )
        return self.hotword_weight * whole + self._of_model(labelling, words)

    def _of_model(self, labelling: Labelling, words: list[str]) -> float:
        if self.arpa is None:
            return 0.0
        if self.unit == "char":
            symbols = (self.spellings[token - 1] for token in labelling)
            words = ["<space>" if symbol == " " else symbol for symbol in symbols]
        fined = self.unit == "char" or self.lexicon is None
        unknown = sum(not self.arpa.knows(word) for word in words) if fined else 0
        return self.alpha * self.arpa.score(words, self.eos) + self.beta * len(words) + self.unk_score * unknown

    def ranking(self, log_probs: np.ndarray) -> list[tuple[Labelling, float]]:
        """All labellings that are allowed with their scores, the best first; of the same text, the best alone."""
        scored = {labelling: score + self.extra(labelling) for labelling, score in labellings(log_probs).items()}
        best: dict[str, tuple[Labelling, float]] = {}
        for labelling, score in sorted(scored.items(), key=lambda item: -item[1]):
            if score > -math.inf:
                best.setdefault(self.text(labelling), (labelling, score))
        return list(best.values())
