"""A sweep (`-m`): what each of its jobs leaves behind, and how the sweep ends.

Jobs may run in other processes or on other machines, so they tell the sweep by files: `job.json` in each job's folder,
beside its metrics.json.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from seqrec.cli.ranks import is_first_rank, num_processes
from seqrec.errors import UserError

_JOB = "job.json"
_PLUGINS = ("hydra_plugins", "optuna", "alembic")  # they log what we say in a table


@dataclass(frozen=True)
class Job:
    """One job of a sweep, ended."""

    number: int
    overrides: tuple[str, ...]
    folder: Path
    failure: str | None  # why it has no scores
    crashed: bool  # by a mistake that is not the user's


class SweepFolder(Callback):
    """Remembers where the sweep that this process has started lies; Hydra constructs it and calls it."""

    path: ClassVar[Path | None] = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note the folder, and take away what an earlier sweep told there."""
        SweepFolder.path = Path(config.hydra.sweep.dir).absolute()
        for old in SweepFolder.path.rglob(_JOB):
            old.unlink()
        for name in _PLUGINS:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def is_sweep() -> bool:
    """Tell whether this job is one of a sweep."""
    return HydraConfig.get().mode is RunMode.MULTIRUN


def sweep_began() -> bool:
    """Tell whether this process has started a sweep of which a job has ended."""
    return SweepFolder.path is not None and bool(read_jobs(SweepFolder.path))


def check_sweep(trainer: Mapping[str, Any]) -> None:
    """Refuse several devices in a job of a sweep, unless SLURM starts a process for each.

    Lightning would start the job's other ranks by the command of the whole sweep.
    """
    if not is_sweep() or num_processes(trainer) == 1:
        return
    launcher, devices, nodes = HydraConfig.get().launcher, trainer.get("devices", 1), trainer.get("num_nodes", 1)
    if not str(launcher.get("_target_")).endswith("SlurmLauncher"):
        raise UserError(
            f"trainer.devices={devices} in a sweep (-m): each job would start the whole sweep for its other devices; "
            "sweep with trainer.devices=1, or on SLURM with hydra/launcher=submitit_slurm"
        )
    if (launcher.tasks_per_node, launcher.nodes) != (devices, nodes):
        raise UserError(
            f"trainer.devices={devices} trainer.num_nodes={nodes}, but SLURM starts {launcher.tasks_per_node} tasks on "
            f"each of {launcher.nodes} nodes; give hydra.launcher.tasks_per_node and hydra.launcher.nodes alike"
        )


@contextmanager
def own_log(folder: Path, starter: int) -> Iterator[None]:
    """Write what a job says to log.txt in `folder`, if it runs beside others: in another process than `starter`."""
    if os.getpid() == starter or not is_first_rank():
        yield
        return
    from seqrec.cli.main import quiet_logs

    with ExitStack() as stack:
        log = stack.enter_context((folder / "log.txt").open("a", encoding="utf-8", buffering=1))
        stack.enter_context(redirect_stdout(log))
        stack.enter_context(redirect_stderr(log))
        logging.root.handlers.clear()  # of the job before, whose log is closed
        quiet_logs()
        yield


def record_job(failure: str | None, crashed: bool = False) -> None:
    """Write down how this job has ended, on its first rank."""
    if not is_first_rank():
        return
    about = HydraConfig.get()
    folder = Path(about.runtime.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    overrides = [word for word in about.overrides.task if not word.startswith("hydra.")]
    job = {"number": about.job.num, "overrides": overrides, "failure": failure, "crashed": crashed}
    (folder / _JOB).write_text(json.dumps(job, ensure_ascii=False) + "\n", encoding="utf-8")


def read_jobs(sweep: Path) -> list[Job]:
    """Return the jobs of a sweep that have ended, in their order."""
    jobs = []
    for path in sweep.rglob(_JOB):
        about = json.loads(path.read_text(encoding="utf-8"))
        overrides = tuple(about["overrides"])
        jobs.append(Job(about["number"], overrides, path.parent, about["failure"], about["crashed"]))
    return sorted(jobs, key=lambda job: job.number)


@contextmanager
def closed_sweep() -> Iterator[None]:
    """Show what came out of the jobs of a sweep, if one is started within, and write it down.

    Raises:
        UserError: jobs have failed; each is named with its reason.
    """
    SweepFolder.path = None
    try:
        yield
    except BrokenProcessPool as error:
        _show()
        reason = str(error).splitlines()[0]
        raise UserError(
            f"the process of a job was killed, as happens without enough memory ({reason}); lower "
            "hydra.launcher.n_jobs or data.max_frames"
        ) from error
    except BaseException as error:
        jobs = _show()
        if isinstance(error, ValueError) and not any(job.crashed for job in jobs):
            _refuse_failed(jobs)  # a sweeper stumbles over them
        raise
    jobs = _show()
    if SweepFolder.path and not jobs:
        raise UserError(
            f"{SweepFolder.path} holds no {_JOB} of a job; give hydra.sweep.dir=PATH that all machines share"
        )
    _refuse_failed(jobs)


def _show() -> list[Job]:
    """Write and show the table of a sweep, if any job has scores; return its jobs."""
    jobs = read_jobs(SweepFolder.path) if SweepFolder.path else []
    if SweepFolder.path and any((job.folder / "metrics.json").is_file() for job in jobs):
        from seqrec.cli.sweep_table import show_table

        show_table(SweepFolder.path, jobs)
    return jobs


def _refuse_failed(jobs: Sequence[Job]) -> None:
    failed = [f"job {job.number} ({' '.join(job.overrides)}): {job.failure}" for job in jobs if job.failure]
    if failed:
        raise UserError(f"{len(failed)} of {len(jobs)} jobs failed: " + "; ".join(failed))
