"""Engines: the same recogniser by torch and by ONNX Runtime, in float32 and less."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import seqrec.transcriber
from seqrec.engine import ENGINES, OnnxRecognizer, check_engine, open_session, require_onnx, with_engine
from seqrec.errors import UserError
from seqrec.export.recognizer_graph import signals_model
from seqrec.long_signals.windows import Windows
from seqrec.sequence import length_mask, pad_signals
from seqrec.transcriber import LongSignal, Transcriber, load

BORNE = {"torch-bf16": 0.05, "onnx": 1e-3, "onnx-int8": 0.05}  # differences of log-probs of a small model


def loaded(run: Path, engine: str) -> Transcriber:
    """Load a run of little training, which gives more than blanks."""
    transcriber = seqrec.transcriber.load(run)
    with torch.no_grad():
        transcriber.parts.recognizer.head.bias[0] -= 2
    return Transcriber(with_engine(transcriber.parts, engine), transcriber.decoder)


def noise(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 1, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize("engine", BORNE)
def test_log_probs_are_near_torchs_on_a_ragged_batch(speech_run: Path, engine: str) -> None:
    signals, lengths = pad_signals([noise(9000), noise(300, 1), noise(20000, 2)])
    with torch.inference_mode():
        expected = loaded(speech_run, "torch").parts.recognizer(signals, lengths)
        found = loaded(speech_run, engine).parts.recognizer(signals, lengths)
    assert found.lengths.tolist() == expected.lengths.tolist()
    assert found.log_probs.dtype == torch.float32
    apart = (found.log_probs - expected.log_probs)[length_mask(expected.lengths, expected.log_probs.shape[1])]
    assert 0 < apart.abs().max() < BORNE[engine]
    total = found.log_probs.logsumexp(-1)[length_mask(found.lengths, found.log_probs.shape[1])]
    torch.testing.assert_close(total, torch.zeros_like(total), atol=1e-5, rtol=0)  # log-softmax stays in float32


def test_with_int8_a_signal_gives_the_same_bits_beside_any_other(speech_run: Path) -> None:
    recognizer = loaded(speech_run, "onnx-int8").parts.recognizer
    loud = pad_signals([noise(9000), noise(300, 1), 30 * noise(20000, 2)])
    with torch.inference_mode():
        alone, beside = recognizer(*pad_signals([noise(9000)])), recognizer(*loud)
    assert torch.equal(beside.log_probs[0, : alone.lengths[0]], alone.log_probs[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_recording_reads_as_by_torch(speech_run: Path, engine: str) -> None:
    samples = np.concatenate([noise(16000, seed)[:, 0] * (seed % 3 > 0) for seed in range(12)]).astype(np.float32)
    texts = []
    for transcriber in (loaded(speech_run, "torch"), loaded(speech_run, engine)):
        transcriber.windows = Windows(3.0, 1.0)
        assert isinstance(transcriber.open(samples), LongSignal)
        texts.append(transcriber.transcribe(samples))
    assert texts[1].best.words
    if engine in ("torch", "onnx"):
        assert texts[0].text == texts[1].text


@pytest.mark.parametrize("engine", ENGINES)
def test_an_ink_reads_with_times(ink_run: Path, engine: str) -> None:
    strokes = [[[0, 0], [0, 30], [4, 34]], [[-10, 10], [10, 10]]]
    by_torch, found = (loaded(ink_run, name).transcribe(strokes) for name in ("torch", engine))
    assert found.best.characters
    if engine == "onnx":
        assert [(span.text, span.start) for span in found.best.characters] == [
            (span.text, span.start) for span in by_torch.best.characters
        ]


def test_a_graph_with_the_front_end_inside_takes_signals(speech_run: Path) -> None:
    recognizer = loaded(speech_run, "torch").parts.recognizer
    found = OnnxRecognizer(recognizer, open_session(signals_model(recognizer, {}).SerializeToString()))
    signals, lengths = pad_signals([noise(9000), noise(20000, 2)])
    with torch.inference_mode():
        torch.testing.assert_close(
            found(signals, lengths).log_probs[1], recognizer(signals, lengths).log_probs[1], atol=1e-4, rtol=1e-4
        )


def test_onnx_runs_on_the_cpu_with_torchs_threads(speech_run: Path) -> None:
    recognizer = loaded(speech_run, "onnx").parts.recognizer
    assert recognizer.session.get_session_options().intra_op_num_threads == torch.get_num_threads()
    assert load(speech_run, "auto", engine="onnx").device == "cpu"
    with pytest.raises(UserError, match="engine=onnx with device=cuda: it runs on the CPU"):
        load(speech_run, "cuda", engine="onnx")


def test_engines_that_are_none() -> None:
    for engine in ENGINES:
        assert check_engine(engine) == engine
    with pytest.raises(UserError, match=r"engine=onnx-int9 is none of torch, .*did you mean `onnx-int8`"):
        check_engine("onnx-int9")


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_its_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    require_onnx("engine=onnx")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"engine=onnx needs ONNX .*{package}.*pip install 'seqrec\[onnx\]'"):
        require_onnx("engine=onnx")
