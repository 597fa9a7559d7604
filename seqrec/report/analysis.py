"""What an evaluation's report says: rates with their intervals, parts of the corpus, confusions, unseen words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from seqrec.evaluation import Evaluation, Hypothesis
from seqrec.metrics.breakdown import Part, UnseenWords, by_key, by_length, unseen_words
from seqrec.metrics.confusions import Confusion, confusions
from seqrec.metrics.edits import character_edits, word_edits
from seqrec.metrics.rates import ErrorRates
from seqrec.metrics.scored import ScoredExample, Unit, score_pairs
from seqrec.metrics.summary import PEOPLE, Summary, summarise
from seqrec.parts import Tokenizer
from seqrec.report.calibrating import Calibrated
from seqrec.report.confidences import matches


@dataclass(frozen=True)
class Unseen:
    """Words of the references that the training text lacks, and how often they were not recognised."""

    words: UnseenWords
    missed: int  # of the unseen running words

    @property
    def error_rate(self) -> float:
        """Missed ones per unseen running word, a fraction."""
        return self.missed / self.words.unseen.total() if self.words.unseen else 0.0


@dataclass(frozen=True)
class About:
    """What was evaluated, and how."""

    run: str
    split: str  # or the name of a manifest
    decoder: str
    options: Mapping[str, str] = field(default_factory=dict)  # of the command line
    device: str = "cpu"
    engine: str = "torch"  # what ran the network

    @property
    def machinery(self) -> str:
        """Where the network ran, and by what."""
        return self.device if self.engine == "torch" else f"{self.device} by {self.engine}"


@dataclass(frozen=True)
class Analysis:
    """All that a report says."""

    about: About
    evaluation: Evaluation
    scored: list[ScoredExample]  # in the manifest's order
    summary: Summary
    parts: Mapping[str, list[Part]]  # by speaker or writer, by each key asked for
    lengths: list[Part]
    length_unit: Unit
    word_confusions: Sequence[Confusion]
    character_confusions: Sequence[Confusion]
    unseen: Unseen | None = None  # None: the training text is not at hand
    oracle: ErrorRates | None = None  # of the best of each n-best; None: the decoder gives one
    calibrated: Calibrated | None = None

    @property
    def rates(self) -> ErrorRates:
        """The rates of the whole corpus."""
        return self.summary.rates


def analyse(
    evaluation: Evaluation,
    tokenizer: Tokenizer,
    about: About,
    by: Sequence[str] = (),
    training_words: Collection[str] | None = None,
    calibrated: Calibrated | None = None,
) -> Analysis:
    """Work out what the report of an evaluation says.

    Args:
        evaluation: what was recognised; its hypotheses carry the keys in `by`.
        tokenizer: tells how texts are compared.
        about: what was evaluated.
        by: keys whose values are told apart, beside speaker or writer.
        training_words: those of the training text, as the tokenizer normalises it; None: not known.
        calibrated: what became of the confidences.
    """
    hypotheses = evaluation.hypotheses
    scored = score_pairs(
        [one.id for one in hypotheses],
        [tokenizer.scored(one.reference) for one in hypotheses],
        [tokenizer.scored(one.hypothesis) for one in hypotheses],
        [one.keys for one in hypotheses],
    )
    keys = dict.fromkeys([*(key for key in PEOPLE if any(key in one.keys for one in scored)), *by])
    unit: Unit = "words" if any(one.words.reference_length > 1 for one in scored) else "characters"
    return Analysis(
        about,
        evaluation,
        scored,
        summarise(scored),
        {key: by_key(scored, key) for key in keys},
        by_length(scored, unit),
        unit,
        confusions(scored, "words"),
        confusions(scored, "characters"),
        None if training_words is None else _unseen(hypotheses, training_words),
        _oracle(hypotheses, tokenizer),
        calibrated,
    )


def _unseen(hypotheses: Sequence[Hypothesis], training_words: Collection[str]) -> Unseen:
    """Count the unseen words, and those that the hypothesis lacks where the reference has them."""
    words = unseen_words((one.reference for one in hypotheses), training_words)
    missed = 0
    for one in hypotheses:
        spoken = one.reference.split()
        if any(word in words.unseen for word in spoken):
            found = matches(one.hypothesis.split(), spoken)
            missed += sum(word in words.unseen and not is_found for word, is_found in zip(spoken, found, strict=True))
    return Unseen(words, missed)


def _oracle(hypotheses: Sequence[Hypothesis], tokenizer: Tokenizer) -> ErrorRates | None:
    """Return the rates of the guess with the fewest word, then character edits, of each n-best."""
    if not any(one.guesses for one in hypotheses):
        return None
    total = ErrorRates()
    for one in hypotheses:
        reference = tokenizer.scored(one.reference)
        texts = [tokenizer.scored(guess.text) for guess in one.guesses] or [tokenizer.scored(one.hypothesis)]
        references = [reference] * len(texts)
        edits = zip(word_edits(references, texts), character_edits(references, texts), strict=True)
        words, characters = min(edits, key=lambda pair: (pair[0].errors, pair[1].errors))
        total += ErrorRates(words, characters, 1, int(characters.errors > 0))
    return total
