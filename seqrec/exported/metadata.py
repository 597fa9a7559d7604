"""What an exported model tells about itself: JSON under the key `seqrec` of the ONNX file's metadata, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import Any, Literal

import numpy as np

from seqrec.errors import UserError

KEY = "seqrec"
FORMAT = 1
_MOST = 1e6  # of a number
_PARTS = ("reader", "frontend", "text", "decoder")


@dataclass(frozen=True)
class Metadata:
    """What is needed to recognise with a model, beside the model itself."""

    input: Literal["signals", "features"]  # what the graph takes; features come from a front-end beside it
    engine: Literal["onnx", "onnx-int8"]
    config: Mapping[str, Any]  # of the run
    symbols: tuple[Any, ...]  # that its tokenizer was built with
    mean: np.ndarray | None  # (F,) float32, that the front-end beside it normalises by, and
    deviation: np.ndarray | None  # (F,) float32
    first_border: float  # between the first two frames that leave the encoder, in frames that enter it
    frame_stride: float  # from there to the next border, in frames that enter it
    temperature: float  # that confidences are calibrated with; 1: as they are


def read_metadata(text: str | None, where: str) -> Metadata:
    """Read the JSON of the model that messages call `where`.

    Raises:
        UserError: it is missing, or not as `seqrec export` writes it.
    """
    if text is None:
        raise UserError(f"{where}: is no model of seqrec, whose metadata it lacks; give one that `seqrec export` wrote")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: its metadata is not JSON ({error}); export it again") from None
    if not isinstance(record, dict):
        raise _wrong(where, "seqrec", record)
    if record.get("format") != FORMAT or isinstance(record["format"], bool):
        raise UserError(
            f"{where}: has format {short_repr(record.get('format'))}, this seqrec reads format {FORMAT}; "
            "use a newer seqrec, or export it again"
        )
    return _checked(record, where)


def _checked(record: Mapping[str, Any], where: str) -> Metadata:
    config, symbols = record.get("config"), record.get("symbols")
    if record.get("input") not in ("signals", "features"):
        raise _wrong(where, "input", record.get("input"))
    if record.get("engine") not in ("onnx", "onnx-int8"):
        raise _wrong(where, "engine", record.get("engine"))
    if not isinstance(config, dict):
        raise _wrong(where, "config", config)
    for name in _PARTS:
        if not isinstance(config.get(name), dict):
            raise _wrong(where, f"config.{name}", config.get(name))
    if not isinstance(symbols, list):
        raise _wrong(where, "symbols", symbols)
    pairs = (tuple(symbol) if isinstance(symbol, list) else symbol for symbol in symbols)  # JSON has no tuples
    normalisation = _normalisation(record.get("normalisation"), where)
    borders = record.get("frame_borders")
    borders = borders if isinstance(borders, dict) else {}
    first, stride = (_positive(borders.get(name), f"frame_borders.{name}", where) for name in ("first", "stride"))
    temperature = _positive(record.get("temperature"), "temperature", where)
    return Metadata(record["input"], record["engine"], config, tuple(pairs), *normalisation, first, stride, temperature)


def _positive(value: Any, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MOST:
        raise _wrong(where, name, value)
    return float(value)


def _normalisation(record: Any, where: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    if record is None:
        return None, None
    try:
        mean, deviation = (np.array(record[name], dtype=np.float32) for name in ("mean", "deviation"))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _wrong(where, "normalisation", record) from None
    is_usable = mean.ndim == 1 and mean.shape == deviation.shape and np.isfinite(mean).all()
    if not is_usable or not (np.isfinite(deviation) & (deviation > 0)).all():
        raise _wrong(where, "normalisation", record)
    return mean, deviation


def _wrong(where: str, name: str, value: Any) -> UserError:
    return UserError(f"{where}: `{name}` of its metadata is {short_repr(value)}; export it again")
