"""What a benchmark measured: written to JSON, read back, and compared with an earlier one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

from seqrec.errors import UserError

KINDS = ("train", "transcribe", "decode", "data")
_FORMAT = 1
_MOST_BYTES = 1 << 20  # of a file
_LONGEST = 500  # characters of a name or a value
_OF_A_RUN = ("date", "seqrec", "commit")  # what two benchmarks differ in that are compared because of it


@dataclass(frozen=True)
class Measurement:
    """One figure of a benchmark; its name and unit together are unlike the others'."""

    name: str
    value: float  # finite, 0 or more
    unit: str
    higher_is_better: bool | None  # None: only told, such as the share of padding


@dataclass(frozen=True)
class Benchmark:
    """Figures of one run of `seqrec bench`."""

    kind: str  # one of KINDS
    about: Mapping[str, str]  # recipe or run, machine, threads, versions, date, commit
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Change:
    """A figure that was measured twice."""

    now: Measurement
    before: Measurement

    @property
    def times_as_good(self) -> float | None:
        """How many times as good it is now: 2 where a rate doubled or a time halved; None where neither is better."""
        if self.now.higher_is_better is None:
            return None
        values = (self.now.value, self.before.value)
        better, worse = values if self.now.higher_is_better else reversed(values)
        if better == worse:
            return 1.0
        return better / worse if worse else inf


@dataclass(frozen=True)
class BenchmarkComparison:
    """A benchmark beside an earlier one of its kind."""

    changes: tuple[Change, ...]  # what was measured both times, in the order of now
    only_now: tuple[Measurement, ...]
    only_before: tuple[Measurement, ...]
    differences: tuple[str, ...]  # of what they ran on, such as `threads: 2, before 4`
    tolerance: float  # a fraction

    @property
    def worse(self) -> tuple[Change, ...]:
        """What got slower, or takes more memory, beyond the tolerance."""
        return self._changed(lambda times: times < 1 / (1 + self.tolerance))

    @property
    def better(self) -> tuple[Change, ...]:
        """What got faster, or takes less memory, beyond the tolerance."""
        return self._changed(lambda times: times > 1 + self.tolerance)

    def _changed(self, is_so: Callable[[float], bool]) -> tuple[Change, ...]:
        rated = ((change, change.times_as_good) for change in self.changes)
        return tuple(change for change, times in rated if times is not None and is_so(times))


def compare(now: Benchmark, before: Benchmark, tolerance: float = 0.1) -> BenchmarkComparison:
    """Compare two benchmarks of a kind.

    Args:
        now: the later one.
        before: the earlier one.
        tolerance: by how much a figure may be worse or better and still count as the same, a fraction.

    Raises:
        UserError: they are of different kinds.
    """
    if now.kind != before.kind:
        raise UserError(f"a benchmark of `{before.kind}` is no measure for one of `{now.kind}`; give one of its kind")
    old = {(one.name, one.unit): one for one in before.measurements}
    new = {(one.name, one.unit): one for one in now.measurements}
    changes = tuple(Change(one, old[key]) for key, one in new.items() if key in old)
    return BenchmarkComparison(
        changes=changes,
        only_now=tuple(one for key, one in new.items() if key not in old),
        only_before=tuple(one for key, one in old.items() if key not in new),
        differences=tuple(_differences(now.about, before.about)),
        tolerance=tolerance,
    )


def _differences(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    names = [name for name in dict.fromkeys((*now, *before)) if name not in _OF_A_RUN]
    return [
        f"{name}: {now.get(name, 'not told')}, before {before.get(name, 'not told')}"
        for name in names
        if now.get(name) != before.get(name)
    ]


def write_benchmark(benchmark: Benchmark, path: Path) -> None:
    """Write a benchmark as JSON."""
    content = {
        "format": _FORMAT,
        "kind": benchmark.kind,
        "about": dict(benchmark.about),
        "measurements": [asdict(one) for one in benchmark.measurements],
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_benchmark(path: Path) -> Benchmark:
    """Read what `write_benchmark` wrote.

    Raises:
        UserError: the file is missing, or no benchmark.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist; `seqrec bench KIND ... --json {path}` writes a benchmark")
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ValueError(f"it has over {_MOST_BYTES >> 20} MiB")
        return _benchmark(json.loads(data.decode("utf-8")))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is no benchmark ({reason}); give a file of `seqrec bench ... --json`") from None


def _benchmark(content: Any) -> Benchmark:
    """Check what was read; a ValueError says what is wrong."""
    if not isinstance(content, dict) or not isinstance(content.get("measurements"), list):
        raise ValueError("it holds no `measurements`")
    if content.get("format") != _FORMAT:
        raise ValueError(f"its format is {content.get('format')!r:.50}, this seqrec reads {_FORMAT}")
    kind = content.get("kind")
    if kind not in KINDS:
        raise ValueError(f"its kind is {kind!r:.50}, none of {', '.join(KINDS)}")
    about = content.get("about")
    if not isinstance(about, dict):
        raise ValueError("`about` is missing")
    measurements = tuple(_measurement(one, number) for number, one in enumerate(content["measurements"], 1))
    if len({(one.name, one.unit) for one in measurements}) < len(measurements):
        raise ValueError("a measurement comes twice")
    return Benchmark(kind, {name: _text(about, name) for name in about}, measurements)


def _measurement(content: Any, number: int) -> Measurement:
    if not isinstance(content, dict):
        raise ValueError(f"measurement {number} is a {type(content).__name__}")
    try:
        name, unit = _text(content, "name"), _text(content, "unit")
    except ValueError as error:
        raise ValueError(f"measurement {number}: {error}") from None
    value, better = content.get("value"), content.get("higher_is_better", "missing")
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not _is_amount(value):
        raise ValueError(f"measurement {number}: `value` is {value!r:.50}, no number from 0 on")
    if better is not None and not isinstance(better, bool):
        raise ValueError(f"measurement {number}: `higher_is_better` is {better!r:.50}, not true, false or null")
    return Measurement(name, float(value), unit, better)


def _is_amount(value: float) -> bool:
    try:
        return isfinite(value) and value >= 0
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or max(len(value), len(name)) > _LONGEST:
        raise ValueError(f"`{name:.50}` is {value!r:.50}, no string of at most {_LONGEST} characters")
    return value
