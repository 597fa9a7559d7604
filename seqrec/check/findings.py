"""Findings: what is wrong with the data of a recipe, how often, where for instance, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seqrec.parts import Problem, Severity
from seqrec.report.page import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
MOST_EXAMPLES = 5  # that a finding names
_LONGEST_VALUE = 160  # characters of an example's value


@dataclass(frozen=True)
class Finding:
    """One kind of mistake in one place."""

    severity: Severity  # errors stop a training or spoil its result; warnings may; notes are to be known
    what: str
    where: str  # the split or splits
    count: int
    examples: tuple[str, ...]  # a few of them, with their values
    mend: str


@dataclass
class _Open:
    """A finding that still grows."""

    severity: Severity
    mend: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Findings:
    """Collects mistakes one by one, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Open] = {}

    def add(
        self, severity: Severity, what: str, where: str, mend: str, examples: Iterable[str], count: int = 1
    ) -> None:
        """Count `count` mistakes `what` in the split `where`; the first few `examples` of them all are kept."""
        found = self._open.setdefault((what, where), _Open(severity, mend))
        found.count += count
        for example in examples:
            if len(found.examples) >= MOST_EXAMPLES:
                break
            found.examples.append(shorten(visible(example)))

    def add_problem(self, problem: Problem, where: str, id: str) -> None:
        """Count a problem of example `id`."""
        value = f"`{id}`: {problem.value}" if problem.value else f"`{id}`"
        self.add(problem.severity, problem.name, where, problem.mend, [value])

    def listed(self) -> tuple[Finding, ...]:
        """Return the findings, errors first, then the more frequent."""
        found = [
            Finding(one.severity, what, where, one.count, tuple(one.examples), one.mend)
            for (what, where), one in self._open.items()
        ]
        return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), -one.count)))


def shorten(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def name_symbol(symbol: str) -> str:
    """Return a symbol with its code point, as in ``'é' (U+00E9)``."""
    points = " ".join(f"U+{ord(character):04X}" for character in symbol)
    return f"{symbol!r} ({points})"
