"""Tuning a language-model decoder on dev: log-probs are computed once, weights are searched over them.

What `seqrec tune` runs. The search is Optuna's tree-structured Parzen estimator (Bergstra et al. 2011).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch

from seqrec.data.dataset import ManifestDataset
from seqrec.data.shard_batches import batches_of
from seqrec.data.survey import survey
from seqrec.errors import UserError
from seqrec.metrics.intervals import PairedComparison, paired_bootstrap
from seqrec.metrics.scored import ScoredExample, score_pairs
from seqrec.metrics.summary import PEOPLE
from seqrec.parts import Decoder, Tokenizer
from seqrec.sequence import Emissions, pad_signals
from seqrec.transcriber import Transcriber

Metric = Literal["wer", "cer"]
Track = Callable[[Iterable[Any], str], Iterable[Any]]  # shows progress under a title
_SLOWER_IS_WORTH = 0.005  # of the best rate: a beam this close to it, and smaller, is taken
_MOST_BYTES = 1 << 31  # of the log-probs that are kept
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DevEmissions:
    """Log-probs of a split on the CPU, with what they should read."""

    batches: Sequence[Emissions]
    ids: Sequence[str]  # of the examples of the batches, in their order
    references: Sequence[str]  # as compared
    groups: Sequence[str] | None  # speaker or writer of each example


@dataclass(frozen=True)
class Trial:
    """One choice of options, and the error rate it gives."""

    options: Mapping[str, float | int]
    rate: float
    seconds: float  # of decoding


@dataclass(frozen=True)
class Tuning:
    """What tuning found; rates are those of `metric` on the split it was tuned on, fractions."""

    metric: Metric
    options: Mapping[str, float | int]
    rate: float
    greedy: float
    without_lm: float
    against_rival: PairedComparison  # with the better of those two
    trials: Sequence[Trial] = field(repr=False)
    beams: Sequence[Trial] = field(repr=False)

    @property
    def helps(self) -> bool:
        """Whether the language model beats both ways of decoding without it by more than chance gives."""
        return self.rate < min(self.greedy, self.without_lm) and self.against_rival.p_value < 0.05

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "helps": self.helps}


@torch.inference_mode()
def dev_emissions(
    transcriber: Transcriber,
    manifest: Path,
    max_frames: int = 8000,
    max_examples: int = 64,
    max_bytes: int = _MOST_BYTES,
    track: Track = lambda items, title: items,
) -> DevEmissions:
    """Recognise every example of `manifest` once, without decoding it; where log-probs of more than `max_bytes` would
    be kept, every second example, or third, and so on, which is said.

    Raises:
        UserError: a row or its source is at fault.
    """
    parts = transcriber.parts
    dataset = ManifestDataset(manifest, parts.reader, parts.tokenizer)
    look = survey(dataset, parts.recognizer, lambda chunks: track(chunks, "measuring"))
    indices = as_many_as_fit(look.output_frames, len(parts.tokenizer), max_bytes, manifest)
    batches = batches_of(dataset, look.frames, indices, max_frames=max_frames, max_examples=max_examples, shuffle=False)
    rows, emissions = [], []
    for indices in track(batches, "recognising"):
        read, signals = dataset.read_batch(indices)
        rows += read
        found = parts.recognizer(*(each.to(transcriber.device) for each in pad_signals(signals)))
        emissions.append(Emissions(found.log_probs.cpu(), found.lengths.cpu()))
    references = [parts.tokenizer.scored(parts.tokenizer.normalise(row.text)) for row in rows]
    key = next((name for name in PEOPLE if all(name in row.fields for row in rows)), None)
    groups = None if key is None else [str(row.fields[key]) for row in rows]
    return DevEmissions(emissions, [row.id for row in rows], references, groups)


def as_many_as_fit(output_frames: np.ndarray, num_tokens: int, max_bytes: int, manifest: Path) -> np.ndarray | None:
    """Return the examples to tune on, evenly drawn; None: all."""
    step = -(-int(output_frames.sum(dtype=np.int64)) * num_tokens * 4 // max_bytes)
    if step <= 1:
        return None
    indices = np.arange(0, len(output_frames), step, dtype=np.int32)
    logger.warning(
        "%s is too large to keep in memory: tuning on %d of its %d examples", manifest, len(indices), len(output_frames)
    )
    return indices


def tune(
    dev: DevEmissions,
    tokenizer: Tokenizer,
    decoder: Decoder,
    greedy: Decoder,
    metric: Metric,
    ranges: Mapping[str, tuple[float, float]],
    beam_sizes: Sequence[int],
    num_trials: int,
    seed: int = 0,
    track: Track = lambda items, title: items,
) -> Tuning:
    """Search the weights of a decoder with the least error rate, then the smallest beam that keeps it.

    Args:
        dev: log-probs and references; never those of a test split.
        tokenizer: turns tokens into text.
        decoder: that is tuned: its weights and beam are set for each trial, and set back.
        greedy: the decoder to compare with.
        metric: the error rate to lower.
        ranges: least and greatest value of each weight that is searched.
        beam_sizes: beams that are tried with the best weights, any order.
        num_trials: how many choices of weights are tried, that without a language model included.
        seed: of the search; the same seed finds the same.
        track: shows progress.

    Raises:
        UserError: Optuna is missing, or there is nothing to tune on.
    """
    if not dev.references:
        raise UserError("there is no example to tune on; give a split or manifest that has some")
    scorer = _Scorer(dev, tokenizer, metric)
    for each in (decoder, greedy):
        each.spell_with(tokenizer)
    without = scorer.trial(decoder, dict.fromkeys((*ranges, "unk_score"), 0.0))
    trials = [without, *_search(scorer, decoder, ranges, num_trials - 1, seed, track)]
    best = min(trials, key=lambda trial: trial.rate)
    beams = [
        scorer.trial(decoder, {**best.options, "beam_size": size})
        for size in track(sorted(set(beam_sizes)), "trying beams")
    ]
    least = min(trial.rate for trial in beams)
    chosen = next(trial for trial in beams if trial.rate <= least * (1 + _SLOWER_IS_WORTH))
    plain, tuned = scorer.score(greedy, {}), scorer.score(decoder, chosen.options)
    rival = plain if scorer.rate(plain) <= without.rate else scorer.score(decoder, without.options)
    return Tuning(
        metric=metric,
        options=chosen.options,
        rate=chosen.rate,
        greedy=scorer.rate(plain),
        without_lm=without.rate,
        against_rival=scorer.compare(rival, tuned),
        trials=trials,
        beams=beams,
    )


@contextmanager
def _set(decoder: Decoder, options: Mapping[str, float | int]) -> Iterator[None]:
    before = {name: getattr(decoder, name) for name in options}
    try:
        for name, value in options.items():
            setattr(decoder, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(decoder, name, value)


class _Scorer:
    """Decodes the split and counts its errors."""

    def __init__(self, dev: DevEmissions, tokenizer: Tokenizer, metric: Metric) -> None:
        self.dev = dev
        self.tokenizer = tokenizer
        self.unit = "words" if metric == "wer" else "characters"

    def score(self, decoder: Decoder, options: Mapping[str, float | int]) -> list[ScoredExample]:
        with _set(decoder, options):
            texts = [
                self.tokenizer.scored(self.tokenizer.decode(candidates[0].tokens))
                for emissions in self.dev.batches
                for candidates in decoder.decode(emissions)
            ]
        return score_pairs(self.dev.ids, self.dev.references, texts)

    def rate(self, scored: Sequence[ScoredExample]) -> float:
        errors, lengths = self._counts(scored)
        return float(errors.sum() / max(lengths.sum(), 1))

    def trial(self, decoder: Decoder, options: Mapping[str, float | int]) -> Trial:
        started = perf_counter()
        rate = self.rate(self.score(decoder, options))
        return Trial(dict(options), rate, perf_counter() - started)

    def compare(self, a: Sequence[ScoredExample], b: Sequence[ScoredExample]) -> PairedComparison:
        errors, lengths = self._counts(a)
        return paired_bootstrap(errors, self._counts(b)[0], lengths, self.dev.groups)

    def _counts(self, scored: Sequence[ScoredExample]) -> tuple[np.ndarray, np.ndarray]:
        counts = [getattr(example, self.unit) for example in scored]
        return np.array([each.errors for each in counts]), np.array([each.reference_length for each in counts])


def _search(
    scorer: _Scorer,
    decoder: Decoder,
    ranges: Mapping[str, tuple[float, float]],
    num_trials: int,
    seed: int,
    track: Track,
) -> Iterable[Trial]:
    try:
        with warnings.catch_warnings():  # optuna 2.10, which the sweeps pin, takes old names of SQLAlchemy's
            warnings.simplefilter("ignore")
            import optuna
    except ImportError:
        raise UserError("`seqrec tune` needs Optuna: pip install 'seqrec[tune]'") from None
    optuna.logging.disable_default_handler()
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    for _ in track(range(num_trials), "searching weights"):
        asked = study.ask()
        options = {name: asked.suggest_float(name, low, high) for name, (low, high) in ranges.items()}
        trial = scorer.trial(decoder, options)
        study.tell(asked, trial.rate)
        yield trial
