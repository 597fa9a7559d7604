"""`seqrec evaluate RUN`: WER and CER of a split, or of any manifest, with a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.options import options_of, split_name

if TYPE_CHECKING:
    from seqrec.cli.run_options import OpenRun
    from seqrec.metrics.calibration import Calibration

USAGE = """usage: seqrec evaluate RUN [split=test] [manifest=PATH] [decoder=greedy] [engine=torch] [by=KEY,KEY] ...

Scores a run's best checkpoint and writes into RUN/evaluation/SPLIT-DECODER/, or SPLIT-DECODER-ENGINE/ for another
engine than torch:
  report.html           everything on one page, with plots and drawn examples (needs: pip install 'seqrec[report]')
  report.md, .json      error rates with 95 % intervals, by speaker or writer and length, confusions, speed
  hypotheses.jsonl      id, reference, hypothesis, score and edits of each example; what `seqrec compare` reads
  references.trn, hypotheses.trn, hypotheses.ctm
                        for sclite; times of words where the signal has a sample rate

  split=dev             another split of the run's corpus; dev also fits RUN/calibration.json (engine=torch), by
                        which confidences come to mean what they say
  manifest=PATH         any manifest instead of a split
  decoder=NAME          another decoder, with its options as decoder.OPTION=VALUE; decoder.n_best=10, where it has
                        that option, also gives the error of the best of ten
  by=age,gender         error rates for each value of these keys of the manifest, too
  text.unknown=drop     score references with characters outside the alphabet, too; they count as errors
  data_dir=PATH         where the prepared corpus lies, if it has moved
  device=auto|cpu|cuda  where the recogniser runs
  engine=ENGINE         what runs the network: torch; torch-bf16; onnx or onnx-int8, on the CPU and built anew from the
                        checkpoint (need: pip install 'seqrec[onnx]')
"""
OPTIONS = ("split", "manifest", "decoder", "by", "text.unknown", "data_dir", "device", "engine")


def main(words: Sequence[str]) -> None:
    """Evaluate the run named first in `words`, under the options that follow."""
    if not words or words[0] in ("-h", "--help") or "--help" in words:
        print(USAGE, end="")
        return
    from seqrec.cli.run_options import load_run

    options = options_of(words[1:], OPTIONS, "evaluate")
    split = split_name(options)
    _evaluate(load_run(words[0], options), split, options)


def _evaluate(run: OpenRun, split: str, options: Mapping[str, str]) -> None:
    from seqrec.cli.console import report_lines, sample_table, score_table
    from seqrec.corpora.shards.fetch import corpus_folder
    from seqrec.evaluation import evaluate
    from seqrec.progress import console, track
    from seqrec.report.analysis import About, analyse
    from seqrec.report.calibrating import Calibrated
    from seqrec.report.folder import write_page, write_report
    from seqrec.report.sclite import write_sclite
    from seqrec.report.training_text import training_words

    corpus = corpus_folder(run.config)
    manifest = Path(options["manifest"]) if "manifest" in options else corpus / f"manifest-{split}.jsonl"
    by = [key.strip() for key in options.get("by", "").split(",") if key.strip()]
    calibration = _calibration(run, split, manifest, options)
    run.transcriber.temperature = calibration.temperature if calibration else 1.0
    show = partial(track, title=f"scoring {split}")
    result = evaluate(run.transcriber, manifest, track=show, by=by, times=True)
    tokenizer = run.transcriber.parts.tokenizer
    words = training_words(corpus / "manifest-train.jsonl", tokenizer, partial(track, title="reading training text"))
    engine = options.get("engine", "torch")
    about = About(run.folder.path.resolve().name, split, run.decoder_name, options, run.transcriber.device, engine)
    calibrated = Calibrated.of(result.confidences, calibration) if result.confidences else None
    analysis = analyse(result, tokenizer, about, by, words, calibrated)
    folder = run.folder.evaluation(split, run.decoder_name if engine == "torch" else f"{run.decoder_name}-{engine}")
    write_report(analysis, folder)
    write_sclite(analysis, folder, run.transcriber.sample_rate)
    has_page = write_page(analysis, folder, run.transcriber, manifest)
    console.print(score_table({split: (result.rates, result.seconds)}))
    for line in report_lines(analysis):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.print(sample_table(result.hypotheses))
    if not has_page:
        console.print("no report.html: Matplotlib is not installed; pip install 'seqrec[report]'", markup=False)
    console.print(f"written to {folder}", soft_wrap=True, highlight=False, markup=False)


def _calibration(run: OpenRun, split: str, manifest: Path, options: Mapping[str, str]) -> Calibration | None:
    """Return the run's calibration, fitted anew on dev by torch."""
    from seqrec.metrics.calibration import read_calibration, write_calibration
    from seqrec.progress import track
    from seqrec.report.calibrating import calibrate

    path = run.folder.path / "calibration.json"
    if split != "dev" or options.get("engine", "torch") != "torch":
        return read_calibration(path)
    calibration = calibrate(run.transcriber, manifest, split, partial(track, title="fitting confidences on dev"))
    write_calibration(path, calibration)
    return calibration
