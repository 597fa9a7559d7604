"""Composing a recipe's config with Hydra: defaults from the constructors, mistakes as sentences.

A part's YAML file leaves out what equals its constructor's default. Where Hydra reads conf/, this module fills those
in, from the source of the class and without importing it: so every option of a part can be overridden and is written
into the run's config, and composing takes no torch.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import hydra
import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.utils import get_args_parser
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seqrec.cli.config_checks import NAMED_PARTS, check_keys, check_settings
from seqrec.cli.recipe_names import RecipeFile, find_recipe
from seqrec.cli.sweep import SweepFolder, closed_sweep, is_sweep, own_log, record_job, sweep_began
from seqrec.errors import Interrupted, UserError, did_you_mean
from seqrec.share import constructor_defaults, share_folder

Task = Callable[[dict[str, Any]], float | None]  # returns what a sweep makes small, where it has it
_SHORT_HELP = ("--help", "-h")
SWEEP_FLAGS = frozenset({"-m", "--multirun"})
_SWEEP_PLUGINS = ("joblib", "submitit_slurm", "submitit_local", "optuna")
_MISTAKES = (UserError, OSError, OmegaConfBaseException)
_HYDRA_OPTIONS = (
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
    f"+hydra.callbacks.seqrec._target_={SweepFolder.__module__}.{SweepFolder.__name__}",
)


class PartsConfigSource(FileConfigSource):
    """Reads conf/, filling each part's defaults in."""

    @staticmethod
    def scheme() -> str:
        """Return what stands before `://` in Hydra's search path."""
        return "seqrec"

    def load_config(self, config_path: str) -> ConfigResult:
        """Read one file and complete the part it describes."""
        result = super().load_config(config_path)
        if isinstance(result.config, DictConfig):
            result.config = OmegaConf.create(complete(OmegaConf.to_container(result.config)))  # type: ignore[arg-type]
        return result


class PartsSearchPath(SearchPathPlugin):
    """Puts conf/ into the search path of every recipe, a user's own too."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Put conf/ first: a folder beside a user's recipe adds options to its groups, but replaces none."""
        search_path.prepend("seqrec", f"seqrec://{share_folder('conf')}")


def complete(part: dict[str, Any]) -> dict[str, Any]:
    """Return `part`, and the parts within it, with the constructors' defaults for what they leave out."""
    part = {key: complete(value) if isinstance(value, dict) else value for key, value in part.items()}
    defaults = constructor_defaults(str(part.get("_target_"))) or {}
    return {**part, **{key: value for key, value in defaults.items() if key not in part}}


def register_plugins() -> None:
    """Make Hydra know the search path and the source of conf/."""
    Plugins.instance().register(PartsConfigSource)
    Plugins.instance().register(PartsSearchPath)


def run_recipe(words: Sequence[str], usage: str, task: Task) -> None:
    """Compose the recipe named first in `words`, but for `-m`, under the overrides that follow, and run `task` on it.

    Hydra's own options work too: `--cfg job`, `-m` for sweeps, `--info`. `task` gets the config as plain data.
    """
    words = sorted(words, key=lambda word: word in SWEEP_FLAGS)  # behind the recipe
    if not words or words[0] in _SHORT_HELP or words[-1] in _SHORT_HELP:
        print(usage, end="")
        return
    recipe = find_recipe(words[0])
    failures: list[Exception] = []
    starter = os.getpid()

    def run(config: DictConfig) -> float | None:
        if is_sweep():
            return _run_job(task, config, recipe, starter)
        try:
            return task(plain(config))
        except Interrupted:
            raise
        except _MISTAKES as error:
            failures.append(error)  # Hydra would print lines of its own
        return None

    _run_hydra(words[1:], recipe, run)
    for failure in failures:
        raise UserError(_sentence(failure, recipe)) if isinstance(failure, OmegaConfBaseException) else failure


def _run_hydra(words: Sequence[str], recipe: RecipeFile, run: Callable[[DictConfig], float | None]) -> None:
    """Let Hydra compose `recipe` under `words`, and call `run` with the config, for each job of a sweep."""
    register_plugins()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us, and become sentences below
    overrides = [word for word in words if word.startswith("~") or ("=" in word and not word.startswith("-"))]
    flags = [word for word in words if word not in overrides]  # Hydra wants them before the overrides
    _check_flags(flags)
    command, sys.argv = sys.argv, [sys.argv[0], *flags, *_HYDRA_OPTIONS, *overrides]
    started: list[str] = []

    def start(config: DictConfig) -> float | None:
        sys.argv = command  # Lightning starts the other ranks with it
        started.append(output_folder())
        return run(config)

    try:
        with closed_sweep():
            hydra.main(version_base="1.3", config_path=str(recipe.folder), config_name=recipe.name)(start)()
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        if isinstance(error, UserError) or (isinstance(error, ValueError) and (started or sweep_began())):
            raise
        raise UserError(_explain(error, recipe)) from error
    finally:
        sys.argv = command


def _run_job(task: Task, config: DictConfig, recipe: RecipeFile, starter: int) -> float | None:
    """Run a job of a sweep and write down how it ends; after a user's mistake the other jobs go on."""
    outcome, failure = None, None
    try:
        with own_log(Path(output_folder()), starter):
            outcome = task(plain(config))
    except Interrupted as error:
        print(f"seqrec: {error}", file=sys.stderr)
        raise KeyboardInterrupt from None  # ends the sweep, where Hydra would start the next job
    except _MISTAKES as error:
        failure = _sentence(error, recipe)
    except Exception as error:
        record_job(f"{type(error).__name__}: {error}", crashed=True)
        raise
    record_job(failure)
    return outcome


def _sentence(error: Exception, recipe: RecipeFile) -> str:
    return _explain(error, recipe) if isinstance(error, OmegaConfBaseException) else str(error)


def _check_flags(flags: Sequence[str]) -> None:
    """Refuse what Hydra does not know, for which it would print its own usage."""

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}; `seqrec VERB --help` names the options, and settings are given as KEY=VALUE")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    overrides = parser.parse_args(list(flags)).overrides
    if overrides:
        refuse(f"`{overrides[0]}` is neither an option nor a setting")


def plain(config: DictConfig) -> dict[str, Any]:
    """Return a composed config as plain data, every interpolation resolved, after looking for unknown keys."""
    if OmegaConf.missing_keys(config):
        missing = ", ".join(sorted(OmegaConf.missing_keys(config)))
        raise UserError(f"the config leaves {missing} open; give a value in the recipe or as KEY=VALUE")
    values: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    check_keys(values, known_keys())
    check_settings(values)
    return values


def known_keys() -> set[str]:
    """Return the top-level keys a config may have: the groups and the settings of conf/train.yaml."""
    base = yaml.safe_load((share_folder("conf") / "train.yaml").read_text(encoding="utf-8"))
    groups = {key for default in base["defaults"] if isinstance(default, Mapping) for key in default}
    return (groups | base.keys()) - {"defaults", "hydra"}


def output_folder() -> str:
    """Return the absolute run folder Hydra chose."""
    return HydraConfig.get().runtime.output_dir


def take_run_folder_away() -> None:
    """Remove the empty run folder that Hydra made, for verbs that do not train."""
    run = Path(output_folder())
    for path in (run, *run.parents):
        if path == Path.cwd() or not path.is_dir() or any(path.iterdir()):
            return
        path.rmdir()


def _explain(error: Exception, recipe: RecipeFile) -> str:
    """Say in one sentence what Hydra says in several."""
    text = str(error)
    unknown_key = re.search(r"Could not override '([^']+)'", text)
    option = re.search(r"Could not find '([^']+)'\s+Available options in '([^']+)':\s*(.*)", text, re.DOTALL)
    if option:
        choices = option[3].partition("Config search path")[0].split()
        group, name = option[2], option[1].rpartition("/")[2]
        if group in ("hydra/launcher", "hydra/sweeper") and name in _SWEEP_PLUGINS:
            return f"`{group}={name}` is not installed; pip install 'seqrec[sweeps]'"
        return f"`{group}={name}`: `{name}` is no option of the group `{group}`{did_you_mean(name, choices)}"
    if unknown_key:
        return _explain_key(unknown_key[1].partition("@")[0], recipe)
    interpolation = re.search(r"Interpolation key '([^']+)' not found\s+full_key: (\S+)", text)
    if interpolation:
        return (
            f"`{interpolation[2]}` needs `{interpolation[1]}`, which the recipe {recipe.name} has not; choose a part "
            "of the recipe's kind, for recordings or for ink"
        )
    ambiguous = re.search(r"Ambiguous value for argument '([^'=]+)=([^']*)'", text)
    if ambiguous:
        key, value = ambiguous.groups()
        return f"`{key}={value}` is several values: write '{key}=[{value}]' for a list, or -m for a sweep over them"
    if "override_grammar" in text:
        reason = " ".join(text.partition("See https")[0].split())
        mend = "put values with = , : or brackets in quotes: KEY='\"VALUE\"'"
        return f"{recipe.name}: a setting cannot be read ({reason}); {mend}"
    missing = re.search(r"Could not load '/?([^']+)'", text)
    if missing:
        choices = ["train", *list_groups()]
        return (
            f"the recipe {recipe.name} asks for `{missing[1]}`, which is not there{did_you_mean(missing[1], choices)}"
        )
    if "You must specify" in text:
        group = text.partition("'")[2].partition("'")[0]
        return f"the recipe {recipe.name} chooses no {group}; add `- override /{group}: NAME` to its defaults"
    text = text.partition("Config search path")[0]
    return f"the config of {recipe.name} cannot be composed: {' '.join(text.split())}"


def _explain_key(key: str, recipe: RecipeFile) -> str:
    """Say what is wrong with a key that the recipe has not."""
    of_parts = _keys_of_named_parts()
    if key in of_parts:
        return f"`{key}` is a key of {of_parts[key]}, which the recipe {recipe.name} has not; add {of_parts[key]}"
    return f"`{key}` is no key of the recipe {recipe.name}{did_you_mean(key, {*_keys_of(recipe), *of_parts})}"


def _keys_of_named_parts() -> dict[str, str]:
    """Return the keys of the parts that a recipe may hold by name, each with what brings it, as in augmentation=ink."""
    keys: dict[str, str] = {}
    for group in sorted(NAMED_PARTS):
        for path in sorted(share_folder("conf").glob(f"{group}/*.yaml")):
            part = complete(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
            keys.update(dict.fromkeys(_dotted({group: part}), f"{group}={path.stem}"))
    return keys


def list_groups() -> list[str]:
    """Return conf/'s files as Hydra names them, as in `encoder/bilstm`."""
    root = share_folder("conf")
    return [path.relative_to(root).with_suffix("").as_posix() for path in sorted(root.glob("*/*.yaml"))]


def _keys_of(recipe: RecipeFile) -> list[str]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(recipe.folder), version_base="1.3"):
        return list(_dotted(OmegaConf.to_container(hydra.compose(recipe.name), resolve=False)))


def _dotted(value: object, prefix: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield prefix + str(key)
            yield from _dotted(inner, f"{prefix}{key}.")
