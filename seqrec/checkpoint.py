"""Checkpoints: what is needed to recognise again, read without running any code of theirs."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqrec.errors import UserError
from seqrec.parts import FrontEnd, Reader, Tokenizer
from seqrec.recognizer import Recognizer
from seqrec.run_folder import updated
from seqrec.share import build
from seqrec.text.tokens import Symbol

KEY = "seqrec"  # where a checkpoint keeps its config and symbols
PREFIX = "recognizer."  # of its weights in the state dict


@dataclass(frozen=True)
class Parts:
    """A recogniser with what goes before and behind it."""

    config: Mapping[str, Any]  # the whole config of the run, as plain data
    reader: Reader
    recognizer: Recognizer
    tokenizer: Tokenizer
    symbols: tuple[Symbol, ...] = ()  # that the tokenizer was built with


def build_parts(config: Mapping[str, Any], symbols: tuple[Symbol, ...]) -> Parts:
    """Construct the parts a run's config names, with fresh weights."""
    tokenizer = build({**config["text"], "symbols": list(symbols)}, "text")
    reader = build(config["reader"], "reader")
    frontend = build(config["frontend"], "frontend")
    _check_match(config, reader, frontend)
    encoder = build(config["encoder"], "encoder", input_size=frontend.num_features)
    recognizer = Recognizer(frontend, encoder, len(tokenizer))
    return Parts(config, reader, recognizer, tokenizer, symbols)


def _check_match(config: Mapping[str, Any], reader: Reader, frontend: FrontEnd) -> None:
    if reader.num_channels != frontend.num_channels:
        raise UserError(
            f"{config['reader']['_target_']} gives signals of {reader.num_channels} channels, but "
            f"{config['frontend']['_target_']} takes {frontend.num_channels}; choose a reader and a front-end of a kind"
        )
    rates = [config[part].get("sample_rate") for part in ("reader", "frontend")]
    if None not in rates and rates[0] != rates[1]:
        raise UserError(f"reader.sample_rate={rates[0]} but frontend.sample_rate={rates[1]}; set the reader's alone")


def describe(config: Mapping[str, Any], symbols: tuple[Symbol, ...]) -> dict[str, Any]:
    """Return what a checkpoint must carry besides weights, as plain data."""
    return {"format": 1, "config": config, "symbols": list(symbols)}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint's data; its pickle may hold tensors and plain data only.

    Its config comes as this seqrec spells it.

    Raises:
        UserError: the file is missing, damaged, none of ours, or asks for code.
    """
    if not path.is_file():
        raise UserError(f"checkpoint {path} does not exist; give a run folder that holds checkpoints/best.ckpt")
    _check_sums(path)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"checkpoint {path} is damaged, or asks to run code, which is refused ({reason}); train it again"
        ) from None
    except Exception as error:  # a damaged pickle raises whatever its first wrong instruction stumbles over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"checkpoint {path} cannot be read ({reason}); copy or train it again") from None
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get(KEY), dict) or "state_dict" not in checkpoint:
        raise UserError(f"checkpoint {path} is no checkpoint of seqrec; give one that `seqrec train` wrote")
    if "config" in checkpoint[KEY]:
        checkpoint[KEY]["config"] = updated(checkpoint[KEY]["config"])
    return checkpoint


def _check_sums(path: Path) -> None:
    """Compare the archive's check sums: torch.load does not, and would take flipped bits for weights."""
    if not zipfile.is_zipfile(path):
        return  # torch.load says what else it is
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except Exception as error:  # whatever a damaged directory makes zipfile stumble over
        raise UserError(f"checkpoint {path} cannot be read ({error}); copy or train it again") from None
    if damaged:
        raise UserError(f"checkpoint {path} is damaged at {damaged}; copy or train it again")


def load_parts(path: Path) -> Parts:
    """Build the recogniser of a checkpoint, with its weights, ready to evaluate."""
    checkpoint = read_checkpoint(path)
    about = checkpoint[KEY]
    if about.get("format") != 1:
        raise UserError(
            f"checkpoint {path} has format {about.get('format')!r}, this seqrec reads format 1; use a newer seqrec"
        )
    try:
        parts = build_parts(about["config"], tuple(about["symbols"]))
        weights = {k.removeprefix(PREFIX): v for k, v in checkpoint["state_dict"].items() if k.startswith(PREFIX)}
        parts.recognizer.load_state_dict(weights)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"checkpoint {path} does not fit its own config ({str(error).splitlines()[0]}); train it again"
        ) from None
    parts.recognizer.eval()
    return parts
