"""Evaluating a trained recogniser on a manifest: every hypothesis, corpus-level error rates, speed and confidences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from seqrec.checkpoint import Parts
from seqrec.data.dataset import ManifestDataset
from seqrec.data.shard_batches import batches_of
from seqrec.data.survey import survey
from seqrec.errors import UserError, did_you_mean
from seqrec.manifest import Row
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.summary import PEOPLE
from seqrec.report.confidences import Confidences
from seqrec.sequence import pad_signals
from seqrec.timing import read_with_times
from seqrec.transcriber import Transcriber
from seqrec.transcript import Candidate, Reading

Track = Callable[[Iterable[list[int]]], Iterable[list[int]]]  # shows progress over batches
_LONGEST_VALUE = 200  # characters of a key's value


@dataclass(frozen=True)
class Guess:
    """One of the n-best texts of an example."""

    text: str
    score: float  # natural logarithm


@dataclass(frozen=True)
class Hypothesis:
    """What one example should read, and what was recognised."""

    id: str
    reference: str
    hypothesis: str
    score: float = field(default=0.0, compare=False)  # of the decoder; its last bits depend on the batch
    guesses: tuple[Guess, ...] = field(default=(), compare=False)  # the n-best, where there are several
    keys: Mapping[str, str] = field(default_factory=dict)  # of its row: speaker or writer, and those asked for
    spans: np.ndarray | None = field(default=None, compare=False)  # (words, 3) start, end in the signal; confidence


@dataclass(frozen=True)
class Speed:
    """How long the parts of the work took, in seconds; reading files is in neither."""

    recognition: float
    decoding: float
    signal: float | None  # seconds of all signals together; None: they have no rate


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation; hypotheses in the manifest's order."""

    rates: ErrorRates
    hypotheses: list[Hypothesis]
    seconds: float
    speed: Speed
    confidences: Confidences | None = None  # None: not asked for


class Clock:
    """Adds up the seconds of recognising and of decoding."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.recognition = self.decoding = 0.0
        self.signal_length = 0

    def now(self) -> float:
        """Return the time, once the device has done what it was asked to."""
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)
        return perf_counter()

    def add(self, recognition: float, decoding: float, signal_length: int) -> None:
        """Count the seconds of a batch, and the samples or points of its signals."""
        self.recognition += recognition
        self.decoding += decoding
        self.signal_length += signal_length

    def speed(self, sample_rate: float | None) -> Speed:
        """Return the sums; `sample_rate` is that of the signals, None where they have none."""
        return Speed(self.recognition, self.decoding, self.signal_length / sample_rate if sample_rate else None)


def evaluate(
    transcriber: Transcriber,
    manifest: Path,
    max_frames: int = 8000,
    max_examples: int = 64,
    track: Track = iter,
    by: Sequence[str] = (),
    temperature: float | None = None,
) -> Evaluation:
    """Recognise every example of `manifest` and score it against its text.

    Args:
        transcriber: what recognises.
        manifest: the examples.
        max_frames: frames of a padded batch; results do not depend on it.
        max_examples: examples of a batch; results do not depend on it.
        track: shows progress.
        by: keys of the rows to keep with the hypotheses, beside `speaker` and `writer`.
        temperature: of confidences; where it is given, it is also found where each word lies, and how sure the
            recogniser is of words and characters.

    Raises:
        UserError: no row has one of the keys in `by`, or a row or its source is at fault.
    """
    started = perf_counter()
    parts = transcriber.parts
    dataset = ManifestDataset(manifest, parts.reader, parts.tokenizer)
    _check_keys(dataset, by)
    frames = survey(dataset, parts.recognizer).frames  # names characters outside the alphabet, before time is spent
    batches = batches_of(dataset, frames, None, max_frames=max_frames, max_examples=max_examples, shuffle=False)
    found: dict[int, Hypothesis] = {}
    clock, confidences = Clock(transcriber.device), None if temperature is None else Confidences()
    for indices in track(batches):
        rows = [dataset.manifest[index] for index in indices]
        signals = [dataset.reader.read(row, dataset.folder) for row in rows]
        for index, row, readings in zip(
            indices, rows, read_signals(transcriber, signals, clock, temperature), strict=True
        ):
            found[index] = _hypothesis(row, parts.tokenizer.normalise(row.text), readings, by)
            if confidences is not None and readings[0].words:  # a text that cannot fit its frames has no spans
                confidences.add(found[index].reference, readings[0])
    hypotheses = [found[index] for index in range(len(dataset))]
    scored = parts.tokenizer.scored
    rates = ErrorRates.of([scored(h.reference) for h in hypotheses], [scored(h.hypothesis) for h in hypotheses])
    speed = clock.speed(getattr(parts.reader, "sample_rate", None))
    return Evaluation(rates, hypotheses, perf_counter() - started, speed, confidences)


@torch.inference_mode()
def read_signals(
    transcriber: Transcriber, signals: Sequence[Tensor], clock: Clock, temperature: float | None
) -> Sequence[tuple[Reading, ...]]:
    """Return the n-best readings of signals (N, C), recognised as one batch.

    The best have spans where there is a `temperature` for their confidences.
    """
    parts, begun = transcriber.parts, clock.now()
    padded, lengths = (each.to(transcriber.device) for each in pad_signals(signals))
    emissions = parts.recognizer(padded, lengths)
    recognised = clock.now()
    candidates = transcriber.decoder.decode(emissions)
    clock.add(recognised - begun, clock.now() - recognised, int(lengths.sum()))
    if temperature is not None:
        return read_with_times(parts, padded, lengths, emissions, candidates, temperature)
    return [tuple(_reading(parts, candidate) for candidate in each) for each in candidates]


def _reading(parts: Parts, candidate: Candidate) -> Reading:
    return Reading(parts.tokenizer.decode(candidate.tokens), candidate.score)


def _hypothesis(row: Row, reference: str, readings: Sequence[Reading], by: Sequence[str]) -> Hypothesis:
    best = readings[0]
    guesses = tuple(Guess(reading.text, reading.score) for reading in readings) if len(readings) > 1 else ()
    return Hypothesis(row.id, reference, best.text, best.score, guesses, _keys(row, by), _spans(best))


def _spans(reading: Reading) -> np.ndarray | None:
    """Return where the words of a reading lie; None where that is not known of each."""
    if not reading.words or [word.text for word in reading.words] != reading.text.split():
        return None
    return np.array([(word.start, word.end, word.confidence) for word in reading.words])


def _keys(row: Row, by: Sequence[str]) -> dict[str, str]:
    """Return the values of a row's keys as text, those it has."""
    names = dict.fromkeys((*PEOPLE, *by))
    values = {name: row.fields[name] for name in names if row.fields.get(name) is not None}
    return {name: (v if isinstance(v, str) else json.dumps(v))[:_LONGEST_VALUE] for name, v in values.items()}


def _check_keys(dataset: ManifestDataset, by: Sequence[str]) -> None:
    """Refuse keys that no row has."""
    missing = set(by)
    known: set[str] = set()
    for row in dataset.manifest if missing else ():
        missing -= row.fields.keys()
        known |= row.fields.keys()
        if not missing:
            return
    for name in sorted(missing):
        raise UserError(f"by={name}: no row of {dataset.manifest.path} has this key{did_you_mean(name, known)}")
