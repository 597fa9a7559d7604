"""Comparing two evaluations of the same examples: whether their difference may be chance, and what changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqrec.errors import UserError
from seqrec.metrics.edits import EditCounts
from seqrec.metrics.intervals import PairedComparison, paired_bootstrap
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.scored import ScoredExample, Unit, rates_of
from seqrec.metrics.summary import PEOPLE, people_of

_EDITS = ("hits", "substitutions", "insertions", "deletions")
_LONGEST_LINE = 1 << 24  # bytes
_MOST_EDITS = 1 << 31  # of an example
_NAMED = 5  # examples in a message


@dataclass(frozen=True)
class System:
    """One of two evaluations."""

    name: str
    examples: Sequence[ScoredExample]

    @property
    def rates(self) -> ErrorRates:
        """Its rates over all examples."""
        return rates_of(self.examples)


@dataclass(frozen=True)
class Change:
    """An example that two systems read differently."""

    a: ScoredExample
    b: ScoredExample

    @property
    def characters(self) -> int:
        """How many wrong characters more B has; below 0: B is better."""
        return self.b.characters.errors - self.a.characters.errors


@dataclass(frozen=True)
class Comparison:
    """System B beside system A."""

    a: System
    b: System  # its examples in the order of A's
    wer: PairedComparison
    cer: PairedComparison
    drawn_by: str  # what the bootstrap draws: "example", "speaker" or "writer"
    changes: tuple[Change, ...]  # the most improved first

    @property
    def better(self) -> tuple[Change, ...]:
        """Those with fewer wrong characters in B, the most improved first."""
        return tuple(change for change in self.changes if change.characters < 0)

    @property
    def worse(self) -> tuple[Change, ...]:
        """Those with more wrong characters in B, the most worsened first."""
        return tuple(change for change in reversed(self.changes) if change.characters > 0)


def read_hypotheses(path: Path, command: str) -> list[ScoredExample]:
    """Read `hypotheses.jsonl`, which `command` writes.

    Raises:
        UserError: it is missing, damaged, or from before there were counts of edits in it.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist; write it with `{command}`")
    with path.open("rb") as file:
        lines = enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1)
        found = [_parse(line, f"{path}:{number}", command) for number, line in lines]
    if not found:
        raise UserError(f"{path} is empty; write it again with `{command}`")
    return found


def _parse(line: bytes, where: str, command: str) -> ScoredExample:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise UserError(f"{where}: not a JSON object; write it again with `{command}`") from None
    names = ("id", "reference", "hypothesis")
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in names):
        raise UserError(f"{where}: id, reference or hypothesis is no string; write it again with `{command}`")
    keys = {name: row[name] for name in PEOPLE if isinstance(row.get(name), str)}
    edits = row.get("edits")
    words, characters = (_edits(edits, unit, where, command) for unit in ("words", "characters"))
    return ScoredExample(row["id"], row["reference"], row["hypothesis"], words, characters, keys)


def _edits(edits: Any, unit: Unit, where: str, command: str) -> EditCounts:
    counts = edits.get(unit) if isinstance(edits, dict) else None
    values = [counts.get(name) for name in _EDITS] if isinstance(counts, dict) else [None]
    if not all(type(value) is int and 0 <= value < _MOST_EDITS for value in values):
        raise UserError(f"{where}: holds no counts of the edits of {unit}; write it again with `{command}`")
    return EditCounts(*values)


def compare(a: System, b: System) -> Comparison:
    """Compare two evaluations; their examples may stand in any order.

    Raises:
        UserError: they are not of the same examples, or the references differ.
    """
    b = System(b.name, _in_order_of(a, b))
    pairs = [Change(one, other) for one, other in zip(a.examples, b.examples, strict=True)]
    changes = sorted((one for one in pairs if one.a.hypothesis != one.b.hypothesis), key=lambda one: one.characters)
    drawn_by, people = people_of(a.examples)
    return Comparison(
        a, b, _paired(pairs, "words", people), _paired(pairs, "characters", people), drawn_by, tuple(changes)
    )


def _paired(pairs: Sequence[Change], unit: Unit, people: Sequence[str] | None) -> PairedComparison:
    counts = [(getattr(one.a, unit).errors, getattr(one.b, unit).errors) for one in pairs]
    errors_a, errors_b = np.array(counts).T
    return paired_bootstrap(
        errors_a, errors_b, np.array([getattr(one.a, unit).reference_length for one in pairs]), people
    )


def _in_order_of(a: System, b: System) -> list[ScoredExample]:
    """Return the examples of B in the order of A's."""
    for system in (a, b):
        twice, count = Counter(one.id for one in system.examples).most_common(1)[0]
        if count > 1:
            raise UserError(
                f"{system.name}: the id `{twice}` occurs {count} times; give each row of the manifest its own"
            )
    places = {one.id: one for one in b.examples}
    _refuse_lacking(b, [one.id for one in a.examples if one.id not in places])
    known = {one.id for one in a.examples}
    _refuse_lacking(a, [one.id for one in b.examples if one.id not in known])
    ordered = [places[one.id] for one in a.examples]
    differing = [one.id for one, other in zip(a.examples, ordered, strict=True) if one.reference != other.reference]
    if differing:
        raise UserError(
            f"the references of {_few(differing)} differ between {a.name} and {b.name}; the runs normalise text "
            "differently (text.*), or were evaluated on other manifests: give both the same manifest="
        )
    return ordered


def _refuse_lacking(system: System, ids: Sequence[str]) -> None:
    if ids:
        raise UserError(f"{system.name} lacks {_few(ids)}, which the other has; evaluate both on the same manifest=")


def _few(ids: Sequence[str]) -> str:
    named = ", ".join(f"`{id}`" for id in ids[:_NAMED])
    return named + (f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else "")
