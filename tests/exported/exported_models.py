"""Small recognisers with random weights, and the files they are exported to, for the tests of what runs these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from seqrec.checkpoint import Parts, build_parts
from seqrec.export.exporting import even_borders
from seqrec.export.quantisation import quantised
from seqrec.export.recognizer_graph import features_model, signals_model
from seqrec.exported.model_file import sealed

TEMPERATURE = 1.5
ENCODER = {
    "_target_": "seqrec.encoders.recurrent.RecurrentEncoder",
    "hidden_size": 12,
    "num_layers": 1,
    "stack_size": 3,
    "stack_stride": 2,
}
SPEECH = {
    "reader": {"_target_": "seqrec.speech.audio.AudioReader", "sample_rate": 8000},
    "frontend": {
        "_target_": "seqrec.speech.logmel.LogMel",
        "sample_rate": 8000,
        "num_mels": 20,
        "window_ms": 25.0,
        "hop_ms": 10.0,
        "normalize": "utterance",
    },
}
INK = {
    "reader": {"_target_": "seqrec.ink.reader.InkReader"},
    "frontend": {
        "_target_": "seqrec.ink.deltas.StrokeDeltas",
        "step": 0.05,
        "time": True,
        "normalize": "global",
        "slope": False,
        "slant": False,
        "height": False,
    },
}


def random_parts(kind: dict[str, Any]) -> Parts:
    """A recogniser of `SPEECH` or `INK` that gives out all of its tokens."""
    config = {
        **kind,
        "encoder": ENCODER,
        "text": {"_target_": "seqrec.text.tokens.CharacterTokenizer"},
        "decoder": {"_target_": "seqrec.ctc.greedy.GreedyDecoder"},
    }
    with torch.random.fork_rng():
        torch.manual_seed(1)
        parts = build_parts(config, tuple(" abcdefgh"))
        torch.nn.init.normal_(parts.recognizer.head.weight, std=4.0)
        if kind is INK:
            parts.recognizer.frontend.normalisation.mean.normal_(std=0.1)  # type: ignore[attr-defined]
            parts.recognizer.frontend.normalisation.deviation.uniform_(0.5, 2.0)  # type: ignore[attr-defined]
    parts.recognizer.eval()
    return parts


def metadata_of(parts: Parts, engine: str = "onnx") -> dict[str, Any]:
    """What the metadata of an exported model holds, as far as it is read."""
    is_ink = parts.reader.length_unit == "points"
    normalisation = parts.recognizer.frontend.normalisation  # type: ignore[attr-defined]
    statistics = {"mean": normalisation.mean.tolist(), "deviation": normalisation.deviation.tolist()}
    return {
        "format": 1,
        "input": "features" if is_ink else "signals",
        "engine": engine,
        "config": parts.config,
        "symbols": list(parts.symbols),
        "normalisation": statistics if is_ink else None,
        "frame_borders": even_borders(parts.recognizer.encoder),
        "temperature": TEMPERATURE,
    }


def write_model(parts: Parts, path: Path, metadata: Any = None) -> Path:
    """Write a model with its metadata, or other ones: a string as it is, anything else as JSON."""
    metadata = metadata_of(parts) if metadata is None else metadata
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    make = features_model if parts.reader.length_unit == "points" else signals_model
    model = make(parts.recognizer, {"seqrec": text})
    if isinstance(metadata, dict) and metadata.get("engine") == "onnx-int8":
        model = quantised(model)
    path.write_bytes(sealed(model.SerializeToString()))
    return path


def write_sources(parts: Parts, folder: Path, count: int) -> list[Path]:
    """Write recordings, some at another rate and in stereo, or inks, of lengths that differ."""
    folder.mkdir()
    random = np.random.default_rng(0)
    paths = []
    for number in range(count):
        if parts.reader.length_unit == "points":
            paths.append(folder / f"{number:02}.json")
            sizes = random.integers(1, 20, random.integers(1, 5))
            strokes = [random.normal(0, 9, (size, 3)).cumsum(axis=0).tolist() for size in sizes]
            paths[-1].write_text(json.dumps({"strokes": strokes}))
        else:
            paths.append(folder / f"{number:02}.wav")
            samples = random.normal(0, 0.1, (int(random.integers(50, 9000)), 1 + number % 2))
            soundfile.write(paths[-1], samples, (8000, 16000, 11025)[number % 3])
    return paths
