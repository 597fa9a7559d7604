"""What a composed config must be, beyond what Hydra knows of it: no unknown keys, settings of the right type."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any

from seqrec.errors import UserError, did_you_mean
from seqrec.share import constructor_defaults

NAMED_PARTS = {"augmentation", "callbacks", "logger"}  # groups that hold parts by name, several at once or none
_BEST_BY = ("dev_cer", "dev_wer", "dev_loss", "epoch")
_SETTINGS = {  # keys that are no part
    "recipe",
    "seed",
    "best_by",
    "checkpoint_steps",
    "data_dir",
    "shards",
    "shard_mb",
    "init_from",
    "score_test",
}


def check_settings(config: Mapping[str, Any]) -> None:
    """Refuse settings of conf/train.yaml of the wrong type."""
    for key, least, most in (("seed", 0, 2**32 - 1), ("checkpoint_steps", 1, sys.maxsize)):
        value = config[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise UserError(f"{key}={value!r} is not a whole number from {least} to {most}")
    if config["best_by"] not in _BEST_BY:
        raise UserError(f"best_by={config['best_by']!r} is none{did_you_mean(str(config['best_by']), _BEST_BY)}")
    if not isinstance(config["data_dir"], str) or not config["data_dir"]:
        raise UserError(f"data_dir={config['data_dir']!r} is not the path of a folder")
    _check_shards(config["shards"], config["shard_mb"])
    if not isinstance(config["score_test"], bool):
        raise UserError(f"score_test={config['score_test']!r} is neither true nor false")
    if config["init_from"] is not None and not isinstance(config["init_from"], str):
        raise UserError(f"init_from={config['init_from']!r} is not the path of a run; leave it null to start afresh")
    for key in config.keys() - _SETTINGS:
        parts = config[key].values() if key in NAMED_PARTS and isinstance(config[key], Mapping) else [config[key]]
        if not all(isinstance(part, Mapping) and "_target_" in part for part in parts if part is not None):
            raise UserError(f"`{key}` is {config[key]!r}, not a part with a `_target_`; choose one with {key}=NAME")


def _check_shards(address: object, megabytes: object) -> None:
    if address is not None and (not isinstance(address, str) or not address):
        raise UserError(f"shards={address!r} is neither a folder nor a URL; leave it null for no shards")
    if not isinstance(megabytes, (int, float)) or isinstance(megabytes, bool) or not 0 < megabytes < float("inf"):
        raise UserError(f"shard_mb={megabytes!r} is not a number above 0")


def check_keys(config: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse top-level keys that are not `known`, and options that the constructor of their part does not know."""
    for key, part in config.items():
        if key not in known:
            raise UserError(f"`{key}` is no key of a recipe{did_you_mean(key, known)}")
        if key in NAMED_PARTS and isinstance(part, Mapping):
            for name, named in part.items():
                _check_options(f"{key}.{name}", named)
        else:
            _check_options(key, part)


def _check_options(key: str, part: Any) -> None:
    defaults = constructor_defaults(part.get("_target_", "")) if isinstance(part, Mapping) else None
    strangers = [] if defaults is None else [each for each in part if each not in {"_target_", *defaults}]
    if not strangers:
        return
    assert defaults is not None
    name = str(part["_target_"]).rpartition(".")[2]
    without = " ".join(f"~{key}.{option}" for option in strangers)
    if len(strangers) == 1:
        hint = did_you_mean(strangers[0], defaults)
        raise UserError(f"`{key}.{strangers[0]}` is no option of {name}{hint}; {without} leaves it out")
    named = ", ".join(f"`{key}.{option}`" for option in strangers)
    raise UserError(f"{named} are no options of {name}; {without} leaves them out")
