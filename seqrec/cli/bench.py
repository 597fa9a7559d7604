"""`seqrec bench KIND`: how fast training, transcribing, decoding and reading data go on this machine."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.allocator import keep_memory
from seqrec.cli.ranks import is_first_rank
from seqrec.errors import UserError, did_you_mean
from seqrec.version import __version__

if TYPE_CHECKING:
    from seqrec.benchmark.results import Benchmark, Measurement

USAGE = """usage: seqrec bench KIND ... [--json FILE] [--against FILE] [--tolerance PERCENT]

Measures speed and memory on this machine, by turns where things are compared, and tells medians.

  seqrec bench train RECIPE [KEY=VALUE ...]     training steps: where their time goes, and what a bare loop takes
  seqrec bench data RECIPE [KEY=VALUE ...]      reading training batches, by the number of worker processes
  seqrec bench transcribe RUN [KEY=VALUE ...]   recognising, alone and in batches, by engine
  seqrec bench decode [RUN] [KEY=VALUE ...]     decoders, on one thread; without a run on synthetic log-probs
  seqrec bench KIND --help                      the options of each

  --json FILE           write the figures to a file, too
  --against FILE        compare with the file of an earlier benchmark; exit code 1 where a figure got worse. Another
                        machine or setting is compared all the same, and what differs is told
  --tolerance PERCENT   by which a figure may differ and still count as the same (10)
"""
TRAIN = """usage: seqrec bench train RECIPE [KEY=VALUE ...] [--steps N] [--json FILE] [--against FILE]

Takes training steps of a recipe, as `seqrec train` takes them, and tells examples and valid frames a second, the time
of each part of a step, padding, peak memory, and the share of a bare loop's speed over the same layers. Prepares the
corpus where it is missing. Overrides work as in `seqrec train`: trainer.precision=bf16-mixed, data.max_frames=16000.

  valid frames             those of examples, as they enter the encoder; padding is not counted as work done
  padding                  share of the padded batches that is no frame of an example: time that brings nothing
  bare loop                the same LSTM layers and CTC on ready tensors; 100 % of its speed: nothing is lost
  % of time                of a step, where it goes; data: waiting for batches, other: Lightning and callbacks
  peak memory              of the whole process, on a GPU of its tensors

  --steps N             training steps that are measured (30)
"""
DATA = """usage: seqrec bench data RECIPE [KEY=VALUE ...] [--steps N] [--json FILE] [--against FILE]

Reads, augments and collates training batches of a recipe without training, with 0, 1, 2 and 4 worker processes
(data.num_workers) as far as there are cores; a GPU waits for data where `bench train` tells more examples a second.

  opening and surveying    what `seqrec train` does before its first step, but for the first time with a corpus
  reading, N workers       what they keep up with; 0: the training process reads by itself, between steps
  padding                  share of an epoch's padded batches that is no frame of an example

  --steps N             batches that are read with each number of workers (30)
"""


@dataclass(frozen=True)
class Options:
    """What the command line says besides what is measured."""

    words: tuple[str, ...]  # recipe or run, and KEY=VALUE
    steps: int
    json: Path | None
    against: Path | None
    tolerance: float  # a fraction


@dataclass(frozen=True)
class Measured:
    """What a kind of benchmark gives."""

    about: dict[str, str]
    measurements: list[Measurement]


_FLAGS = {"--steps": "N", "--json": "FILE", "--against": "FILE", "--tolerance": "PERCENT"}
_STEPS = {"train": "30", "data": "30"}  # where none are given; kinds that measure recipes


def main(words: Sequence[str]) -> None:
    """Measure what is named first in `words`; exit with 1 where it got worse than what it is held against."""
    if not words or words[0] in ("-h", "--help"):
        print(USAGE, end="")
        return
    kind, *rest = words
    usages = {"train": TRAIN, "data": DATA, **_run_usages()}
    if kind not in usages:
        raise UserError(f"`{kind}` is nothing that bench measures{did_you_mean(kind, usages)}")
    if {"-h", "--help"} & set(rest) or (not rest and kind != "decode"):
        print(usages[kind], end="")
        return
    if kind == "train":
        keep_memory()  # as `seqrec train` does, before torch is loaded
    options = _parse(kind, rest)
    before = _read_before(kind, options)
    measured = _bench_recipe(kind, options) if kind in _STEPS else _bench_run(kind, options)
    if is_first_rank():
        _tell(kind, measured, before, options)


def _run_usages() -> dict[str, str]:
    from seqrec.cli.bench_runs import DECODE, TRANSCRIBE

    return {"transcribe": TRANSCRIBE, "decode": DECODE}


def _parse(kind: str, words: Sequence[str]) -> Options:
    """Take this verb's flags out of `words`: Hydra would not know them."""
    rest: list[str] = []
    found: dict[str, str] = {}
    flags = {name: value for name, value in _FLAGS.items() if name != "--steps" or kind in _STEPS}
    queue = deque(words)
    while queue:
        name, sign, value = queue.popleft().partition("=")
        if name not in flags:
            _refuse_flag(kind, name, flags)
            rest.append(name + sign + value)
        elif not sign and not queue:
            raise UserError(f"{name} needs a value, as in `{name} {flags[name]}`")
        else:
            found[name] = value if sign else queue.popleft()
    return Options(
        words=tuple(rest),
        steps=_steps(found.get("--steps", _STEPS.get(kind, "1"))),
        json=_output(found["--json"]) if "--json" in found else None,
        against=Path(found["--against"]) if "--against" in found else None,
        tolerance=_tolerance(found.get("--tolerance", "10")),
    )


def _refuse_flag(kind: str, name: str, flags: Sequence[str] | dict[str, str]) -> None:
    from seqrec.cli.compose import SWEEP_FLAGS

    if name in SWEEP_FLAGS:
        raise UserError("bench takes no sweep (-m); measure one setting after another, each with --json")
    if name.startswith("--") and name not in ("--cfg", "--info"):
        raise UserError(f"`{name}` is no option of bench {kind}{did_you_mean(name, flags)}")


def _output(name: str) -> Path:
    """Refuse a file that cannot be written, before time is spent."""
    path = Path(name)
    if path.is_dir():
        raise UserError(f"--json {name} is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise UserError(f"--json {name}: its folder does not exist; make it, or write elsewhere")
    return path


def _steps(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= 1_000_000:
        raise UserError(f"--steps {value} is not a whole number from 1 on")
    return int(value)


def _tolerance(value: str) -> float:
    try:
        percent = float(value)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 1000:
        raise UserError(f"--tolerance {value} is not a number of percent from 0 to 1,000")
    return percent / 100


def _read_before(kind: str, options: Options) -> Benchmark | None:
    """Read what the result is held against, before time is spent."""
    if options.against is None:
        return None
    from seqrec.benchmark.results import read_benchmark

    before = read_benchmark(options.against)
    if before.kind != kind:
        raise UserError(f"--against {options.against} is a benchmark of `{before.kind}`, not of `{kind}`; give another")
    return before


def _bench_recipe(kind: str, options: Options) -> Measured:
    from seqrec.cli.compose import run_recipe

    found: list[Measured] = []
    run_recipe(options.words, USAGE, lambda config: found.append(_measure_recipe(kind, config, options)))
    if not found:
        sys.exit(0)  # Hydra has shown the config instead
    return found[0]


def _measure_recipe(kind: str, config: dict[str, Any], options: Options) -> Measured:
    from seqrec.cli.compose import take_run_folder_away
    from seqrec.cli.prepare import prepare_shown
    from seqrec.progress import track

    take_run_folder_away()
    corpus = prepare_shown(config).folder
    bench: Callable[..., list[Measurement]]
    if kind == "train":
        from seqrec.benchmark.training import bench_training as bench
    else:
        from seqrec.benchmark.loading import bench_loading as bench
    overrides = " ".join(options.words[1:]) or "none"
    about = {"recipe": str(config["recipe"]), "overrides": overrides, "steps": str(options.steps)}
    return Measured(about, bench(config, corpus, options.steps, track))


def _bench_run(kind: str, options: Options) -> Measured:
    from seqrec.cli.bench_runs import decode, transcribe

    about, measurements = (decode if kind == "decode" else transcribe)(options.words)
    return Measured(about, measurements)


def _tell(kind: str, measured: Measured, before: Benchmark | None, options: Options) -> None:
    """Show the figures, write them, and hold them against `before`."""
    from rich.console import Console

    from seqrec.benchmark.machine import describe_machine
    from seqrec.benchmark.results import Benchmark, compare, write_benchmark
    from seqrec.cli.bench_table import about_lines, comparison_lines, result_table

    about = {**describe_machine(), "seqrec": __version__, **measured.about}
    now = Benchmark(kind, about, tuple(measured.measurements))
    comparison = compare(now, before, options.tolerance) if before else None
    console = Console(highlight=False, markup=False)
    for line in about_lines(now):
        console.print(line, soft_wrap=True)
    console.print(result_table(now, comparison))
    if options.json:
        write_benchmark(now, options.json)
        console.print(f"written to {options.json}", soft_wrap=True)
    if comparison is None:
        return
    for line in comparison_lines(comparison, str(options.against)):
        console.print(line, soft_wrap=True)
    if not comparison.changes:
        raise UserError(f"--against {options.against} measured nothing that was measured now; give another")
    if comparison.worse:
        sys.exit(1)
