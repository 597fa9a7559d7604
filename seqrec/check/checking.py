"""The whole check of a corpus: every row read once, every look taken, all findings together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from seqrec.check.corpus import Corpus
from seqrec.check.cost import Cost, Trial, measure_apart, project, representative
from seqrec.check.counts import UNKNOWN, SplitCounts
from seqrec.check.feasibility import Padding, look_for_infeasible_targets, look_for_outlying_lengths, pad
from seqrec.check.findings import Finding, Findings
from seqrec.check.left_out import look_for_left_out
from seqrec.check.sources import Task, look_at_rows
from seqrec.check.splits import (
    look_for_duplicate_ids,
    look_for_mixed_traits,
    look_for_same_sources,
    look_for_same_texts,
    look_for_shared_people,
)
from seqrec.check.texts import look_for_outlying_texts, look_for_rare_symbols, problems_of, stranger_problem
from seqrec.data.dataset import ManifestDataset
from seqrec.share import build

if TYPE_CHECKING:
    from seqrec.ctc.loss import CTCLoss
    from seqrec.parts import Reader, Tokenizer
    from seqrec.text.tokens import Symbol

Item = TypeVar("Item")


class Track(Protocol):
    """Shows progress."""

    def __call__(self, items: Iterable[Item], title: str, total: int | None = None) -> Iterable[Item]:
        """Pass `items` on, showing under `title` how many of `total` are done."""
        ...


@dataclass(frozen=True)
class Effort:
    """How much to look at."""

    limit: int | None = None  # sources to open in each split, None: all
    workers: int | None = None  # processes, None: one for each core
    seconds: float = 20.0  # of measuring; 0: none


@dataclass(frozen=True)
class Check:
    """What was found."""

    corpus: Corpus
    findings: tuple[Finding, ...]
    splits: Mapping[str, SplitCounts]
    reader: Reader
    padding: Padding | None = None  # of train; None without a recipe
    cost: Cost | None = None  # None where nothing was measured

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong; warnings are allowed."""
        return all(finding.severity != "error" for finding in self.findings)

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def check(corpus: Corpus, effort: Effort, track: Track) -> Check:
    """Look at everything.

    Raises:
        UserError: a part of the recipe cannot be built, or a manifest is missing or empty.
    """
    findings = Findings()
    reader: Reader = build(corpus.config["reader"], "reader")
    splits: dict[str, SplitCounts] = {}
    symbols = corpus.symbols
    for name in corpus.manifests:
        splits[name] = _count(name, corpus, reader, symbols, effort, track, findings)
        if name == "train":
            symbols = symbols or tuple(sorted(splits[name].symbols))
    _compare(splits, corpus, reader.length_unit, findings)
    if corpus.prepared:
        look_for_left_out(corpus.prepared, findings)
    padding, cost = None, None
    if corpus.has_recipe:
        padding = _look_at_frames(splits, corpus.config, findings)
        if effort.seconds > 0 and padding.batches:
            cost = _measure(splits, corpus, padding, effort.seconds, track, findings)
    return Check(corpus, findings.listed(), splits, reader, padding, cost)


def _count(
    name: str,
    corpus: Corpus,
    reader: Reader,
    symbols: tuple[Symbol, ...],
    effort: Effort,
    track: Track,
    findings: Findings,
) -> SplitCounts:
    """Go through the rows of a split once."""
    path, text = corpus.manifests[name], corpus.config["text"]
    tokenizer: Tokenizer = build({**text, "symbols": list(symbols), "unknown": "drop"}, "text")
    counts = SplitCounts(name, ManifestDataset(path, reader, tokenizer))
    num_rows = len(counts.manifest)
    step = -(-num_rows // effort.limit) if effort.limit else 1
    task = Task.of(path, corpus.config, symbols, step)
    looks = look_at_rows(task, num_rows, effort.workers)
    for look in track(looks, f"checking {name}", num_rows):
        if look.failure:
            findings.add_problem(look.failure, name, look.id if look.is_row else f"line {look.line}")
        if not look.is_row:
            continue
        counts.add(look, tokenizer.normalise(look.text))
        for problem in (*problems_of(look.text, tokenizer), *(look.inspection.problems if look.inspection else ())):
            findings.add_problem(problem, name, look.id)
        stranger = stranger_problem(look.text, tokenizer, text.get("unknown", "error")) if symbols else None
        if stranger:
            findings.add_problem(stranger, name, look.id)
    if effort.limit and step > 1:
        value = f"{len(range(0, num_rows, step))} of {num_rows}"
        findings.add("note", "only some sources were opened", name, "leave --limit out to open all", [value])
    return counts


def _compare(splits: Mapping[str, SplitCounts], corpus: Corpus, unit: str, findings: Findings) -> None:
    """Take the looks at whole splits."""
    look_for_duplicate_ids(splits, findings)
    look_for_same_sources(splits, findings)
    look_for_shared_people(splits, corpus.shared_people, findings)
    look_for_same_texts(splits, findings)
    look_for_mixed_traits(splits, findings)
    look_for_rare_symbols(next(iter(splits.values())), findings)
    look_for_outlying_texts(splits, unit, findings)
    look_for_outlying_lengths(splits, unit, findings)


def _look_at_frames(splits: Mapping[str, SplitCounts], config: Mapping[str, Any], findings: Findings) -> Padding:
    ctc: CTCLoss = build(config["ctc"], "ctc")
    for part in ("decoder", "schedule"):
        build(config[part], part)  # mistakes in the config show now, too
    look_for_infeasible_targets(splits, ctc.infeasible, findings)
    return pad(splits["train"], config["data"], config["seed"], findings)


def _measure(
    splits: Mapping[str, SplitCounts],
    corpus: Corpus,
    padding: Padding,
    seconds: float,
    track: Track,
    findings: Findings,
) -> Cost | None:
    train, dev = splits["train"], splits.get("dev")
    lines = train.column("lines")
    batches = [[int(lines[i]) - 1 for i in padding.batches[batch]] for batch in representative(padding.padded)]
    trial = Trial(corpus.config, corpus.symbols, train.manifest.path, batches, seconds)
    (measured,) = (measure_apart(trial) for trial in track([trial], "measuring training steps", 1))
    if measured is None:
        mend = "lower data.max_frames or the encoder's size"
        findings.add("error", "a training step that takes too much memory", "train", mend, ["the system ended it"])
        return None
    if not measured.is_finite:
        mend = "lower optimizer.lr, or look at the longest examples"
        findings.add("error", "a loss that is infinite or no number", "train", mend, ["in the first training steps"])
    return project(measured, _all_frames(train, int(padding.padded.sum())), _all_frames(dev), corpus.config)


def _all_frames(split: SplitCounts | None, known: int | None = None) -> int:
    """Return the frames of a split; those `known`, of all its examples with frames, are scaled up to all examples."""
    if split is None or not len(split):
        return 0
    frames = split.column("frames")
    has_frames = frames != UNKNOWN
    known = int(frames[has_frames].sum()) if known is None else known
    return int(known / max(has_frames.mean(), 1 / len(split)))
