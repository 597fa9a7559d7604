"""What this front-end, encoder and batch size make of the lengths: infeasible targets, outliers, padding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.check.counts import UNKNOWN, SplitCounts, robust_scores
from seqrec.check.findings import Findings
from seqrec.data.batching import FrameBatches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqrec.parts import Severity

OUTLYING = 6.0  # robust deviations
WASTEFUL = 0.3  # share of padding
_LEAST_SPREAD = 0.1  # of logarithms
_FEWEST = 30  # examples that can have outliers


@dataclass(frozen=True)
class Padding:
    """The batches of one epoch, longest first."""

    real: np.ndarray  # (batches,) frames of their examples
    padded: np.ndarray  # (batches,) frames with padding
    batches: list[list[int]]  # examples of each

    @property
    def share(self) -> float:
        """The share of frames that are padding."""
        return 1 - float(self.real.sum()) / max(float(self.padded.sum()), 1.0)


def feasible(split: SplitCounts) -> np.ndarray:
    """Return the examples whose frames are known and carry their target."""
    frames, outputs = split.column("frames"), split.column("output_frames")
    return np.flatnonzero((frames != UNKNOWN) & (outputs >= split.column("required_frames")))


def look_for_infeasible_targets(splits: Mapping[str, SplitCounts], infeasible: str, findings: Findings) -> None:
    """Name the examples with fewer frames than their target needs."""
    for split in splits.values():
        outputs, needs = split.column("output_frames"), split.column("required_frames")
        found = np.flatnonzero((outputs != UNKNOWN) & (outputs < needs))
        if not len(found):
            continue
        worst = found[np.argsort(outputs[found] - needs[found], kind="stable")]
        named = (f"`{split.id_of(i)}`: {outputs[i]} frames, needs {needs[i]}" for i in worst)
        mend = "lower encoder.stack_stride or encoder.strides, or the front-end's hop, or mend the transcripts"
        is_error = split.name == "train" and infeasible == "error"
        if is_error:
            mend += ", or set ctc.infeasible=skip"
        elif split.name != "train":
            mend += "; else they are scored as errors"
        severity: Severity = "error" if is_error else "warning"
        findings.add(severity, "a text too long for its frames", split.name, mend, named, len(found))


def look_for_outlying_lengths(splits: Mapping[str, SplitCounts], unit: str, findings: Findings) -> None:
    """Name the examples far longer or shorter than the others of their split."""
    for split in splits.values():
        chosen, sizes = split.inspected, split.sizes()
        chosen, sizes = chosen[sizes > 0], sizes[sizes > 0]
        if len(chosen) < _FEWEST:
            continue
        scores = robust_scores(np.log(sizes), _LEAST_SPREAD)
        outlying = np.flatnonzero(np.abs(scores) > OUTLYING)
        worst = outlying[np.argsort(-np.abs(scores[outlying]))]
        named_unit = "s" if split.has_seconds else unit
        usual = np.median(sizes)
        named = (f"`{split.id_of(chosen[i])}`: {sizes[i]:.3g} {named_unit}, {usual:.3g} are usual" for i in worst)
        if len(worst):
            mend = "look whether they are cut wrongly"
            findings.add("warning", "an outlying length", split.name, mend, named, len(worst))


def pad(train: SplitCounts, data: Mapping[str, Any], seed: int, findings: Findings) -> Padding:
    """Make the batches of the first epoch and name what is wasteful about them."""
    frames = train.column("frames")
    options = {key: data[key] for key in ("max_frames", "max_examples", "jitter") if key in data}
    batches = list(FrameBatches(frames, feasible(train), seed=seed, **options))
    batches.sort(key=lambda batch: -int(frames[batch].max()))
    real = np.array([int(frames[batch].sum()) for batch in batches])
    padded = np.array([len(batch) * int(frames[batch].max()) for batch in batches])
    padding = Padding(real, padded, batches)
    _look_for_long_examples(train, int(data.get("max_frames", 0)), findings)
    if padding.share > WASTEFUL:
        mend = "lower data.jitter, so that lengths of a batch are more alike"
        value = f"{100 * padding.share:.0f} % of the frames of an epoch"
        findings.add("warning", "much padding", train.name, mend, [value], len(batches))
    return padding


def _look_for_long_examples(train: SplitCounts, max_frames: int, findings: Findings) -> None:
    frames = train.column("frames")
    found = np.flatnonzero(frames > max_frames)
    if max_frames and len(found):
        worst = found[np.argsort(-frames[found], kind="stable")]
        named = (f"`{train.id_of(i)}`: {frames[i]} frames" for i in worst)
        what = "an example longer than a batch"
        mend = "each makes a batch of its own; raise data.max_frames if memory allows, or cut them"
        findings.add("warning", what, train.name, mend, named, len(found))
