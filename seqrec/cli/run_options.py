"""A run opened for evaluating or transcribing, with what the command line changes about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seqrec.cli.compose import complete
from seqrec.errors import UserError, did_you_mean
from seqrec.run_folder import RunFolder, open_run, part_name
from seqrec.share import build, constructor_defaults, share_folder
from seqrec.transcriber import Transcriber, check_device, load


@dataclass(frozen=True)
class OpenRun:
    """A run with its recogniser."""

    folder: RunFolder
    config: Mapping[str, Any]
    transcriber: Transcriber
    decoder_name: str


def load_run(path: str, options: Mapping[str, str]) -> OpenRun:
    """Load a run under `options`: decoder, decoder.OPTION, text.unknown, data_dir, device."""
    folder = open_run(path)
    config = folder.read_config()
    transcriber = load(path, check_device(options.get("device", "auto")))
    part = _decoder_part(config["decoder"], options)
    transcriber = Transcriber(transcriber.parts, build(part, "decoder"), transcriber.device)
    unknown = options.get("text.unknown", config["text"]["unknown"])
    if unknown not in ("error", "drop"):
        raise UserError(f"text.unknown={unknown} is neither error nor drop")
    transcriber.parts.tokenizer.unknown = unknown
    config["data_dir"] = options.get("data_dir", config["data_dir"])
    return OpenRun(folder, config, transcriber, part_name(part))


def _decoder_part(part: Mapping[str, Any], options: Mapping[str, str]) -> dict[str, Any]:
    """Return the run's decoder, or the one named, under its options."""
    part = dict(part)
    if "decoder" in options:
        names = {path.stem: path for path in (share_folder("conf") / "decoder").glob("*.yaml")}
        if options["decoder"] not in names:
            raise UserError(f"decoder={options['decoder']} is none{did_you_mean(options['decoder'], names)}")
        path: Path = names[options["decoder"]]
        part = complete(yaml.safe_load(path.read_text(encoding="utf-8")))
    known = constructor_defaults(part["_target_"]) or {}
    for key, value in options.items():
        group, _, name = key.partition(".")
        if group == "decoder" and name:
            if name not in known:
                raise UserError(f"`{key}` is no option of {part['_target_']}{did_you_mean(name, known)}")
            part[name] = yaml.safe_load(value)
    return part
