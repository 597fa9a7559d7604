"""`seqrec train RECIPE`: prepare the corpus where it is missing, train, then score the test split."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from seqrec.cli.compose import is_sweep, output_folder, run_recipe
from seqrec.errors import UserError

USAGE = """usage: seqrec train RECIPE [KEY=VALUE ...] [-m]

Trains a recipe (`seqrec recipes` lists them; a YAML file of your own works too), then scores its test split.

  encoder.hidden_size=640        change a value
  encoder=lstm                   choose another part
  trainer=gpu                    train on a GPU; trainer=ddp trainer.devices=2 on several devices
  --cfg job                      print the composed config and stop
  -m encoder.num_layers=2,3,4    a sweep: a run for each value
  hydra.run.dir=PATH             where the run folder goes
"""


def main(words: Sequence[str]) -> None:
    """Train from the start."""
    run_recipe(words, USAGE, train)


def train(config: dict[str, Any]) -> None:
    """Train a composed config in a fresh run folder."""
    _check(config)
    import yaml

    from seqrec.cli.prepare import prepare_shown, show
    from seqrec.run_folder import RunFolder

    config = {**config, "data_dir": str(Path(config["data_dir"]).absolute())}
    run = RunFolder(Path(output_folder()))
    corpus = prepare_shown(config)
    if is_first_rank():
        if run.config.exists():
            raise UserError(f"{run.path} holds a run already; go on with `seqrec resume {run.path}`, or choose another hydra.run.dir")
        show(corpus)
        run.path.mkdir(parents=True, exist_ok=True)
        run.config.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
        run.tokens.write_bytes((corpus.folder / "tokens.json").read_bytes())
        run.write_environment(config["seed"], sys.argv)
    train_run(config, run.path, corpus.folder, resume=False)


def train_run(config: dict[str, Any], path: Path, corpus: Path, resume: bool) -> None:
    """Train in a run folder that holds its config and tokens; then score, write metrics.json, and show it."""
    from seqrec.cli.console import console, track
    from seqrec.run_folder import RunFolder
    from seqrec.training.fit import fit

    run = RunFolder(path)
    started = perf_counter()
    if is_first_rank():
        console.print(f"run folder: {run.path}", soft_wrap=True, highlight=False)
    quiet = not is_first_rank()
    try:
        trainer = fit(config, run, corpus, resume, lambda items, title: items if quiet else track(items, title))
    except KeyboardInterrupt:
        raise interrupted(run.path, run.last.is_file()) from None
    if trainer.interrupted:
        raise interrupted(run.path, run.last.is_file())
    if trainer.is_global_zero:
        score(config, run.path, corpus, perf_counter() - started, trainer.current_epoch)


def score(config: dict[str, Any], path: Path, corpus: Path, seconds: float, epochs: int) -> None:
    """Score the best checkpoint on dev and test; write metrics.json; show the final table."""
    import json

    from seqrec.cli.console import console, sample_table, score_table, track
    from seqrec.evaluation import evaluate
    from seqrec.run_folder import RunFolder
    from seqrec.transcriber import check_device, load

    run = RunFolder(path)
    transcriber = load(path, "cpu" if config["trainer"]["accelerator"] == "cpu" else check_device("auto"))
    results = {}
    for split in ("dev", "test"):
        manifest = corpus / f"manifest-{split}.jsonl"
        if manifest.is_file():
            results[split] = evaluate(transcriber, manifest, track=lambda b, n: track(b, f"scoring {split}", n))  # noqa: B023
            results[split].write(run.evaluation(split, decoder_name(config)))
    metrics = {split: result.rates.to_json() for split, result in results.items()}
    metrics["train"] = {"seconds": round(seconds, 1), "epochs": epochs}
    run.metrics.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    console.print(score_table({split: (result.rates, result.seconds) for split, result in results.items()}))
    console.print(sample_table(list(results.values())[-1].hypotheses))
    console.print(f"trained {epochs} epochs in {seconds:.0f} s; all in {run.path}", soft_wrap=True, highlight=False)


def decoder_name(config: dict[str, Any]) -> str:
    """Return a decoder's short name, as in the folder of an evaluation: `greedy` for seqrec.ctc.greedy.GreedyDecoder."""
    return str(config["decoder"]["_target_"]).split(".")[-2]


def interrupted(path: Path, has_checkpoint: bool) -> UserError:
    """Say how to go on after Ctrl-C."""
    if has_checkpoint:
        return UserError(f"interrupted; the last checkpoint is kept; go on with `seqrec resume {path}`")
    return UserError(f"interrupted before the first checkpoint; begin again, or with `seqrec resume {path}`")


def is_first_rank() -> bool:
    """Tell whether this is the process the user started: Lightning gives those it starts a local rank."""
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"


def _check(config: dict[str, Any]) -> None:
    if not isinstance(config["seed"], int) or isinstance(config["seed"], bool) or config["seed"] < 0:
        raise UserError(f"seed={config['seed']!r} is not a whole number of at least 0")
    devices = config["trainer"].get("devices", 1)
    if is_sweep() and devices not in (1, "1", [0]):
        raise UserError(
            f"trainer.devices={devices} in a sweep (-m): each job would start the whole sweep again on its other devices; "
            "sweep with trainer.devices=1, or give each job a process of its own (hydra/launcher=submitit_local)"
        )
