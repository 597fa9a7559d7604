"""`seqrec check RECIPE` or `MANIFEST`: everything wrong with the data, all at once, before an hour is spent."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.cli.compose import SWEEP_FLAGS, run_recipe, take_run_folder_away
from seqrec.cli.recipe_names import list_recipes
from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.check.corpus import Corpus

USAGE = """usage: seqrec check RECIPE [KEY=VALUE ...] [--html PATH] [--format table|json]
       seqrec check MANIFEST|FOLDER [reader=audio|ink] [--html PATH] [--format table|json]

Reads all data of a recipe (prepared first where it is missing), of a manifest, or of a folder of manifest-SPLIT.jsonl,
and says everything that is wrong with it; with a recipe also what its model makes of it, and what an epoch will cost.
Exit code 0: nothing is wrong, warnings aside; 1: something is; 2: a mistake in the command.

  --html PATH         write a page with plots and ten drawn examples, too
  --format json       print all of it for programs
  --limit N           open only N sources of each split, evenly spread; texts and ids are always read in full
  --workers N         processes that read; as many as there are cores where it is left out
  --measure SECONDS   how long to measure training steps (20); 0: not at all
"""
FLAGS = {"--html": "PATH", "--format": "json", "--limit": "N", "--workers": "N", "--measure": "SECONDS"}


@dataclass(frozen=True)
class Options:
    """What the command line says besides a recipe's overrides."""

    words: tuple[str, ...]  # the recipe or path, and KEY=VALUE
    html: Path | None = None
    format: str = "table"
    limit: int | None = None
    workers: int | None = None
    measure: float = 20.0  # seconds


def main(words: Sequence[str]) -> None:
    """Check, show, and exit with 1 where something is wrong."""
    if not words or {"-h", "--help"} & set(words):
        print(USAGE, end="")
        return
    options = _parse(words)
    if SWEEP_FLAGS & set(options.words):
        raise UserError("check takes no sweep (-m); check one setting after another")
    results: list[bool] = []
    if options.words and _is_data(options.words[0]):
        results.append(_check_path(options))
    else:
        run_recipe(options.words, USAGE, lambda config: results.append(_check_recipe(config, options)))
    if not all(results):
        sys.exit(1)


def _is_data(word: str) -> bool:
    return word.endswith(".jsonl") or (Path(word).is_dir() and word not in list_recipes())


def _parse(words: Sequence[str]) -> Options:
    """Take this verb's flags out of `words`: Hydra would not know them."""
    rest: list[str] = []
    found: dict[str, str] = {}
    queue = deque(words)
    while queue:
        name, sign, value = queue.popleft().partition("=")
        if name not in FLAGS:
            rest.append(name + sign + value)
        elif not sign and not queue:
            raise UserError(f"{name} needs a value, as in `{name} {FLAGS[name]}`")
        else:
            found[name.removeprefix("--")] = value if sign else queue.popleft()
    output = found.get("format", "table")
    if output not in ("table", "json"):
        raise UserError(f"--format {output} is neither table nor json")
    return Options(
        words=tuple(rest),
        html=Path(found["html"]) if "html" in found else None,
        format=output,
        limit=_count("limit", found),
        workers=_count("workers", found),
        measure=_seconds(found.get("measure", "20")),
    )


def _count(name: str, found: Mapping[str, str]) -> int | None:
    if name not in found:
        return None
    if not found[name].isdecimal() or int(found[name]) < 1:
        raise UserError(f"--{name} {found[name]} is not a whole number from 1 on")
    return int(found[name])


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise UserError(f"--measure {value} is not a number of seconds from 0 to 3600")
    return seconds


def _check_path(options: Options) -> bool:
    from seqrec.check.corpus import corpus_of_path

    path, *rest = options.words
    reader = None
    for word in rest:
        key, sign, value = word.partition("=")
        if key != "reader" or not sign:
            raise UserError(f"`{word}`: beside a manifest only reader=NAME is taken; overrides need a recipe")
        reader = value
    return _check(corpus_of_path(Path(path), reader), options)


def _check_recipe(config: dict[str, Any], options: Options) -> bool:
    from seqrec.check.corpus import corpus_of_recipe
    from seqrec.cli.prepare import prepare_shown

    take_run_folder_away()
    return _check(corpus_of_recipe(config, prepare_shown(config)), options)


def _check(corpus: Corpus, options: Options) -> bool:
    from rich.console import Console

    from seqrec.check.checking import Effort, check
    from seqrec.check.report import show, to_json
    from seqrec.progress import console, track

    if options.html:
        from seqrec.report.pictures import need_matplotlib

        need_matplotlib("--html")
    result = check(corpus, Effort(options.limit, options.workers, options.measure), track)
    if options.format == "json":
        print(json.dumps(to_json(result), ensure_ascii=False, indent=2))
    else:
        show(result, Console())
    if options.html:
        from seqrec.check.html import write_check

        write_check(result, options.html)
        console.print(f"page: {options.html}", soft_wrap=True, highlight=False)
    return result.is_good
