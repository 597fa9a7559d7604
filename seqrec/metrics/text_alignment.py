"""References and hypotheses aligned: the edits between them, and lines that show them one above the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal
from unicodedata import category

from rapidfuzz.distance import Levenshtein
from rich.cells import cell_len

Kind = Literal["hit", "substitution", "insertion", "deletion"]
_KINDS: dict[str, Kind] = {
    "equal": "hit",
    "replace": "substitution",
    "insert": "insertion",
    "delete": "deletion",
}
_MARKS: dict[Kind, str] = {"hit": " ", "substitution": "S", "insertion": "I", "deletion": "D"}
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control and format characters, half pairs, line ends
_JOINERS = "\u200c\u200d"  # between letters of a word they shape what is seen
_DOTTED_CIRCLE = "\u25cc"  # carries a mark that stands alone
_OPEN_BOX = "\u2423"  # stands for a space


@dataclass(frozen=True)
class Edit:
    """Neighbouring words or characters with the same fate; substituted ones pair up one by one."""

    kind: Kind
    reference_start: int
    reference_end: int  # behind the last; the start for insertions
    hypothesis_start: int
    hypothesis_end: int  # behind the last; the start for deletions


@dataclass(frozen=True)
class AlignedLines:
    """Two texts one above the other in a terminal's columns, and a line of marks: S, I and D under the errors."""

    cells: tuple[tuple[str, str, str], ...]  # reference, hypothesis and mark, padded to the same width
    separator: str = " "

    @property
    def reference(self) -> str:
        """The upper line."""
        return self._line(0)

    @property
    def hypothesis(self) -> str:
        """The lower line."""
        return self._line(1)

    @property
    def marks(self) -> str:
        """The line of marks."""
        return self._line(2)

    def fold(self, width: int) -> Iterator[AlignedLines]:
        """Yield pieces of at most `width` columns of the terminal, one cell at least."""
        start, used = 0, 0
        for index, (cell, _, _) in enumerate(self.cells):
            needed = cell_len(cell) + len(self.separator)
            if index > start and used + needed - len(self.separator) > width:
                yield AlignedLines(self.cells[start:index], self.separator)
                start, used = index, 0
            used += needed
        yield AlignedLines(self.cells[start:], self.separator)

    def __str__(self) -> str:
        return f"REF: {self.reference}\nHYP: {self.hypothesis}\n     {self.marks}"

    def _line(self, which: int) -> str:
        return self.separator.join(cell[which] for cell in self.cells).rstrip(" ")


def align_texts(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Align two lists of words, or two strings of characters, with the fewest errors; the edits are in order."""
    return [
        Edit(_KINDS[block.tag], block.src_start, block.src_end, block.dest_start, block.dest_end)
        for block in Levenshtein.opcodes(reference, hypothesis)
    ]


def align_words(reference: str, hypothesis: str) -> AlignedLines:
    """Show the words of two texts one above the other, with `***` where one is missing."""
    return AlignedLines(tuple(_cells(reference.split(), hypothesis.split(), visible)))


def align_characters(reference: str, hypothesis: str) -> AlignedLines:
    """Show the characters of two texts one above the other, with `*` where one is missing and `␣` for a space.

    Characters are code points, as in the CER: a combining mark has a column of its own, on a dotted circle.
    """
    return AlignedLines(tuple(_cells(reference, hypothesis, _visible_alone)), separator="")


def visible(word: str) -> str:
    """Spell out what a terminal would obey or leave out, and put a mark that leads on a dotted circle."""
    if word.isascii() and word.isprintable():
        return word
    unseen = [category(character) in _UNSEEN for character in word]
    shown = "".join(
        ascii(c)[1:-1] if unseen[i] and not _joins(c, unseen[i - 1 : i] + unseen[i + 1 : i + 2]) else c
        for i, c in enumerate(word)
    )
    if category(shown[0]).startswith("M"):
        return _DOTTED_CIRCLE + shown
    return shown if cell_len(shown) else ascii(word)[1:-1]


def _joins(character: str, neighbours_unseen: Sequence[bool]) -> bool:
    """Tell whether a character shapes the two that it stands between."""
    return character in _JOINERS and neighbours_unseen == [False, False]


def _cells(
    reference: Sequence[str], hypothesis: Sequence[str], show: Callable[[str], str]
) -> Iterator[tuple[str, str, str]]:
    for edit in align_texts(reference, hypothesis):
        wanted = reference[edit.reference_start : edit.reference_end]
        found = hypothesis[edit.hypothesis_start : edit.hypothesis_end]
        for left, right in zip_longest(wanted, found, fillvalue=""):
            yield _cell(edit.kind, show(left) if left else "", show(right) if right else "")


def _cell(kind: Kind, wanted: str, found: str) -> tuple[str, str, str]:
    width = max(cell_len(wanted), cell_len(found), 1)
    return _padded(wanted, width), _padded(found, width), _MARKS[kind].ljust(width)


def _padded(word: str, width: int) -> str:
    return word + " " * (width - cell_len(word)) if word else "*" * width


def _visible_alone(character: str) -> str:
    if character == " ":
        return _OPEN_BOX
    return ascii(character)[1:-1] if character in _JOINERS else visible(character)
