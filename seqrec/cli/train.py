"""`seqrec train RECIPE`: prepare the corpus where it is missing, train, then score the test split."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from seqrec.cli.compose import output_folder, run_recipe, take_run_folder_away
from seqrec.cli.ranks import announce, announced, check_ranks, has_store, is_first_rank
from seqrec.cli.sweep import check_sweep
from seqrec.corpora.provenance import with_absolute_paths
from seqrec.corpora.shards.store import absolute_address
from seqrec.errors import Interrupted, UserError
from seqrec.run_folder import RunFolder, checkpoint_of

if TYPE_CHECKING:
    from seqrec.corpora.prepare import PreparedCorpus

_PACKAGES = {"WandbLogger": "wandb", "MLFlowLogger": "mlflow"}
USAGE = """usage: seqrec train RECIPE [KEY=VALUE ...] [-m]

Trains a recipe (`seqrec recipes` lists them; a YAML file of your own works too), then scores its test split.

  encoder.hidden_size=640        change a value
  encoder=lstm                   choose another part
  trainer=gpu                    train on a GPU; trainer=ddp trainer.devices=2 on several devices
  --cfg job                      print the composed config and stop
  init_from=RUN                  start from the weights of a run; the alphabet may be another
  augmentation=[speech,noise]    change training examples at random; ink has parts of its own
  callbacks=[ema,early_stopping] average the weights; end when dev CER has stopped falling
  logger=[tensorboard,wandb]     log to Weights & Biases too; or mlflow
  score_test=false               leave the test split alone: the dev scores are enough to choose by
  hydra.run.dir=PATH             where the run folder goes
  -m encoder.num_layers=2,3,4    a sweep: a run for each value, and a table of all, in sweep.csv
     hydra/launcher=joblib hydra.launcher.n_jobs=2          two jobs at a time
     hydra/launcher=submitit_slurm hydra.launcher.partition=NAME    a SLURM job each
     hydra/sweeper=optuna 'optimizer.lr=tag(log,interval(1e-4,1e-2))'   search for the least dev CER

On several machines: torchrun --nnodes=2 --nproc_per_node=4 ... -m seqrec train RECIPE trainer=ddp trainer.devices=4
trainer.num_nodes=2, the same command on each.
"""


def main(words: Sequence[str]) -> None:
    """Train from the start."""
    run_recipe(words, USAGE, train)


def train(config: dict[str, Any]) -> float | None:
    """Train a composed config in a fresh run folder; return the dev CER, on the first rank."""
    check_sweep(config["trainer"])
    check_ranks(config["trainer"])
    _check_loggers(config.get("logger") or {})
    from seqrec.cli.prepare import prepare_shown
    from seqrec.cli.training_run import train_run

    config = _with_absolute_paths(config)
    run = RunFolder(Path(output_folder()))
    if is_first_rank():
        corpus = prepare_shown(config)
        _begin(config, run, corpus)
        former = _point_to_latest(run.path, config["recipe"])
        announce(run.path)
    else:
        take_run_folder_away()  # the name of torchrun's other ranks has another second in it
        if not has_store():
            prepare_shown(config)  # waits while the first rank prepares, however long
        run = RunFolder(announced(run.path, run.environment.name))
        corpus = prepare_shown(config)  # it stands, but for a data_dir of this machine's own
    try:
        return train_run(config, run, corpus.folder, resume=False)
    except Interrupted:
        raise  # it can be resumed
    except UserError:
        if is_first_rank() and not run.checkpoints.exists():
            _take_back(run, former)
        raise


def _begin(config: dict[str, Any], run: RunFolder, corpus: PreparedCorpus) -> None:
    """Write what a run folder holds before training."""
    import yaml

    from seqrec.cli.prepare import show

    if run.config.exists():
        raise UserError(f"{run.path} holds a run already; go on with `seqrec resume {run.path}` or set hydra.run.dir")
    show(corpus)
    run.path.mkdir(parents=True, exist_ok=True)
    run.config.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    run.tokens.write_bytes((corpus.folder / "tokens.json").read_bytes())
    run.write_environment(config["seed"], sys.argv)


def _take_back(run: RunFolder, former: str | None) -> None:
    """Undo `_begin` for a run that never began: it stands neither for the latest nor in the way of a mended one."""
    for path in (run.config, run.tokens, run.environment):
        path.unlink(missing_ok=True)
    link = run.path.parent / "latest"
    if link.is_symlink() and os.readlink(link) == run.path.name:
        link.unlink()
        if former:
            link.symlink_to(former)
    take_run_folder_away()


def _with_absolute_paths(config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` so that a run can be resumed and evaluated from any folder."""
    data_dir = str(Path(config["data_dir"]).expanduser().absolute())
    shards = config["shards"] and absolute_address(config["shards"])
    init_from = config["init_from"] and _initial(config["init_from"])
    paths = {"data_dir": data_dir, "shards": shards, "init_from": init_from}
    parts = {key: with_absolute_paths(config[key]) for key in ("corpus", "decoder")}
    return {**config, **parts, **paths}


def _initial(path: str) -> str:
    """Return the checkpoint to start from; a damaged one is told when it is read."""
    found = checkpoint_of(path)
    if found.suffix != ".ckpt" and not is_zipfile(found):
        raise UserError(f"init_from={path} is no checkpoint; give the run's folder or a .ckpt")
    return str(found)


def _point_to_latest(run: Path, recipe: str) -> str | None:
    """Keep a link `runs/RECIPE/latest` to the newest run that lies in its usual place; return what it pointed to."""
    link = run.parent / "latest"
    usual = run.parent == Path("runs").absolute() / recipe
    former = os.readlink(link) if link.is_symlink() else None
    if usual and (former or not link.exists()):
        link.unlink(missing_ok=True)
        link.symlink_to(run.name)
    return former


def _check_loggers(loggers: Mapping[str, Any]) -> None:
    """Refuse a logger whose package is missing, before anything is prepared for it."""
    for name, part in loggers.items():
        package = part and _PACKAGES.get(str(part["_target_"]).rpartition(".")[2])
        if package and not find_spec(package):
            raise UserError(f"logger={name} needs the package {package}; pip install 'seqrec[{package}]'")
