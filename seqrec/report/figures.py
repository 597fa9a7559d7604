"""The figures of a report in words: what its page, its Markdown and the terminal show alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqrec.metrics.breakdown import Part
from seqrec.metrics.edits import EditCounts
from seqrec.metrics.wording import between, percent, value_name

if TYPE_CHECKING:
    from seqrec.report.analysis import Analysis
    from seqrec.report.calibrating import Calibrated

PART_HEADINGS = ("examples", "words", "WER", "CER", "wrong")


@dataclass(frozen=True)
class Tile:
    """A figure that stands on its own."""

    name: str
    value: str
    note: str


def tiles(analysis: Analysis) -> Iterator[Tile]:
    """Yield the figures of the whole corpus."""
    rates, summary = analysis.rates, analysis.summary
    yield Tile("WER", percent(rates.wer), between(summary.wer))
    yield Tile("CER", percent(rates.cer), between(summary.cer))
    yield Tile("examples with errors", percent(summary.sentence_error_rate), between(summary.sentences))
    yield Tile("examples", f"{rates.examples:,}", f"{rates.words.reference_length:,} words")
    if analysis.oracle:
        most = max(len(one.guesses) for one in analysis.evaluation.hypotheses)
        note = f"CER {percent(analysis.oracle.cer)}"
        yield Tile(f"WER of the best of {most}", percent(analysis.oracle.wer), note)
    if analysis.unseen:
        yield Tile(
            "unseen words", percent(analysis.unseen.words.share), f"{percent(analysis.unseen.error_rate)} missed"
        )
    yield from _speed(analysis)


def _speed(analysis: Analysis) -> Iterator[Tile]:
    speed, count, where = analysis.evaluation.speed, analysis.rates.examples, f"on {analysis.about.machinery}"
    for name, seconds in (("recognition", speed.recognition), ("decoding", speed.decoding)):
        a_second = f"{count / max(seconds, 1e-9):,.0f} examples a second"
        if speed.signal is None:
            yield Tile(name, f"{count / max(seconds, 1e-9):,.0f} / s", f"examples a second, {where}")
        else:
            factor = seconds / max(speed.signal, 1e-9)
            yield Tile(f"{name}, real-time factor", f"{factor:.2g}", f"{a_second}, {where}")


def drawing_of_intervals(analysis: Analysis) -> str:
    """Say in a sentence what the intervals are."""
    how = analysis.summary.drawn_by
    why = "" if how == "example" else f", since errors of one {how} are alike"
    return f"Intervals hold the rate of a corpus drawn anew 95 times in 100; drawn by {how}{why} (bootstrap)."


def confidence_lines(calibrated: Calibrated) -> Iterator[str]:
    """Yield sentences on how far confidences can be trusted."""
    for name in ("characters", "words"):
        quality = getattr(calibrated, name)
        yield f"expected calibration error of {quality.pieces:,} {name}: {percent(quality.error)}"
    fitted = calibrated.calibration
    if fitted is None:
        yield "no temperature is fitted yet: evaluate with split=dev does it"
        return
    yield (
        f"temperature {fitted.temperature:.3g}, fitted on {fitted.examples:,} examples of {fitted.split}, where the "
        f"error of tokens went from {percent(fitted.ece_before)} to {percent(fitted.ece_after)}"
    )


def edit_rows(analysis: Analysis) -> Iterator[Sequence[str]]:
    """Yield the edits of words and characters."""
    for name, edits in (("words", analysis.rates.words), ("characters", analysis.rates.characters)):
        yield name, percent(edits.rate), *_counts(edits), f"{edits.reference_length:,}"


def _counts(edits: EditCounts) -> tuple[str, ...]:
    return tuple(f"{count:,}" for count in (edits.substitutions, edits.insertions, edits.deletions))


def part_row(part: Part) -> Sequence[str]:
    """Return a row of a breakdown."""
    rates = part.rates
    wrong = percent(rates.wrong_examples / max(rates.examples, 1))
    words = f"{rates.words.reference_length:,}"
    return value_name(part.name), f"{rates.examples:,}", words, percent(rates.wer), percent(rates.cer), wrong
