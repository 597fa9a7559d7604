"""Benchmarks: written and read back, compared, and whatever a file may hold instead."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.benchmark.results import Benchmark, Measurement, compare, read_benchmark, write_benchmark
from seqrec.errors import UserError

SPEED = Measurement("reading", 200.0, "examples/s", True)
LATENCY = Measurement("latency", 10.0, "ms", False)
PADDING = Measurement("padding", 15.0, "%", None)


def benchmark(*measurements: Measurement, kind: str = "data", **about: str) -> Benchmark:
    return Benchmark(kind, {"threads": "2", "date": "today", **about}, measurements)


def scaled(one: Measurement, factor: float) -> Measurement:
    return Measurement(one.name, one.value * factor, one.unit, one.higher_is_better)


texts = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None)  # it writes files
@given(
    st.dictionaries(texts, texts, max_size=4),
    st.lists(
        st.builds(Measurement, texts, st.floats(0, 1e300), texts, st.sampled_from([True, False, None])),
        max_size=4,
        unique_by=lambda one: (one.name, one.unit),
    ),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, about: dict[str, str], measurements: list[Measurement]
) -> None:
    path = tmp_path_factory.mktemp("bench") / "b.json"
    one = Benchmark("decode", about, tuple(measurements))
    write_benchmark(one, path)
    assert read_benchmark(path) == one


def test_no_file_gets_what_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_benchmark(benchmark(scaled(SPEED, math.nan)), tmp_path / "b.json")


@pytest.mark.parametrize(
    ("one", "factor", "verdict"),
    [
        (SPEED, 0.9, "worse"),  # a tenth less is 1 / 1.11 as fast
        (SPEED, 0.92, "same"),
        (SPEED, 1.09, "same"),
        (SPEED, 1.12, "better"),
        (SPEED, 0.0, "worse"),
        (LATENCY, 1.12, "worse"),
        (LATENCY, 1.09, "same"),
        (LATENCY, 0.89, "better"),
        (LATENCY, 0.0, "better"),
        (PADDING, 7.0, "same"),
    ],
)
def test_what_got_worse_and_better(one: Measurement, factor: float, verdict: str) -> None:
    found = compare(benchmark(scaled(one, factor)), benchmark(one))
    assert [len(found.worse), len(found.better)] == [verdict == "worse", verdict == "better"]


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 10))
def test_worse_one_way_is_better_the_other(now: float, before: float, tolerance: float) -> None:
    for better in (True, False):
        a, b = (benchmark(Measurement("x", value, "s", better)) for value in (now, before))
        forth, back = compare(a, b, tolerance), compare(b, a, tolerance)
        assert len(forth.worse) == len(back.better)
        assert len(forth.worse) + len(forth.better) <= (now != before)
        if now < before / (1 + tolerance) * 0.999:
            assert len(forth.worse if better else forth.better) == 1


def test_a_tolerance() -> None:
    before, now = benchmark(SPEED), benchmark(scaled(SPEED, 0.6))
    assert compare(now, before, 0.5).worse
    assert not compare(now, before, 0.7).worse


def test_what_differs_and_what_was_not_measured_twice() -> None:
    found = compare(
        benchmark(SPEED, PADDING, threads="4", commit="b", seqrec="2"),
        benchmark(LATENCY, PADDING, commit="a", gpus="none"),
    )
    assert found.differences == ("threads: 4, before 2", "gpus: not told, before none")
    assert (found.only_now, found.only_before) == ((SPEED,), (LATENCY,))
    assert [change.now for change in found.changes] == [PADDING]


def test_figures_of_different_units_are_not_the_same() -> None:
    minutes = Measurement("latency", 10.0, "min", False)
    assert not compare(benchmark(minutes), benchmark(LATENCY)).changes


def test_kinds_are_not_mixed() -> None:
    with pytest.raises(UserError, match="`decode` is no measure for one of `data`"):
        compare(benchmark(SPEED), benchmark(SPEED, kind="decode"))


def content(**changes: Any) -> dict[str, Any]:
    measured = {"name": "a", "value": 1, "unit": "s", "higher_is_better": None}
    of_measurement = {key: changes.pop(key) for key in list(changes) if key in measured}
    one = {"format": 1, "kind": "data", "about": {"x": "y"}, "measurements": [{**measured, **of_measurement}]}
    return {**one, **changes}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no benchmark"),
        (b"\xff\xfe", "no benchmark"),
        (b"[" * 100_000, "no benchmark"),
        (b"[1]", "no `measurements`"),
        (b'{"measurements": 3}', "no `measurements`"),
        (b" " * (1 << 20) + b"{}", "over 1 MiB"),
        (content(format=2), "format is 2, this seqrec reads 1"),
        (content(kind="x"), "kind is 'x', none of train, "),
        (content(kind=["data"]), "kind is"),
        (content(about=None), "`about` is missing"),
        (content(about={"x": 3}), "`x` is 3, no string"),
        (content(about={"x": "y" * 501}), "`x` is 'yyy"),
        (content(about={"x" * 501: "y"}), "no string of at most 500"),
        (content(measurements=[3]), "measurement 1 is a int"),
        (content(measurements=2 * content()["measurements"]), "comes twice"),
        (content(name=None), "measurement 1: `name` is None"),
        (content(unit={}), "measurement 1: `unit` is {}"),
        (content(value="1"), "`value` is '1', no number"),
        (content(value=True), "`value` is True"),
        (content(value=-1), "`value` is -1"),
        (content(value=math.nan), "`value` is nan"),
        (content(value=math.inf), "`value` is inf"),
        (content(value=10**400), "`value` is 1000"),
        (content(higher_is_better=1), "`higher_is_better` is 1"),
    ],
)
def test_files_that_are_no_benchmark(tmp_path: Path, data: bytes | dict[str, Any], reason: str) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    with pytest.raises(UserError) as caught:
        read_benchmark(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} is no benchmark (")
    assert reason in sentence
    assert len(sentence) < 400 + len(str(path))


def test_the_sample_of_those_is_one(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps(content()))
    assert read_benchmark(path) == Benchmark("data", {"x": "y"}, (Measurement("a", 1.0, "s", None),))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "b.json", tmp_path):
        with pytest.raises(UserError, match="does not exist; `seqrec bench KIND"):
            read_benchmark(path)


@settings(deadline=None)  # it writes files
@given(st.binary(max_size=30), st.integers(0, 200))
def test_a_damaged_file_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, damage: bytes, place: int) -> None:
    data = json.dumps(content()).encode()
    path = tmp_path_factory.mktemp("bench") / "b.json"
    path.write_bytes(data[:place] + damage + data[place + len(damage) :])
    try:
        found = read_benchmark(path)
    except UserError:
        return
    assert all(math.isfinite(one.value) and one.value >= 0 for one in found.measurements)
