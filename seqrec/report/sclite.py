"""Files for NIST's sclite: references and hypotheses as trn, and the times of recognised words as ctm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqrec.evaluation import Hypothesis
from seqrec.formats.hypotheses.trn import escaped_id, write_trn
from seqrec.formats.transcripts.ctm import write_ctm
from seqrec.metrics.summary import PEOPLE
from seqrec.report.analysis import Analysis
from seqrec.transcript import Reading, Span, Transcript


def write_sclite(analysis: Analysis, folder: Path, sample_rate: float | None) -> None:
    """Write `references.trn` and `hypotheses.trn` as they were compared; `hypotheses.ctm` where there is a rate."""
    ids = [one.id for one in analysis.scored]
    people = [next((one.keys[name] for name in PEOPLE if name in one.keys), "unknown") for one in analysis.scored]
    write_trn(folder / "references.trn", ids, [one.reference for one in analysis.scored], people)
    write_trn(folder / "hypotheses.trn", ids, [one.hypothesis for one in analysis.scored], people)
    if sample_rate:
        with (folder / "hypotheses.ctm").open("w", encoding="utf-8") as file:
            for hypothesis in analysis.evaluation.hypotheses:
                file.writelines(_ctm_lines(hypothesis, sample_rate))


def _ctm_lines(hypothesis: Hypothesis, sample_rate: float) -> Iterator[str]:
    recording, words = escaped_id(hypothesis.id), hypothesis.hypothesis.split()
    if hypothesis.spans is None:
        if words:
            yield f";; {recording}: {len(words)} words without times\n"
        return
    rows = zip(words, hypothesis.spans.tolist(), strict=True)
    spans = tuple(Span(word, start, end, confidence) for word, (start, end, confidence) in rows)
    reading = Reading(hypothesis.hypothesis, hypothesis.score, spans)
    yield from write_ctm([(recording, Transcript((reading,), sample_rate))])
