"""Training in a run folder and scoring what came out: what `train` and `resume` share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer

from seqrec.cli.console import sample_table, score_table
from seqrec.cli.ranks import is_first_rank
from seqrec.errors import Interrupted, UserError
from seqrec.evaluation import evaluate
from seqrec.progress import console, track
from seqrec.report.analysis import About, analyse
from seqrec.report.folder import write_report
from seqrec.run_folder import RunFolder, part_name
from seqrec.training.fit import fit
from seqrec.training.module import RecognitionTraining
from seqrec.transcriber import load


def train_run(config: Mapping[str, Any], run: RunFolder, corpus: Path, resume: bool) -> float | None:
    """Train in a run folder that holds its config and tokens; then score, write metrics.json, and show it.

    Returns:
        The dev CER of the best checkpoint, a fraction; on the first rank alone.
    """
    quiet = not is_first_rank()
    if not quiet:
        console.print(f"run folder: {run.path}", soft_wrap=True, highlight=False, markup=False)
    try:
        trainer = fit(config, run, corpus, resume, lambda items, title: items if quiet else track(items, title))
        return _score(config, run, corpus, trainer) if trainer.is_global_zero else None
    except (KeyboardInterrupt, SystemExit):  # Lightning exits with 1 after Ctrl-C
        raise _interrupted(run) from None


def _score(config: Mapping[str, Any], run: RunFolder, corpus: Path, trainer: Trainer) -> float:
    """Score the best checkpoint on dev and test; write metrics.json; show the final table; return the dev CER."""
    if not run.best.is_file():
        raise UserError(f"{run.path}: no epoch was validated, so there is no best checkpoint; raise trainer.max_epochs")
    assert isinstance(trainer.lightning_module, RecognitionTraining)
    seconds = trainer.lightning_module.seconds
    transcriber = load(run.path, str(trainer.strategy.root_device))
    results = {}
    for split in ("dev", "test") if config.get("score_test", True) else ("dev",):
        manifest = corpus / f"manifest-{split}.jsonl"
        if manifest.is_file():
            results[split] = evaluate(transcriber, manifest, track=partial(track, title=f"scoring {split}"))
            decoder = part_name(config["decoder"])
            what = About(run.path.resolve().name, split, decoder, {}, transcriber.device)
            analysis = analyse(results[split], transcriber.parts.tokenizer, what)
            write_report(analysis, run.evaluation(split, decoder))
    metrics: dict[str, Any] = {split: result.rates.to_json() for split, result in results.items()}
    metrics["train"] = {"seconds": round(seconds, 1), "epochs": trainer.current_epoch, "steps": trainer.global_step}
    run.metrics.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    console.print(score_table({split: (result.rates, result.seconds) for split, result in results.items()}))
    console.print(sample_table(list(results.values())[-1].hypotheses))
    about = f"trained {trainer.current_epoch} epochs in {seconds:.0f} s; all in {run.path}"
    console.print(about, soft_wrap=True, highlight=False, markup=False)
    return results["dev"].rates.cer


def _interrupted(run: RunFolder) -> Interrupted:
    """Say how to go on after Ctrl-C."""
    if run.last.is_file():
        return Interrupted(f"interrupted; the last checkpoint is kept; go on with `seqrec resume {run.path}`")
    return Interrupted(f"interrupted before the first checkpoint; begin again with `seqrec resume {run.path}`")
