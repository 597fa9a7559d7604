"""Works are called by turns, and a first round does not count."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from seqrec.benchmark.rounds import by_turns


def test_by_turns() -> None:
    calls: list[str] = []
    titles: list[str] = []

    def work(name: str) -> Callable[[], int]:
        numbers = count()

        def run() -> int:
            calls.append(name)
            return next(numbers)

        return run

    found = by_turns(
        {"a": work("a"), "b": work("b")}, 3, lambda items, title: (titles.append(title), items)[1], "measuring"
    )
    assert found == {"a": [1, 2, 3], "b": [1, 2, 3]}
    assert "".join(calls) == "abababab"
    assert titles == ["measuring"]
