"""References and hypotheses matched: none is lost without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqrec.errors import UserError
from seqrec.formats.hypotheses.matching import Matched, match
from seqrec.formats.hypotheses.utterances import Utterances


def texts(name: str, ids: str | None, keys: list | None = None) -> Utterances:
    names = None if ids is None else ids.split()
    return Utterances(Path(name), [f"{name} {id}" for id in names or "12"], names, keys)


def test_ids_match_in_any_order() -> None:
    assert match(texts("ref", "a b"), texts("hyp", "b a")) == Matched(
        ["a", "b"], ["ref a", "ref b"], ["hyp a", "hyp b"], [{}, {}], [], []
    )


def test_lines_match_by_number() -> None:
    found = match(texts("ref", None), texts("hyp", None))
    assert (found.ids, found.hypotheses) == (["line 1", "line 2"], ["hyp 1", "hyp 2"])


def test_keys_of_the_reference_go_before_those_of_the_hypothesis() -> None:
    references = texts("ref", "a b", [{"speaker": "x"}, {}])
    hypotheses = texts("hyp", "b a", [{"speaker": "z", "beam": "8"}, {"speaker": "y", "beam": "4"}])
    assert match(references, hypotheses).keys == [{"speaker": "x", "beam": "4"}, {"speaker": "z", "beam": "8"}]


def test_missing_ones_are_an_error_or_deleted() -> None:
    references, hypotheses = texts("ref", "a b c"), texts("hyp", "b")
    with pytest.raises(
        UserError, match=r"^hyp has no hypothesis for 2 \(`a`, `c`\) of 3 ids of ref; .*--missing delete"
    ):
        match(references, hypotheses)
    found = match(references, hypotheses, missing="delete")
    assert (found.hypotheses, found.missing) == (["", "hyp b", ""], ["a", "c"])


def test_extra_ones_are_an_error_or_left_out() -> None:
    references, hypotheses = texts("ref", "a"), texts("hyp", "a b c d e f g h")
    with pytest.raises(UserError, match=r"^ref has no reference for 7 \(`b`, .*`f`, \.\.\.\) of 8 .*--extra ignore"):
        match(references, hypotheses)
    found = match(references, hypotheses, extra="ignore")
    assert (found.ids, found.extra) == (["a"], list("bcdefgh"))


def test_unequal_counts_are_named() -> None:
    longer = Utterances(Path("hyp"), ["x"] * 1003)
    with pytest.raises(UserError, match=r"ref has 2 lines and hyp has 1,003"):
        match(texts("ref", None), longer)


def test_ids_on_one_side_only() -> None:
    with pytest.raises(UserError, match=r"hyp has ids and ref has none; .*--format text"):
        match(texts("ref", None), texts("hyp", "a"))
