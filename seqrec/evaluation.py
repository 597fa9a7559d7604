"""Evaluating a trained recogniser on a manifest: every hypothesis, corpus-level error rates, speed and confidences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqrec.data.dataset import ManifestDataset
from seqrec.data.shard_batches import batches_of
from seqrec.data.survey import survey
from seqrec.errors import UserError, did_you_mean
from seqrec.manifest import Row
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.summary import PEOPLE
from seqrec.parts import Decoder, Tokenizer
from seqrec.report.confidences import Confidences
from seqrec.sequence import Emissions
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


class _Clock:
    """A transcriber whose decoder is a stopwatch's: it adds up the seconds of recognising and of decoding."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._decoder: Decoder = transcriber.decoder
        self._transcriber = copy(transcriber)  # the same parts; whose it is keeps its decoder
        self._transcriber.decoder = self
        self._started = self._recognition = self._decoding = 0.0
        self._signal_length = 0

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Tell the decoder what tokens stand for."""
        self._decoder.spell_with(tokenizer)

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        """Decode; what has passed since the signals came was for recognising them."""
        begun = self._now()
        candidates = self._decoder.decode(emissions)
        self._recognition += begun - self._started
        self._decoding += self._now() - begun
        return candidates

    def recognize(self, signals: Sequence[Tensor], times: bool) -> list[tuple[Reading, ...]]:
        """Return the n-best readings of signals (N, C), recognised as one batch."""
        self._signal_length += sum(map(len, signals))
        self._started = self._now()
        return [one.readings for one in self._transcriber.recognize(signals, times)]

    def speed(self) -> Speed:
        """Return the sums."""
        rate = self._transcriber.sample_rate
        return Speed(self._recognition, self._decoding, self._signal_length / rate if rate else None)

    def _now(self) -> float:
        """Return the time, once the device has done what it was asked to."""
        if self._transcriber.device.startswith("cuda"):
            torch.cuda.synchronize(self._transcriber.device)
        return perf_counter()


def evaluate(
    transcriber: Transcriber,
    manifest: Path,
    max_frames: int = 8000,
    max_examples: int = 64,
    track: Track = iter,
    by: Sequence[str] = (),
    times: bool = False,
) -> Evaluation:
    """Recognise every example of `manifest` and score it against its text.

    Args:
        transcriber: what recognises.
        manifest: the examples.
        max_frames: frames of a padded batch; results do not depend on it.
        max_examples: examples of a batch; results do not depend on it.
        track: shows progress.
        by: keys of the rows to keep with the hypotheses, beside `speaker` and `writer`.
        times: also find where each word lies, and how sure the recogniser is of words and characters.

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
    clock, confidences = _Clock(transcriber), Confidences() if times else None
    for indices in track(batches):
        rows, signals = dataset.read_batch(indices)
        for index, row, readings in zip(indices, rows, clock.recognize(signals, times), strict=True):
            found[index] = _hypothesis(row, parts.tokenizer.normalise(row.text), readings, by)
            if confidences is not None and readings[0].words:  # a text that cannot fit its frames has no spans
                confidences.add(found[index].reference, readings[0])
    hypotheses = [found[index] for index in range(len(dataset))]
    scored = parts.tokenizer.scored
    rates = ErrorRates.of([scored(h.reference) for h in hypotheses], [scored(h.hypothesis) for h in hypotheses])
    return Evaluation(rates, hypotheses, perf_counter() - started, clock.speed(), confidences)


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
    return {name: _as_text(value)[:_LONGEST_VALUE] for name, value in values.items()}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
