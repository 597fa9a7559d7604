"""Word and character error rates of a corpus, built up batch by batch and rank by rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from math import isfinite

from seqrec.metrics.edits import EditCounts, count_character_edits, count_word_edits


@dataclass(frozen=True)
class ErrorRates:
    """Edit counts of words and characters; adds up over batches, splits and ranks to the corpus's own rates."""

    words: EditCounts = field(default_factory=EditCounts)
    characters: EditCounts = field(default_factory=EditCounts)
    examples: int = 0
    wrong_examples: int = 0  # hypotheses that differ from their reference anywhere

    @classmethod
    def of(cls, references: Sequence[str], hypotheses: Sequence[str]) -> ErrorRates:
        """Score pairs of texts."""
        pairs = zip(references, hypotheses, strict=True)
        wrong = sum(reference != hypothesis for reference, hypothesis in pairs)
        return cls(
            count_word_edits(references, hypotheses),
            count_character_edits(references, hypotheses),
            len(references),
            wrong,
        )

    @property
    def wer(self) -> float:
        """Word error rate, a fraction."""
        return self.words.rate

    @property
    def cer(self) -> float:
        """Character error rate, a fraction."""
        return self.characters.rate

    def __add__(self, other: ErrorRates) -> ErrorRates:
        return ErrorRates(
            self.words + other.words,
            self.characters + other.characters,
            self.examples + other.examples,
            self.wrong_examples + other.wrong_examples,
        )

    def to_counts(self) -> list[int]:
        """Return the ten counts as integers, whose element-wise sum over ranks `from_counts` turns back."""
        return [*astuple(self.words), *astuple(self.characters), self.examples, self.wrong_examples]

    @classmethod
    def from_counts(cls, counts: Sequence[int]) -> ErrorRates:
        """Undo `to_counts`."""
        return cls(EditCounts(*counts[:4]), EditCounts(*counts[4:8]), counts[8], counts[9])

    def to_json(self) -> dict[str, float | int | None]:
        """Return the rates as fractions, with the edits of words behind the WER and of characters behind the CER.

        A rate is None where it is infinite, which JSON cannot write: insertions, and no reference to insert into.
        """
        return {
            "wer": self.wer if isfinite(self.wer) else None,
            "cer": self.cer if isfinite(self.cer) else None,
            "substitutions": self.words.substitutions,
            "insertions": self.words.insertions,
            "deletions": self.words.deletions,
            "words": self.words.reference_length,
            "character_substitutions": self.characters.substitutions,
            "character_insertions": self.characters.insertions,
            "character_deletions": self.characters.deletions,
            "characters": self.characters.reference_length,
            "examples": self.examples,
            "wrong_examples": self.wrong_examples,
        }
