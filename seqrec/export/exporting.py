"""From a run to an .onnx file that recognises without torch: built, compared with torch, scored on dev, written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from seqrec.corpora.archives.fetch import file_digest
from seqrec.corpora.shards.fetch import corpus_folder
from seqrec.engine import OnnxRecognizer, open_session, require_onnx
from seqrec.errors import UserError
from seqrec.export.dev_scores import DevScores, Track, dev_scores
from seqrec.export.frontends import has_graph
from seqrec.export.parity import TOLERANCE, Parity, random_parity
from seqrec.export.quantisation import quantised
from seqrec.export.recognizer_graph import features_model, signals_model
from seqrec.exported.metadata import FORMAT, KEY, read_metadata
from seqrec.exported.model_file import read_sealed, sealed
from seqrec.exported.signals import model_reader
from seqrec.normalisation import GlobalNormalisation
from seqrec.parts import Encoder
from seqrec.run_folder import checkpoint_of
from seqrec.timing import frame_borders
from seqrec.transcriber import Transcriber, load
from seqrec.version import __version__

if TYPE_CHECKING:
    import onnx

_BORDERS = 100  # between frames that leave the encoder, whose distance is looked at
_MOST_COMPARED = 64  # examples of dev that a float32 model is compared on before it is quantised


@dataclass(frozen=True)
class Exported:
    """What was written, and how it compares with torch."""

    path: Path
    engine: str  # onnx or onnx-int8
    size: int  # bytes
    input: Literal["signals", "features"]  # what goes into it
    parity: Parity  # of the float32 model
    rounding: Parity | None  # of the int8 model, which may lie apart; None: it is none
    dev: DevScores | None  # None: not asked for, or dev is not at hand
    manifest: Path  # of dev
    needs_torch: str | None  # why `seqrec transcribe` cannot make what goes into it; None: it can


def export(
    run: str | Path,
    path: Path,
    engine: str = "onnx",
    max_dev: int = 500,
    data_dir: str | None = None,
    track: Track = iter,
) -> Exported:
    """Write a run's best checkpoint as an ONNX model, checked against torch on random batches and on dev.

    Log-mel and MFCC front-ends are inside the file, which then takes signals; others stay beside it.

    Args:
        run: the run's folder.
        path: of the file; one that is there is replaced once the new one is whole.
        engine: `onnx` for float32, `onnx-int8` for 8-bit weights.
        max_dev: examples of dev that torch and the model are scored on, at most; 0: none.
        data_dir: where the prepared corpus lies, if it has moved.
        track: shows progress over dev.

    Raises:
        UserError: a package is missing, the encoder has no graph or no int8, or the model differs from torch.
    """
    require_onnx("exporting")
    transcriber = load(run)
    parts = transcriber.parts
    manifest = corpus_folder({**parts.config, "data_dir": data_dir or parts.config["data_dir"]}) / "manifest-dev.jsonl"
    comparison = _Comparison(transcriber, manifest, track)
    takes_signals = has_graph(parts.recognizer.frontend)
    model = (signals_model if takes_signals else features_model)(parts.recognizer, {})
    rounding = None
    if engine == "onnx":
        parity, dev = comparison.with_torch(model, max_dev, TOLERANCE)
    else:
        parity, _ = comparison.with_torch(model, min(max_dev, _MOST_COMPARED), TOLERANCE)
        model = quantised(model)
        rounding, dev = comparison.with_torch(model, max_dev, None)
    input: Literal["signals", "features"] = "signals" if takes_signals else "features"
    metadata = _metadata(transcriber, input, engine, checkpoint_of(run), dev)
    _write(model, path, metadata)
    size, needs_torch = path.stat().st_size, _needs_torch(metadata, path)
    return Exported(path, engine, size, input, parity, rounding, dev, manifest, needs_torch)


@dataclass(frozen=True)
class _Comparison:
    """What models are compared with, and on what."""

    transcriber: Transcriber  # torch's
    manifest: Path  # of dev, which need not be there
    track: Track

    def with_torch(
        self, model: onnx.ModelProto, max_dev: int, tolerance: float | None
    ) -> tuple[Parity, DevScores | None]:
        """Return how far a model lies from torch on random batches and dev, and the scores of both there."""
        recognizer = self.transcriber.parts.recognizer
        is_int8 = tolerance is None
        found = OnnxRecognizer(recognizer, open_session(model.SerializeToString()), one_by_one=is_int8)
        parity = random_parity(recognizer, found, tolerance)
        if max_dev < 1 or not self.manifest.is_file():
            return parity, None
        scores = dev_scores(self.transcriber, found, self.manifest, max_dev, tolerance, self.track)
        return parity + scores.parity, scores


def _metadata(transcriber: Transcriber, input: str, engine: str, checkpoint: Path, dev: DevScores | None) -> str:
    """Return what the file says of itself, as JSON."""
    parts = transcriber.parts
    about = {
        "format": FORMAT,
        "version": __version__,
        "input": input,
        "engine": engine,
        "config": parts.config,
        "symbols": parts.symbols,
        "normalisation": None if input == "signals" else _normalisation(parts.recognizer.frontend),
        "frame_borders": even_borders(parts.recognizer.encoder),
        "temperature": transcriber.temperature,
        "checkpoint": file_digest(checkpoint),
        "dev": dev and dev.to_json(),
    }
    return json.dumps(about, ensure_ascii=False)


def even_borders(encoder: Encoder) -> dict[str, float]:
    """Return the first border between frames that leave the encoder, in frames that enter it, and how far it is on."""
    borders = frame_borders(encoder, _BORDERS)
    first, stride = float(borders[1]), float(borders[2] - borders[1])
    assert (borders[1:] == first + stride * np.arange(_BORDERS)).all(), "frames leave all encoders evenly"
    return {"first": first, "stride": stride}


def _normalisation(frontend: Any) -> dict[str, list[float]] | None:
    """Return what the front-end beside the file normalises by, in training data's units."""
    if getattr(frontend, "normalize", None) != "global":
        return None
    statistics: GlobalNormalisation = frontend.normalisation
    return {"mean": statistics.mean.tolist(), "deviation": statistics.deviation.tolist()}


def _needs_torch(metadata: str, path: Path) -> str | None:
    try:
        model_reader(read_metadata(metadata, str(path)), str(path))
    except UserError as error:
        return str(error)
    return None


def _write(model: onnx.ModelProto, path: Path, metadata: str) -> None:
    """Write a model, and put it in its place once it is whole and loads."""
    import onnx

    onnx.helper.set_model_props(model, {KEY: metadata})
    data = sealed(model.SerializeToString())
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        session = open_session(str(part))
        read_metadata(session.get_modelmeta().custom_metadata_map[KEY], str(part))
        if read_sealed(part) != data:
            raise UserError(f"{part}: what was read back is not what was written; look after the disk, and try again")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
