"""A look over a split before training: each example's frames, and whether its target fits into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from seqrec.ctc.feasibility import required_frames
from seqrec.data.dataset import ManifestDataset
from seqrec.manifest import Manifest
from seqrec.recognizer import Recognizer
from seqrec.sequence import pad_signals

_CHUNK = 64  # signals looked at together
_LONG_CHUNK = 1 << 16  # lengths computed together
Track = Callable[[Iterable[int]], Iterable[int]]  # shows progress over chunks


@dataclass(frozen=True)
class Survey:
    """What batching and the CTC loss must know of a split; one entry an example."""

    manifest: Manifest
    frames: np.ndarray  # (examples,) T, frames that enter the encoder
    output_frames: np.ndarray  # (examples,) T', frames that leave it
    required_frames: np.ndarray  # (examples,) fewest T' that carry the target

    @property
    def infeasible(self) -> np.ndarray:
        """The indices of examples whose target no alignment fits: frames < labels + repeats."""
        return np.flatnonzero(self.output_frames < self.required_frames)

    def explain(self, limit: int = 5) -> str:
        """Name the infeasible examples, at most `limit` of them."""
        named = [
            f"`{self.manifest[int(i)].id}` ({self.output_frames[i]} frames, needs {self.required_frames[i]})"
            for i in self.infeasible[:limit]
        ]
        more = len(self.infeasible) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")


def survey(dataset: ManifestDataset, recognizer: Recognizer, track: Track = iter) -> Survey:
    """Measure each example.

    Sources are read only where the front-end's frames depend on their content, and rows only where the manifest has no
    index for this tokenizer. Where reading means parsing, signals are kept from now on.
    """
    needs = _required_frames(dataset, track)
    dataset.keep_signals(track)
    frames, outputs = np.empty((2, len(dataset)), np.int32)
    start = 0
    for lengths in _frame_lengths(dataset, recognizer, track):
        end = start + len(lengths)
        frames[start:end] = lengths.numpy()
        outputs[start:end] = recognizer.output_lengths(lengths).numpy()
        start = end
    return Survey(dataset.manifest, frames, outputs, needs)


def _required_frames(dataset: ManifestDataset, track: Track) -> np.ndarray:
    known = dataset.manifest.target_numbers(dataset.tokenizer)
    if known is None:
        chunks = track(range(0, len(dataset), _CHUNK))
        rows = (dataset.manifest[index] for start in chunks for index in _chunk(dataset, start))
        return np.array([required_frames(dataset.encode(row)) for row in rows])
    if dataset.tokenizer.unknown == "error":
        for index in np.flatnonzero(known.strangers)[:1]:
            dataset.encode(dataset.manifest[int(index)])  # raises, and names them
    return known.required_frames


def _frame_lengths(dataset: ManifestDataset, recognizer: Recognizer, track: Track) -> Iterator[torch.Tensor]:
    """Yield T of some examples after others, in order."""
    if recognizer.frontend.length_depends_on_content:
        for start in track(range(0, len(dataset), _CHUNK)):
            _, signals = dataset.read_batch(_chunk(dataset, start))
            yield recognizer.frame_lengths(*pad_signals(signals))
    else:
        for start in range(0, len(dataset), _LONG_CHUNK):
            lengths = dataset.reader.signal_lengths(dataset.manifest, slice(start, start + _LONG_CHUNK))
            yield recognizer.frame_lengths(None, torch.from_numpy(lengths))


def _chunk(dataset: ManifestDataset, start: int) -> range:
    return range(start, min(start + _CHUNK, len(dataset)))
