"""The folder of an evaluation: report.{json,md,html}, hypotheses.jsonl, and files for sclite."""

from __future__ import annotations

import json
from pathlib import Path

from seqrec.report.analysis import Analysis
from seqrec.report.examples import drawn, random_of, shown, worst_of
from seqrec.report.markdown import write_markdown
from seqrec.report.pictures import has_matplotlib
from seqrec.report.plain_data import hypothesis_row, to_json
from seqrec.transcriber import Transcriber

_SHOWN = 12  # examples of each kind: the page is to stay small


def write_report(analysis: Analysis, folder: Path) -> None:
    """Write `report.json`, `report.md` and `hypotheses.jsonl` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    report = json.dumps(to_json(analysis), ensure_ascii=False, indent=2)
    (folder / "report.json").write_text(report + "\n", encoding="utf-8")
    with (folder / "hypotheses.jsonl").open("w", encoding="utf-8") as file:
        for hypothesis, example in zip(analysis.evaluation.hypotheses, analysis.scored, strict=True):
            file.write(json.dumps(hypothesis_row(hypothesis, example), ensure_ascii=False) + "\n")
    worst, random = (shown(analysis, chosen) for chosen in _chosen(analysis))
    write_markdown(analysis, worst, random, folder / "report.md")


def write_page(analysis: Analysis, folder: Path, transcriber: Transcriber, manifest: Path) -> bool:
    """Write `report.html` into `folder`, its examples recognised again; tell whether Matplotlib is there to do so."""
    if not has_matplotlib():
        return False
    from seqrec.report.html import write_html

    worst, random = (list(drawn(analysis, chosen, transcriber, manifest)) for chosen in _chosen(analysis))
    write_html(analysis, worst, random, folder / "report.html")
    return True


def _chosen(analysis: Analysis) -> tuple[list[int], list[int]]:
    return worst_of(analysis.scored, _SHOWN), random_of(analysis.scored, _SHOWN)
