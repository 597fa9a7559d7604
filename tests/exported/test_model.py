"""Opening exported models whose metadata are wrong, and running them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from exported.exported_models import INK, SPEECH, metadata_of, random_parts, write_model

from seqrec.errors import UserError
from seqrec.exported.model import ExportedModel, num_threads
from seqrec.exported.transcription import load
from seqrec.sequence import Features

PARTS = {"speech": random_parts(SPEECH), "ink": random_parts(INK)}
HUGE = "9" * 5000
WRONG: list[tuple[str, list[str], Any, str]] = [
    ("ink", ["format"], 2, "format 2"),
    ("ink", ["format"], True, "format True"),
    ("ink", ["format"], None, "format None"),
    ("ink", ["input"], "images", "`input`"),
    ("ink", ["input"], "signals", "from features, lengths"),
    ("ink", ["engine"], "int8", "`engine`"),
    ("ink", ["config"], [], "`config`"),
    ("ink", ["config", "text"], "abc", "`config.text`"),
    ("ink", ["config", "decoder"], None, "`config.decoder`"),
    ("ink", ["config", "text", "_target_"], "os.system", "outside the allowed packages"),
    ("ink", ["config", "text", "_target_"], "seqrec.share.os.system", "cannot be imported|not a class"),
    ("ink", ["config", "text", "_target_"], "seqrec.ctc.greedy.GreedyDecoder", "no option of"),
    ("ink", ["config", "text", "case"], 7, "text.case"),
    ("ink", ["config", "decoder", "_target_"], "seqrec.text.normalise.Normalisation", "decode_arrays"),
    ("ink", ["config", "decoder", "beam"], 7, "decoder.beam"),
    ("ink", ["config", "reader", "_target_"], "mine.Reader", "needs torch"),
    ("ink", ["config", "frontend", "step"], 1e-310, "frontend|frames"),
    ("ink", ["config", "frontend", "step"], "x", "frontend.step"),
    ("ink", ["symbols"], "abc", "`symbols`"),
    ("ink", ["symbols"], list("abc"), "alphabet has 4 tokens"),
    ("ink", ["symbols"], [["a", []], *"bcdefghi"], "symbols"),
    ("ink", ["symbols"], [7, *"bcdefghi"], "symbols"),
    ("ink", ["normalisation"], None, "no `normalisation`"),
    ("ink", ["normalisation"], [1, 2], "`normalisation`"),
    ("ink", ["normalisation", "mean"], [0.0, 1.0], "`normalisation`"),
    ("ink", ["normalisation", "mean"], [[0.0]] * 5, "`normalisation`"),
    ("ink", ["normalisation", "mean"], ["x"] * 5, "`normalisation`"),
    ("ink", ["normalisation", "mean"], [float("nan")] * 5, "`normalisation`"),
    ("ink", ["normalisation", "mean"], [10**400] * 5, "`normalisation`"),
    ("ink", ["normalisation", "deviation"], [0.0] * 5, "`normalisation`"),
    ("ink", ["normalisation", "deviation"], [-1.0] * 5, "`normalisation`"),
    ("speech", ["config", "frontend", "window_ms"], 0.0, "frontend.window_ms=0.0 is no time"),
    ("speech", ["config", "frontend", "hop_ms"], float("nan"), "frontend.hop_ms=nan is no time"),
    ("ink", ["frame_borders"], None, "`frame_borders.first`"),
    ("ink", ["frame_borders", "first"], float("nan"), "`frame_borders.first`"),
    ("ink", ["frame_borders", "stride"], 10**400, "`frame_borders.stride`"),
    ("ink", ["temperature"], 0, "`temperature`"),
    ("ink", ["temperature"], True, "`temperature`"),
    ("speech", ["config", "reader", "sample_rate"], 10**30, "reader.sample_rate"),
    ("speech", ["config", "reader", "sample_rate"], 0, "reader.sample_rate"),
    ("speech", ["config", "reader", "sample_rate"], 8000.0, "reader.sample_rate"),
    ("speech", ["config", "reader", "sample_rate"], True, "reader.sample_rate"),
    ("speech", ["config", "frontend", "hop_ms"], 1e308, "frontend.hop_ms"),
    ("speech", ["config", "frontend", "hop_ms"], 10**400, "frontend.hop_ms"),
    ("speech", ["config", "frontend", "hop_ms"], None, "frontend.hop_ms"),
    ("speech", ["config", "frontend", "hop_ms"], 0, "frontend.hop_ms"),
]


@pytest.mark.parametrize(("kind", "place", "value", "says"), WRONG)
def test_wrong_metadata_are_named(kind: str, place: list[str], value: Any, says: str, tmp_path: Path) -> None:
    metadata = copy.deepcopy(metadata_of(PARTS[kind]))
    inner = metadata
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path = write_model(PARTS[kind], tmp_path / "a.onnx", metadata)
    with pytest.raises(UserError, match=says) as caught:
        load(path).transcribe([[[0.0, 0.0], [1.0, 1.0]]])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", "[" * 100_000, "{}", f'{{"format": {HUGE}}}'])
def test_metadata_that_are_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.onnx: "):
        ExportedModel(write_model(PARTS["ink"], tmp_path / "a.onnx", text))


def test_log_probs_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    model = ExportedModel(write_model(PARTS["ink"], tmp_path / "a.onnx"))
    random = np.random.default_rng(0)
    features = [random.normal(size=(size, 5)).astype(np.float32) for size in (1, 30, 7, 29)]
    together = model.recognise(features)
    for one, found in zip(features, together, strict=True):
        np.testing.assert_allclose(found, model.recognise([one])[0], atol=1e-5)
        with torch.no_grad():
            torchs = PARTS["ink"].recognizer.recognise(Features(torch.from_numpy(one)[None], torch.tensor([len(one)])))
        np.testing.assert_allclose(found, torchs.log_probs[0].numpy(), atol=1e-4)


def test_with_int8_an_ink_gives_the_same_bits_beside_any_other(tmp_path: Path) -> None:
    metadata = metadata_of(PARTS["ink"], "onnx-int8")
    model = ExportedModel(write_model(PARTS["ink"], tmp_path / "a.onnx", metadata))
    random = np.random.default_rng(0)
    features = [scale * random.normal(size=(20, 5)).astype(np.float32) for scale in (1, 100)]
    for one, found in zip(features, model.recognise(features), strict=True):
        np.testing.assert_array_equal(found, model.recognise([one])[0])


def test_threads_are_those_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert num_threads() == 3
    for value in ("0", "-1", "x", "", "9" * 30):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert 1 <= num_threads() < 10_000
