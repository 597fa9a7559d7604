"""A run opened for evaluating or transcribing, with what the command line changes about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seqrec.cli.compose import complete
from seqrec.errors import UserError, did_you_mean
from seqrec.progress import console
from seqrec.run_folder import RunFolder, open_run, part_name
from seqrec.share import build, constructor_defaults, share_folder
from seqrec.transcriber import Transcriber, load

_PREFIX = "decoder."


@dataclass(frozen=True)
class OpenRun:
    """A run with its recogniser."""

    folder: RunFolder
    config: Mapping[str, Any]
    transcriber: Transcriber
    decoder_name: str
    decoder_part: Mapping[str, Any]  # what the decoder was built from


def load_run(path: str, options: Mapping[str, str], as_tuned: bool = True) -> OpenRun:
    """Load a run under `options`: decoder, decoder.OPTION, text.unknown, data_dir, device, engine.

    A decoder that `seqrec tune` has tuned for this run takes what it found, but for the options that are given;
    not so where `as_tuned` is false.
    """
    folder = open_run(path)
    config = folder.read_config()
    part, name = chosen_decoder(config["decoder"], options)
    tuned = _tuned(folder, name, part["_target_"], options) if as_tuned else {}
    part = with_options(part, tuned, options)
    device, engine = options.get("device", "auto"), options.get("engine", "torch")
    transcriber = load(path, device, build(part, "decoder"), engine)
    unknown = options.get("text.unknown", config["text"]["unknown"])
    if unknown not in ("error", "drop"):
        raise UserError(f"text.unknown={unknown} is neither error nor drop")
    transcriber.parts.tokenizer.unknown = unknown
    config["data_dir"] = options.get("data_dir", config["data_dir"])
    return OpenRun(folder, config, transcriber, part_name(part), part)


def chosen_decoder(part: Mapping[str, Any], options: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """Return the run's decoder, or the one named in `options`, and its name."""
    if "decoder" not in options:
        return dict(part), part_name(part)
    name = options["decoder"]
    paths = {path.stem: path for path in (share_folder("conf") / "decoder").glob("*.yaml")}
    if name not in paths:
        raise UserError(f"decoder={name} is none{did_you_mean(name, paths)}")
    return complete(yaml.safe_load(paths[name].read_text(encoding="utf-8"))), name


def with_options(part: dict[str, Any], tuned: Mapping[str, Any], options: Mapping[str, str]) -> dict[str, Any]:
    """Return a decoder with what was tuned and what is given."""
    known = constructor_defaults(part["_target_"]) or {}
    given = {key.partition(".")[2]: yaml.safe_load(value) for key, value in options.items() if key.startswith(_PREFIX)}
    for name in (name for name in given if name not in known):
        hint = "; it gives one reading, decoder=beam more" if name == "n_best" else did_you_mean(name, known)
        raise UserError(f"`decoder.{name}` is no option of {part['_target_']}{hint}")
    return {**part, **tuned, **given}


def tuning_file(folder: RunFolder, decoder: str) -> Path:
    """Return where the options lie that a decoder was tuned to."""
    return folder.path / "tuning" / f"{decoder}.json"


def _tuned(folder: RunFolder, decoder: str, target: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Return the options that a decoder was tuned to, and say so; none where they are of another language model.

    Raises:
        UserError: the file is damaged, or holds what the decoder has no option for.
    """
    path = tuning_file(folder, decoder)
    if not path.is_file():
        return {}
    try:
        tuned = json.loads(path.read_text(encoding="utf-8"))["options"]
        tuned = dict(tuned.items())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} holds no `options` ({error}); tune again, or delete it") from None
    known = constructor_defaults(target) or {}
    strangers = [key for key in tuned if key not in known]
    if strangers:
        raise UserError(f"{path}: `{strangers[0]}` is no option of {target}; tune again, or delete it")
    others = [key for key in ("lm", "unit") if _differs(options.get(_PREFIX + key), tuned.get(key))]
    if others:
        _say(f"{path} is of {', '.join(f'{key}={tuned.get(key)}' for key in others)}: not used")
        return {}
    used = {key: value for key, value in tuned.items() if _PREFIX + key not in options}
    _say(f"decoder={decoder} as tuned ({path}): {', '.join(f'{key}={value}' for key, value in used.items())}")
    return tuned


def _differs(given: str | None, tuned: Any) -> bool:
    return given is not None and Path(given).expanduser().resolve() != Path(str(tuned)).resolve()


def _say(message: str) -> None:
    console.print(message, soft_wrap=True, highlight=False, markup=False)
