"""What exporting does to recognition: log-probs and error rates of torch and of an exported model on dev."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqrec.data.batching import FrameBatches
from seqrec.data.dataset import ManifestDataset
from seqrec.engine import OnnxRecognizer
from seqrec.export.parity import Parity, compare, frontend_rounding
from seqrec.metrics.rates import ErrorRates
from seqrec.recognizer import Recognizer
from seqrec.sequence import Emissions, pad_signals
from seqrec.transcriber import Transcriber

Track = Callable[[Iterable[list[int]]], Iterable[list[int]]]  # shows progress over batches


@dataclass(frozen=True)
class DevScores:
    """Error rates of both on the same examples, and how far their log-probs lie apart."""

    torch: ErrorRates
    exported: ErrorRates
    parity: Parity

    @property
    def rates(self) -> dict[str, ErrorRates]:
        """The rates of each."""
        return {"torch": self.torch, "exported": self.exported}

    @property
    def is_silent(self) -> bool:
        """Whether neither gives any text."""
        edits = [rates.characters for rates in (self.torch, self.exported)]
        return not any(one.hits or one.substitutions or one.insertions for one in edits)

    def to_json(self) -> dict[str, Any]:
        """Return what an exported file says of itself; rates are fractions."""
        return {
            "examples": self.torch.examples,
            "difference": self.parity.difference,
            **{name: {key: rates.to_json()[key] for key in ("wer", "cer")} for name, rates in self.rates.items()},
        }


@torch.inference_mode()
def dev_scores(
    transcriber: Transcriber,
    exported: OnnxRecognizer,
    manifest: Path,
    max_examples: int,
    tolerance: float | None,
    track: Track = iter,
) -> DevScores:
    """Recognise examples of a manifest with both, side by side.

    Args:
        transcriber: torch's, on the CPU; its decoder reads the log-probs of both.
        exported: the exported model.
        manifest: whose examples are taken, spread evenly over it.
        max_examples: how many of them, at most.
        tolerance: of log-probs; see `compare`.
        track: shows progress.

    Raises:
        UserError: they lie further apart, or an example cannot be read.
    """
    parts = transcriber.parts
    dataset = ManifestDataset(manifest, parts.reader, parts.tokenizer)
    rates, parity = [ErrorRates(), ErrorRates()], Parity()
    for indices in track(_batches(dataset, parts.recognizer, max_examples)):
        rows, signals = dataset.read_batch(indices)
        padded, lengths = pad_signals(signals)
        both = parts.recognizer(padded, lengths), exported(padded, lengths)
        names = [f"example `{row.id}`" for row in rows]
        parity += compare(*both, names, tolerance, partial(_rounding, parts.recognizer, exported, padded, lengths))
        references = [parts.tokenizer.scored(parts.tokenizer.normalise(row.text)) for row in rows]
        rates = [
            so_far + ErrorRates.of(references, list(_texts(transcriber, emissions)))
            for so_far, emissions in zip(rates, both, strict=True)
        ]
    return DevScores(rates[0], rates[1], parity)


def _rounding(recognizer: Recognizer, exported: OnnxRecognizer, signals: Tensor, lengths: Tensor) -> float:
    """Return how far torch's rounding lets log-probs be apart: not at all, where the front-end is one for both."""
    return frontend_rounding(recognizer, signals, lengths) if exported.input == "signals" else 0.0


def _texts(transcriber: Transcriber, emissions: Emissions) -> Iterator[str]:
    tokenizer = transcriber.parts.tokenizer
    for candidates in transcriber.decoder.decode(emissions):
        yield tokenizer.scored(tokenizer.decode(candidates[0].tokens))


def _batches(dataset: ManifestDataset, recognizer: Recognizer, max_examples: int) -> FrameBatches:
    """Return batches of examples of like length, over the whole manifest."""
    count = min(max_examples, len(dataset))
    indices = np.linspace(0, len(dataset) - 1, count).round().astype(np.int32)
    lengths = dataset.reader.signal_lengths(dataset.manifest, slice(0, len(dataset)))
    if not recognizer.frontend.length_depends_on_content:
        lengths = recognizer.frame_lengths(None, torch.from_numpy(lengths)).numpy()
    return FrameBatches(lengths, indices, shuffle=False)  # points are near enough
