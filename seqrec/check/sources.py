"""Reading every row and its source, in processes beside one another: what each of them tells, in order."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from seqrec.checkpoint import build_parts
from seqrec.corpora.parallel import in_processes
from seqrec.ctc.feasibility import required_frames
from seqrec.data.dataset import ManifestDataset
from seqrec.errors import UserError
from seqrec.parts import Inspection, Problem
from seqrec.sequence import pad_signals
from seqrec.share import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from seqrec.manifest import Row
    from seqrec.recognizer import Recognizer
    from seqrec.text.tokens import Symbol

_CHUNK = 16  # rows looked at together


@dataclass(frozen=True)
class Task:
    """What a process must know to look at the rows of a manifest; hashable."""

    manifest: Path
    config: str  # JSON of the recipe's config, or of its reader and text alone
    symbols: tuple[Symbol, ...]  # of the tokenizer; none: not known
    stamp: tuple[int, int]  # bytes and time of the manifest, lest one that has changed be taken for the same
    step: int  # every how many rows a source is opened

    @classmethod
    def of(cls, manifest: Path, config: Mapping[str, Any], symbols: tuple[Symbol, ...], step: int = 1) -> Task:
        """Make the task of a config."""
        status = manifest.stat()
        return cls(manifest, json.dumps(config), symbols, (status.st_size, status.st_mtime_ns), step)


@dataclass(frozen=True)
class Look:
    """What one line of a manifest tells."""

    line: int  # from 1
    is_row: bool = True  # False: all but `line` and `failure` is empty
    id: str = ""
    text: str = ""
    person: str | None = None
    symbols: tuple[str, ...] = ()  # of the normalised text, in order; strangers to the alphabet come last
    failure: Problem | None = None  # why there is no such example to train on
    inspection: Inspection | None = None  # None: not opened, or not readable
    required_frames: int = 0  # fewest T' that carry the target
    frames: int | None = None  # T
    output_frames: int | None = None  # T'


@dataclass(frozen=True)
class _Opened:
    dataset: ManifestDataset
    recognizer: Recognizer | None


def look_at_rows(task: Task, num_rows: int, workers: int | None) -> Iterator[Look]:
    """Yield what each of the rows tells, in order; sources are opened by `workers` processes."""
    chunks = [range(start, min(start + _CHUNK, num_rows)) for start in range(0, num_rows, _CHUNK)]
    for looks in in_processes(partial(_look_at, task), chunks, workers, chunk=1):
        yield from looks


@lru_cache(maxsize=4)
def _open(task: Task) -> _Opened:
    if multiprocessing.parent_process() is not None:
        torch.set_num_threads(1)  # there are as many processes as cores
    config = json.loads(task.config)
    config["text"]["unknown"] = "drop"  # strangers are counted apart
    if "encoder" in config:
        parts = build_parts(config, task.symbols)
        return _Opened(ManifestDataset(task.manifest, parts.reader, parts.tokenizer), parts.recognizer)
    reader = build(config["reader"], "reader")
    tokenizer = build({**config["text"], "symbols": list(task.symbols)}, "text")
    return _Opened(ManifestDataset(task.manifest, reader, tokenizer), None)


def _look_at(task: Task, indices: range) -> list[Look]:
    opened = _open(task)
    looks, rows = [], []
    for index in indices:
        try:
            row = opened.dataset.manifest[index]
        except UserError as error:
            looks.append(Look(index + 1, is_row=False, failure=_no_row(str(error), opened.dataset.manifest.path)))
            continue
        rows.append((len(looks), row))
        looks.append(_look(opened, row, index, is_inspected=index % task.step == 0))
    if opened.recognizer is not None:
        _add_frames(looks, rows, opened)
    return looks


def _no_row(message: str, path: Path) -> Problem:
    value = message.removeprefix(f"{path}:").partition(": ")[2].rpartition("; ")[0]
    return Problem("a line that is no row", "error", value, "mend or drop the line")


def _look(opened: _Opened, row: Row, index: int, is_inspected: bool) -> Look:
    dataset = opened.dataset
    tokens = dataset.tokenizer.encode(row.text, row.id)
    look = Look(
        line=index + 1,
        id=row.id,
        text=row.text,
        person=row.person,
        symbols=_symbols(dataset, row, tokens),
        required_frames=required_frames(tokens),
    )
    try:
        promised = dataset.reader.signal_length(row)
    except UserError as error:
        promised = None
        look = replace(look, failure=_failure("a row without a length", error, row, dataset))
    if not is_inspected:
        return look
    try:
        inspection = dataset.reader.inspect(row, dataset.folder)
    except (UserError, OSError) as error:
        return replace(look, failure=_failure(_kind(dataset, row), error, row, dataset))
    if promised is not None and inspection.length != promised:
        unit = dataset.reader.length_unit
        value = f"its signal has {inspection.length} {unit}, its row promises {promised}"
        look = replace(look, failure=Problem("a source unlike its row", "error", value, "prepare the corpus again"))
    return replace(look, inspection=inspection)


def _symbols(dataset: ManifestDataset, row: Row, tokens: list[int]) -> tuple[str, ...]:
    tokenizer = dataset.tokenizer
    if not tokenizer.symbols:  # a manifest without a recipe or a training text
        return tuple(tokenizer.normalise(row.text))
    return (*(tokenizer.symbols[token - 1] for token in tokens), *tokenizer.strangers(row.text))


def _kind(dataset: ManifestDataset, row: Row) -> str:
    """Say what kind of failure a source is that cannot be read."""
    source = row.fields.get(dataset.reader.source_key)
    if isinstance(source, str) and not dataset.shards:
        path = os.path.join(dataset.folder, source)
        if not os.path.exists(path):  # unlike pathlib's, false for names that no file can have
            return "a missing file"
        if os.path.isfile(path) and os.path.getsize(path) == 0:
            return "an empty file"
    return "an unreadable source"


def _failure(name: str, error: UserError | OSError, row: Row, dataset: ManifestDataset) -> Problem:
    message = str(error).removeprefix(f"example `{row.id}`: ").replace(f"{dataset.folder}/", "")
    sentence, _, mend = message.rpartition("; ") if "; " in message else (message, "", "")
    return Problem(name, "error", sentence, mend or "mend or drop the row")


def _add_frames(looks: list[Look], rows: list[tuple[int, Row]], opened: _Opened) -> None:
    """Put the frames of the examples into `looks`, those whose sources must be read only where they were inspected."""
    recognizer, reader = opened.recognizer, opened.dataset.reader
    assert recognizer is not None
    by_content = recognizer.frontend.length_depends_on_content
    good = [(at, row) for at, row in rows if looks[at].failure is None and (looks[at].inspection or not by_content)]
    if not good:
        return
    signals: Tensor | None = None
    if by_content:
        signals, lengths = pad_signals([reader.read(row, opened.dataset.folder) for _, row in good])
    else:
        lengths = torch.tensor([reader.signal_length(row) for _, row in good])
    frames = recognizer.frame_lengths(signals, lengths)
    outputs = recognizer.output_lengths(frames)
    for (at, _), before, after in zip(good, frames.tolist(), outputs.tolist(), strict=True):
        looks[at] = replace(looks[at], frames=before, output_frames=after)
