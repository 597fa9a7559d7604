"""A look over a split before training: each example's frames, and whether its target fits into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch

from seqrec.ctc.loss import required_frames
from seqrec.data.dataset import ManifestDataset
from seqrec.recognizer import Recognizer
from seqrec.sequence import pad_signals

_CHUNK = 64  # signals looked at together
Track = Callable[[Iterable[int]], Iterable[int]]  # shows progress over chunks


@dataclass(frozen=True)
class Survey:
    """What batching and the CTC loss must know of a split; one entry an example."""

    ids: list[str]
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
            f"`{self.ids[i]}` ({self.output_frames[i]} frames, needs {self.required_frames[i]})"
            for i in self.infeasible[:limit]
        ]
        more = len(self.infeasible) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")


def survey(dataset: ManifestDataset, recognizer: Recognizer, track: Track = iter) -> Survey:
    """Measure each example; sources are read only where the front-end's frames depend on their content."""
    ids: list[str] = []
    needs: list[int] = []
    frames: list[torch.Tensor] = []
    for start in track(range(0, len(dataset), _CHUNK)):
        rows = [dataset.manifest[index] for index in range(start, min(start + _CHUNK, len(dataset)))]
        ids += [row.id for row in rows]
        needs += [required_frames(dataset.encode(row)) for row in rows]
        if recognizer.frontend.length_depends_on_content:
            signals, lengths = pad_signals([dataset.reader.read(row, dataset.folder) for row in rows])
        else:
            signals, lengths = None, torch.tensor([dataset.reader.signal_length(row) for row in rows])
        frames.append(recognizer.frame_lengths(signals, lengths))
    all_frames = torch.cat(frames)
    return Survey(ids, all_frames.numpy(), recognizer.output_lengths(all_frames).numpy(), np.array(needs))
