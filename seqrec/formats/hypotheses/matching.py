"""References and hypotheses of two files brought together, by id or line by line; nothing is lost without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seqrec.errors import UserError
from seqrec.formats.hypotheses.utterances import Utterances

_MOST_NAMED = 5


@dataclass(frozen=True)
class Matched:
    """Texts to compare, in the order of the references."""

    ids: Sequence[str]
    references: Sequence[str]
    hypotheses: Sequence[str]
    keys: Sequence[Mapping[str, str]]
    missing: Sequence[str] = ()  # ids without a hypothesis, scored as if it were empty
    extra: Sequence[str] = ()  # ids of hypotheses without a reference, left out


def match(
    references: Utterances,
    hypotheses: Utterances,
    missing: Literal["error", "delete"] = "error",
    extra: Literal["error", "ignore"] = "error",
) -> Matched:
    """Match the texts of two files by id, or line by line where neither file has ids.

    Args:
        references: what should be read.
        hypotheses: what was recognised.
        missing: a reference without a hypothesis is an error, or all of its words count as deleted.
        extra: a hypothesis without a reference is an error, or is left out.

    Raises:
        UserError: the two do not match.
    """
    if (references.ids is None) != (hypotheses.ids is None):
        with_ids, without = (hypotheses, references) if references.ids is None else (references, hypotheses)
        raise UserError(
            f"{with_ids.path} has ids and {without.path} has none; give both in one format, "
            "or take both line by line with --format text"
        )
    if references.ids is None or hypotheses.ids is None:
        return _by_line(references, hypotheses)
    found = dict(zip(hypotheses.ids, hypotheses.texts, strict=True))
    known = frozenset(references.ids)
    without_hypothesis = [id for id in references.ids if id not in found]
    without_reference = [id for id in hypotheses.ids if id not in known]
    where = f"{hypotheses.path} has no hypothesis for", f"of {len(known):,} ids of {references.path}"
    if without_hypothesis and missing == "error":
        raise UserError(
            f"{where[0]} {_named(without_hypothesis)} {where[1]}; mend it, or count their words as deleted with "
            "--missing delete"
        )
    if without_reference and extra == "error":
        raise UserError(
            f"{references.path} has no reference for {_named(without_reference)} of {len(found):,} ids of "
            f"{hypotheses.path}; mend it, or leave them out with --extra ignore"
        )
    return Matched(
        references.ids,
        references.texts,
        [found.get(id, "") for id in references.ids],
        _keys(references, hypotheses),
        without_hypothesis,
        without_reference,
    )


def _by_line(references: Utterances, hypotheses: Utterances) -> Matched:
    counts = len(references.texts), len(hypotheses.texts)
    if counts[0] != counts[1]:
        raise UserError(
            f"{references.path} has {counts[0]:,} lines and {hypotheses.path} has {counts[1]:,}; "
            "line n belongs to line n, so give as many, or files with ids (trn, jsonl, ctm)"
        )
    ids = [f"line {number}" for number in range(1, counts[0] + 1)]
    return Matched(ids, references.texts, hypotheses.texts, _keys(references, hypotheses))


def _keys(references: Utterances, hypotheses: Utterances) -> list[Mapping[str, str]]:
    """Return the keys of each reference, and of its hypothesis those that the reference lacks."""
    own = references.keys if references.keys is not None else [{}] * len(references.texts)
    if hypotheses.keys is None:
        return list(own)
    names = hypotheses.ids if hypotheses.ids is not None else range(len(hypotheses.texts))
    others: dict[object, Mapping[str, str]] = dict(zip(names, hypotheses.keys, strict=True))
    wanted = references.ids if references.ids is not None else range(len(references.texts))
    return [{**others.get(name, {}), **keys} for name, keys in zip(wanted, own, strict=True)]


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(f"`{id}`" for id in ids[:_MOST_NAMED])
    return f"{len(ids):,} ({shown}{', ...' if len(ids) > _MOST_NAMED else ''})"
