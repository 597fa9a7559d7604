"""Transcribing with exported models: as with torch, in any batches, and what cannot be read named."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from exported.exported_models import INK, SPEECH, TEMPERATURE, random_parts, write_model, write_sources
from hypothesis import given
from hypothesis import strategies as st

import seqrec
from seqrec.checkpoint import Parts
from seqrec.errors import UserError
from seqrec.exported.transcription import ExportedTranscriber, Recognized, batches_by_length, load
from seqrec.formats.ink_files import read_ink
from seqrec.parts import Decoder
from seqrec.share import build
from seqrec.transcriber import Transcriber
from seqrec.transcript import Reading, Transcript

DECODERS = [
    {"_target_": "seqrec.ctc.greedy.GreedyDecoder"},
    {"_target_": "seqrec.ctc.beam.BeamDecoder", "beam_size": 16, "n_best": 3},
]


@pytest.fixture(params=["speech", "ink"])
def parts(request: pytest.FixtureRequest) -> Parts:
    return random_parts(SPEECH if request.param == "speech" else INK)


@pytest.fixture
def model(parts: Parts, tmp_path: Path) -> ExportedTranscriber:
    return load(write_model(parts, tmp_path / "a.onnx"))


def assert_same_spans(found: Reading, expected: Reading) -> None:
    """Places to a sample or a point; of resampled recordings, NumPy's and torch's samples differ in the last digit."""
    for some, others in ((found.words, expected.words), (found.characters, expected.characters)):
        assert [one.text for one in some] == [one.text for one in others]
        places = [(one.start, one.end) for one in some]
        np.testing.assert_allclose(places, [(one.start, one.end) for one in others], atol=1)
        confidences = [one.confidence for one in others]
        assert [one.confidence for one in some] == pytest.approx(confidences, abs=1e-3)


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_same_as_with_torch(
    decoder: dict[str, Any], parts: Parts, model: ExportedTranscriber, tmp_path: Path
) -> None:
    paths = write_sources(parts, tmp_path / "sources", 12)
    torchs: Decoder = build(decoder, "decoder")
    transcriber = Transcriber(parts, torchs, temperature=TEMPERATURE)
    exported = ExportedTranscriber(model.model, decoder)
    for max_frames, max_examples in ((8000, 64), (300, 5), (1, 1)):
        found = [
            one.transcript if isinstance(one, Recognized) else one
            for one in exported.transcribe_all(paths, max_frames=max_frames, max_examples=max_examples)
        ]
        for path, one in zip(paths, found, strict=True):
            expected = transcriber.transcribe(path)
            assert isinstance(one, Transcript)
            assert_same_spans(one.best, expected.best)
            assert one.sample_rate == expected.sample_rate
            assert one.text == expected.text
            scores = [reading.score for reading in expected.readings]
            assert [reading.score for reading in one.readings] == pytest.approx(scores, abs=1e-2)
    assert len({one.text for one in found if isinstance(one, Transcript)}) > 6  # else it says little


def test_what_cannot_be_read_keeps_its_place(parts: Parts, model: ExportedTranscriber, tmp_path: Path) -> None:
    good = write_sources(parts, tmp_path / "sources", 3)
    (tmp_path / "empty.wav").write_bytes(b"")
    bad: list[Any] = [tmp_path / "absent.wav", tmp_path / "empty.wav", tmp_path, object()]
    sources = [bad[0], *chain.from_iterable(zip(good, bad[1:], strict=True))]
    for max_examples in (1, 64):
        found = list(model.transcribe_all([s for s in sources if isinstance(s, Path)], max_examples=max_examples))
        assert [type(one) for one in found] == [UserError, *[Recognized, UserError] * 2, Recognized]
    assert list(model.transcribe_all([])) == []


def test_a_file_of_another_kind_is_told_what_is_read(model: ExportedTranscriber, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(UserError, match="this model reads"):
        model.transcribe(tmp_path / "a.txt")


def test_arrays_of_samples(tmp_path: Path) -> None:
    model = load(write_model(random_parts(SPEECH), tmp_path / "a.onnx"))
    samples = np.random.default_rng(0).normal(0, 0.1, (9000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    expected = model.transcribe(tmp_path / "a.wav")
    assert model.transcribe(samples, sample_rate=16000) == expected
    mono = samples.mean(axis=1)
    assert model.transcribe(mono, sample_rate=16000) == expected
    whole = (mono * 2**15).round().astype(np.int16)
    assert model.transcribe(whole) == model.transcribe(whole / np.float32(2**15), sample_rate=8000)
    for wrong in (samples.T, np.zeros(0), np.array(["a"]), np.full(9, np.nan), np.zeros((2, 2, 2))):
        with pytest.raises(UserError):
            model.transcribe(wrong)
    for rate in (-1, 0.5, 2**40):
        with pytest.raises(UserError, match="sample_rate="):
            model.transcribe(mono, sample_rate=rate)


def test_objects_of_ink(tmp_path: Path) -> None:
    parts = random_parts(INK)
    model = load(write_model(parts, tmp_path / "a.onnx"))
    (path,) = write_sources(parts, tmp_path / "sources", 1)
    expected, strokes = model.transcribe(path), json.loads(path.read_text())["strokes"]
    assert model.transcribe(read_ink(path)) == model.transcribe(strokes) == expected
    assert model.transcribe(np.array(strokes[0])) == model.transcribe(strokes[:1])


def test_long_recordings_are_sent_to_the_run(tmp_path: Path) -> None:
    model = load(write_model(random_parts(SPEECH), tmp_path / "a.onnx"))
    soundfile.write(tmp_path / "a.flac", np.zeros(8000 * 601, np.int16), 8000)
    for source in (tmp_path / "a.flac", np.zeros(8000 * 601, np.float32)):
        with pytest.raises(UserError, match=r"lasts 10 minutes.*--engine onnx"):
            model.transcribe(source)


def test_the_package_opens_exported_models(tmp_path: Path) -> None:
    path = write_model(random_parts(INK), tmp_path / "a.onnx")
    assert isinstance(seqrec.load(path).transcribe([[[0, 0], [1, 1]]]), Transcript)
    with pytest.raises(UserError, match="device=cuda"):
        seqrec.load(path, device="cuda")


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 120), st.integers(1, 7))
def test_batches_keep_their_budget(frames: list[int], max_frames: int, max_examples: int) -> None:
    batches = list(batches_by_length(dict(enumerate(frames)), max_frames, max_examples))
    assert sorted(chain.from_iterable(batches)) == list(range(len(frames)))
    for batch in batches:
        assert len(batch) <= max_examples
        assert len(batch) == 1 or len(batch) * max(frames[number] for number in batch) <= max_frames
    longest = [max(frames[number] for number in batch) for batch in batches]
    assert longest == sorted(longest, reverse=True)
