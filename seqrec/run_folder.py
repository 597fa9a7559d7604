"""The folder of a run: all that evaluating, transcribing and resuming it need."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from seqrec.errors import UserError
from seqrec.share import PACKAGE

_PACKAGES = ("seqrec", "torch", "torchaudio", "lightning", "hydra-core", "omegaconf", "RapidFuzz", "numpy", "soundfile")


_PARTS = {
    "corpus",
    "reader",
    "frontend",
    "encoder",
    "text",
    "ctc",
    "decoder",
    "optimizer",
    "data",
    "trainer",
    "data_dir",
}


@dataclass(frozen=True)
class RunFolder:
    """Names what lies in a run's folder."""

    path: Path

    @property
    def config(self) -> Path:
        """The whole config, every default written out."""
        return self.path / "config.yaml"

    @property
    def tokens(self) -> Path:
        """The tokens of the recogniser."""
        return self.path / "tokens.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints; it is there from the first of them on."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch, by `best_by`."""
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        """The checkpoint that training goes on from."""
        return self.checkpoints / "last.ckpt"

    @property
    def metrics(self) -> Path:
        """The final scores."""
        return self.path / "metrics.json"

    @property
    def environment(self) -> Path:
        """What the run ran on; the last file that is written before training begins."""
        return self.path / "environment.json"

    def evaluation(self, split: str, decoder: str) -> Path:
        """Where the evaluation of a split by a decoder goes."""
        return self.path / "evaluation" / f"{split}-{decoder}"

    def read_config(self, to_train: bool = False) -> dict[str, Any]:
        """Read config.yaml as plain data, as this seqrec spells it.

        Raises:
            UserError: it is damaged or no run's, or, with `to_train`, asks for training that is no more.
        """
        import yaml

        try:
            config = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UserError(f"{self.config} cannot be read ({error}); give the folder of a run") from None
        missing = _PARTS - config.keys() if isinstance(config, dict) else _PARTS
        if missing:
            raise UserError(
                f"{self.config} lacks {', '.join(sorted(missing))}; give the folder that `seqrec train` printed"
            )
        if to_train:
            _check_trainable(config, self.config)
        return updated(config)

    def write_environment(self, seed: int, command: list[str]) -> None:
        """Write down what the run ran on: versions, git state, machine, seed, command."""
        environment = {
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": command,
            "seed": seed,
            "python": platform.python_version(),
            "versions": {name: _version(name) for name in _PACKAGES},
            "git": git_state(PACKAGE.parent),
            "machine": {
                "system": platform.platform(),
                "processor": processor_name(),
                "cores": os.cpu_count(),
                "threads": _num_threads(),
                "gpus": _gpu_names(),
            },
        }
        _write_json(self.environment, environment)

    def add_to_environment(self, name: str, value: Any) -> None:
        """Write down something that is known only when training begins."""
        environment = json.loads(self.environment.read_text(encoding="utf-8")) if self.environment.is_file() else {}
        _write_json(self.environment, {**environment, name: value})


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def updated(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a run of an earlier seqrec as this one spells it, for recognition; others stay as they are.

    StrokeDeltas once distorted training ink itself, which augmentation does now.
    """
    if _distortion(config) is None:
        return config
    frontend = {key: value for key, value in config["frontend"].items() if key != "distortion"}
    return {**config, "frontend": frontend}


def _distortion(config: Any) -> Any:
    """Return the option of StrokeDeltas that is no more; None where a config has none."""
    frontend = config.get("frontend") if isinstance(config, Mapping) else None
    if not isinstance(frontend, Mapping) or frontend.get("_target_") != "seqrec.ink.deltas.StrokeDeltas":
        return None
    return frontend.get("distortion")


def _check_trainable(config: Mapping[str, Any], path: Path) -> None:
    distortion = _distortion(config)
    if distortion:
        raise UserError(
            f"{path}: frontend.distortion={distortion} is no more, so training cannot go on with it; the run can be "
            "evaluated, or trained anew with augmentation=ink_linear"
        )


def open_run(path: str | Path) -> RunFolder:
    """Return the run folder at `path`.

    Raises:
        UserError: it is none.
    """
    run = RunFolder(Path(path))
    if run.path.is_file():
        raise UserError(f"{path} is a file; give the folder of its run")
    if not run.path.is_dir():
        raise UserError(f"run folder {path} does not exist; `seqrec train` prints where a run lies")
    if not run.config.is_file():
        raise UserError(
            f"{path} is no run folder: it holds no config.yaml; give the folder that `seqrec train` printed"
        )
    return run


def checkpoint_of(path: str | Path) -> Path:
    """Return the checkpoint file that `path` is or, of a run folder, its best one; links are followed.

    Raises:
        UserError: there is none.
    """
    found = Path(path).expanduser().resolve()
    if found.is_file():
        return found
    run = open_run(found)
    if not run.best.is_file():
        raise UserError(f"{path} holds no checkpoints/best.ckpt yet; name a checkpoint file of it, or another run")
    return run.best


def part_name(part: Mapping[str, Any]) -> str:
    """Return a part's short name, that of its module: `greedy` for seqrec.ctc.greedy.GreedyDecoder."""
    return str(part["_target_"]).split(".")[-2]


def processor_name() -> str:
    """Return the processor's name, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return the commit of the checkout that `folder` is the top of, and whether it has changes; None outside one."""

    def git(*words: str) -> str:
        result = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
        return result.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != folder.resolve():
            return None
        return {
            "commit": git("rev-parse", "HEAD"),
            "changed": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _num_threads() -> int | None:
    """Return how many threads a sum is split over: its last bits depend on it."""
    torch = sys.modules.get("torch")
    return None if torch is None else torch.get_num_threads()


def _gpu_names() -> list[str]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
