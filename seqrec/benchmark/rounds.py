"""Measuring several things by turns, so that what else the machine does falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

Result = TypeVar("Result")
Track = Callable[[Iterable[Any], str], Iterable[Any]]  # shows progress under a title


def by_turns(
    works: Mapping[str, Callable[[], Result]], rounds: int, track: Track, title: str
) -> dict[str, list[Result]]:
    """Call each of `works` once a round and return the results of each, by its name.

    A first round is not counted: it compiles, and takes the memory that later ones have.
    """
    found: dict[str, list[Result]] = {name: [] for name in works}
    for number, name in track([(number, name) for number in range(rounds + 1) for name in works], title):
        result = works[name]()
        if number:
            found[name].append(result)
    return found
