"""Edit counts of references and hypotheses, by RapidFuzz, summed over a corpus.

The alignment has the fewest errors, each of them at cost 1 (Levenshtein 1966), and is the one that jiwer takes where
several have as few. NIST's sclite weighs a substitution 4 and an insertion or deletion 3, and may count a few more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


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


def word_edits(references: Iterable[str], hypotheses: Iterable[str]) -> Iterator[EditCounts]:
    """Yield the word edits of each pair of normalised texts; words are what spaces separate.

    Raises:
        ValueError: there are more of the ones than of the others.
    """
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        words = reference.split()
        yield EditCounts(len(words)) if reference == hypothesis else _count(words, hypothesis.split())


def character_edits(references: Iterable[str], hypotheses: Iterable[str]) -> Iterator[EditCounts]:
    """Yield the character edits of each pair of normalised texts; spaces are characters.

    Raises:
        ValueError: there are more of the ones than of the others.
    """
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        yield EditCounts(len(reference)) if reference == hypothesis else _count(reference, hypothesis)


def total(edits: Iterable[EditCounts]) -> EditCounts:
    """Add up the edits of many examples."""
    hits = substitutions = insertions = deletions = 0
    for one in edits:
        hits += one.hits
        substitutions += one.substitutions
        insertions += one.insertions
        deletions += one.deletions
    return EditCounts(hits, substitutions, insertions, deletions)


def count_word_edits(references: Iterable[str], hypotheses: Iterable[str]) -> EditCounts:
    """Sum the word edits of pairs of normalised texts; words are what spaces separate."""
    return total(word_edits(references, hypotheses))


def count_character_edits(references: Iterable[str], hypotheses: Iterable[str]) -> EditCounts:
    """Sum the character edits of pairs of normalised texts; spaces are characters."""
    return total(character_edits(references, hypotheses))


def _count(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    kinds = [kind for kind, _, _ in Levenshtein.editops(reference, hypothesis).as_list()]
    substitutions, deletions = kinds.count("replace"), kinds.count("delete")
    hits = len(reference) - substitutions - deletions
    return EditCounts(hits, substitutions, len(kinds) - substitutions - deletions, deletions)
