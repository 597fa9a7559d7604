"""Edit counts of references and hypotheses, from jiwer's alignments, summed over a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer


@dataclass(frozen=True)
class EditCounts:
    """How a corpus of hypotheses differs from its references; sums of counts, never means of rates."""

    hits: int = 0
    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0

    @property
    def errors(self) -> int:
        """Substitutions, insertions and deletions together."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def reference_length(self) -> int:
        """Words or characters of all references."""
        return self.hits + self.substitutions + self.deletions

    @property
    def rate(self) -> float:
        """Errors per reference word or character, a fraction; may pass 1; infinite for insertions into nothing."""
        if self.reference_length == 0:
            return float("inf") if self.errors else 0.0
        return self.errors / self.reference_length

    def __add__(self, other: EditCounts) -> EditCounts:
        return EditCounts(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
        )


def count_word_edits(references: Sequence[str], hypotheses: Sequence[str]) -> EditCounts:
    """Sum the word edits of pairs of normalised texts; words are what spaces separate."""
    return _counts(jiwer.process_words(list(references), list(hypotheses))) if references else EditCounts()


def count_character_edits(references: Sequence[str], hypotheses: Sequence[str]) -> EditCounts:
    """Sum the character edits of pairs of normalised texts; spaces are characters."""
    return _counts(jiwer.process_characters(list(references), list(hypotheses))) if references else EditCounts()


def _counts(output: jiwer.WordOutput | jiwer.CharacterOutput) -> EditCounts:
    return EditCounts(output.hits, output.substitutions, output.insertions, output.deletions)
