"""The examples a report shows: the worst, and some drawn by chance, each recognised again for its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from seqrec.data.dataset import ManifestDataset
from seqrec.metrics.scored import ScoredExample
from seqrec.report.analysis import Analysis
from seqrec.report.drawings import example_drawing, is_drawable
from seqrec.transcriber import Transcriber
from seqrec.transcript import Reading


@dataclass(frozen=True)
class Shown:
    """An example of a report."""

    example: ScoredExample
    reference: str  # as the manifest has it, normalised
    hypothesis: str
    drawing: str | None = None  # SVG; None: its signal is too long, or nothing is drawn
    reading: Reading | None = None  # recognised for the drawing


def worst_of(scored: Sequence[ScoredExample], count: int) -> list[int]:
    """Return which examples have the most wrong characters, the higher rate first among equals; none that is right."""
    wrong = [index for index, one in enumerate(scored) if one.characters.errors]
    return sorted(wrong, key=lambda index: (-scored[index].characters.errors, -scored[index].characters.rate))[:count]


def random_of(scored: Sequence[ScoredExample], count: int, seed: int = 0) -> list[int]:
    """Return some examples, in the manifest's order; the same for a seed."""
    return sorted(Random(seed).sample(range(len(scored)), min(count, len(scored))))


def shown(analysis: Analysis, indices: Sequence[int]) -> list[Shown]:
    """Return examples without drawings."""
    hypotheses = analysis.evaluation.hypotheses
    return [Shown(analysis.scored[i], hypotheses[i].reference, hypotheses[i].hypothesis) for i in indices]


def drawn(analysis: Analysis, indices: Sequence[int], transcriber: Transcriber, manifest: Path) -> Iterator[Shown]:
    """Yield examples of a manifest with their drawings; each is recognised again, for the places of characters."""
    parts = transcriber.parts
    dataset = ManifestDataset(manifest, parts.reader, parts.tokenizer)
    for index, one in zip(indices, shown(analysis, indices), strict=True):
        signal = dataset.reader.read(dataset.manifest[index], dataset.folder)
        drawing, reading = None, None
        if is_drawable(parts.reader, signal):
            reading = transcriber.recognize([signal], times=True)[0].best
            drawing = example_drawing(parts.reader, signal, reading.characters)
        yield Shown(one.example, one.reference, one.hypothesis, drawing, reading)
