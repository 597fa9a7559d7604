"""Making confidences mean what they say: a temperature fitted on dev, and how well it does on what is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seqrec.ctc.align import Alignment, align
from seqrec.ctc.confidence import token_confidences
from seqrec.data.dataset import ManifestDataset
from seqrec.data.shard_batches import batches_of
from seqrec.data.survey import survey
from seqrec.metrics.calibration import (
    Calibration,
    ReliabilityBin,
    expected_calibration_error,
    fit_temperature,
    reliability,
)
from seqrec.parts import Tokenizer
from seqrec.report.confidences import Confidences, Judged, characters_right
from seqrec.sequence import Emissions, pad_signals
from seqrec.transcriber import Transcriber

_MOST_LOG_PROBS = 1 << 21  # of the examples that are fitted on: 8 MB, thousands of tokens for one number
Track = Callable[[Iterable[list[int]]], Iterable[list[int]]]  # shows progress over batches


@dataclass(frozen=True)
class Quality:
    """How far the confidences of some pieces of text can be trusted."""

    pieces: int
    error: float  # expected calibration error, a fraction
    bins: list[ReliabilityBin]

    @classmethod
    def of(cls, judged: Judged) -> Quality:
        """Compare confidences with what was right."""
        values, correct = judged.values, judged.correct
        return cls(len(values), expected_calibration_error(values, correct), reliability(values, correct))


@dataclass(frozen=True)
class Calibrated:
    """What the confidences of an evaluation are worth."""

    characters: Quality
    words: Quality
    calibration: Calibration | None  # None: they are as the recogniser gives them

    @classmethod
    def of(cls, confidences: Confidences, calibration: Calibration | None) -> Calibrated:
        """Judge confidences that were given at the temperature of `calibration`."""
        return cls(Quality.of(confidences.characters), Quality.of(confidences.words), calibration)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "temperature": self.calibration.temperature if self.calibration else None,
            "fitted_on": self.calibration.to_json() if self.calibration else None,
            **{name: asdict(getattr(self, name)) for name in ("characters", "words")},
        }


@dataclass(frozen=True)
class _Aligned:
    """Recognised tokens of a batch where they lie, and whether those that are no white space are right."""

    emissions: Emissions
    alignment: Alignment
    targets: Tensor  # (B, U)
    target_lengths: Tensor  # (B,)
    chosen: Tensor  # (B, U) bool: no white space, no padding
    correct: list[bool]  # of the chosen, in their order

    def confidences(self, temperature: float) -> np.ndarray:
        """Return the confidences of the chosen tokens."""
        found = token_confidences(self.emissions, self.alignment, self.targets, self.target_lengths, temperature)
        return found.cpu()[self.chosen].numpy()


@torch.inference_mode()
def calibrate(
    transcriber: Transcriber, manifest: Path, split: str, track: Track = iter, max_frames: int = 8000
) -> Calibration:
    """Fit the temperature of a recogniser's confidences on a split: all of it, or a fair part of 8 MB of log-probs.

    Raises:
        UserError: a row or its source is at fault.
    """
    parts = transcriber.parts
    dataset = ManifestDataset(manifest, parts.reader, parts.tokenizer)
    look = survey(dataset, parts.recognizer)
    count = max(1, int(_MOST_LOG_PROBS / len(parts.tokenizer) / max(look.output_frames.mean(), 1)))
    step = 1 if dataset.shards else -(-len(dataset) // count)  # shards are fair mixes each: no more than need be
    indices = np.arange(0, len(dataset), step, dtype=np.int32)[:count]
    batches = batches_of(dataset, look.frames, indices, max_frames=max_frames, max_examples=64, shuffle=False)
    aligned = [_align(transcriber, dataset, batch) for batch in track(batches)]

    def confidences_at(temperature: float) -> np.ndarray:
        return np.concatenate([one.confidences(temperature) for one in aligned])

    correct = np.array([right for one in aligned for right in one.correct], bool)
    temperature = fit_temperature(confidences_at, correct)
    before, after = (expected_calibration_error(confidences_at(one), correct) for one in (1.0, temperature))
    return Calibration(temperature, before, after, split, len(indices))


def _align(transcriber: Transcriber, dataset: ManifestDataset, batch: list[int]) -> _Aligned:
    parts = transcriber.parts
    rows, signals = dataset.read_batch(batch)
    padded, lengths = pad_signals(signals)
    emissions = parts.recognizer(padded.to(transcriber.device), lengths.to(transcriber.device))
    tokens = [candidates[0].tokens for candidates in transcriber.decoder.decode(emissions)]
    targets = pad_sequence([torch.tensor(one, dtype=torch.int64) for one in tokens], batch_first=True)
    target_lengths = torch.tensor([len(one) for one in tokens])
    symbols = _symbols(parts.tokenizer)
    chosen = torch.zeros(targets.shape, dtype=torch.bool)
    correct: list[bool] = []
    for place, (row, found) in enumerate(zip(rows, tokens, strict=True)):
        spelt = [symbols[token] for token in found]
        chosen[place, : len(found)] = torch.tensor([bool(symbol) for symbol in spelt], dtype=torch.bool)
        reference = parts.tokenizer.normalise(row.text)
        correct += characters_right(reference, [symbol for symbol in spelt if symbol])
    alignment = align(emissions, targets, target_lengths)
    return _Aligned(emissions, alignment, targets, target_lengths, chosen, correct)


def _symbols(tokenizer: Tokenizer) -> list[str]:
    """Return what each token adds to a text, white space left out."""
    return ["", *("".join(spelling.split()) for spelling in tokenizer.spellings)]
