"""Transcribing from Python: sources, batches, long recordings, calibration."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import seqrec as package
from seqrec.errors import UserError
from seqrec.formats.ink import Ink
from seqrec.long_signals.windows import Windows
from seqrec.source_batches import Recognized, transcribe_all
from seqrec.transcriber import LongSignal, Transcriber

STROKES = [[[0, 0], [0, 30], [4, 34]], [[-10, 10], [10, 10]]]


def load(run: Path) -> Transcriber:
    """Load a run of little training, and make it give more than blanks."""
    transcriber = package.load(run)
    with torch.no_grad():
        transcriber.parts.recognizer.head.bias[0] -= 2
    return transcriber


@pytest.fixture(scope="module")
def ink(ink_run: Path) -> Transcriber:
    return load(ink_run)


@pytest.fixture(scope="module")
def speech(speech_run: Path) -> Transcriber:
    return load(speech_run)


def test_an_ink_reads_the_same_from_everywhere(ink: Transcriber, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"strokes": STROKES}))
    traces = "".join(f"<trace>{', '.join(f'{x} {y}' for x, y in stroke)}</trace>" for stroke in STROKES)
    (tmp_path / "a.inkml").write_text(f'<ink xmlns="http://www.w3.org/2003/InkML">{traces}</ink>')
    sources = [tmp_path / "a.json", str(tmp_path / "a.inkml"), Ink.from_strokes(STROKES), STROKES]
    assert len({ink.transcribe(source).text for source in sources}) == 1


def test_a_recording_reads_the_same_from_everywhere(speech: Transcriber, tmp_path: Path) -> None:
    samples = 0.3 * np.sin(np.arange(24000) ** 1.3 / 60).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "stereo.wav", np.stack([samples, samples], 1), 16000, subtype="FLOAT")
    sources = [tmp_path / "a.wav", str(tmp_path / "stereo.wav"), samples, samples[:, None]]
    assert len({speech.transcribe(source).text for source in sources}) == 1


def test_an_array_at_another_rate_is_resampled(speech: Transcriber) -> None:
    assert speech.parts.reader.load(np.zeros(8000, np.float32), sample_rate=8000).shape == (16000, 1)


def test_whole_numbers_are_scaled_to_full_scale(speech: Transcriber) -> None:
    samples = (3000 * np.sin(np.arange(4000) / 5)).astype(np.int16)
    torch.testing.assert_close(speech.parts.reader.load(samples), speech.parts.reader.load(samples / 32768))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 900)), "(samples, channels), in this order"),
        (np.zeros((2, 2, 2)), "is no recording"),
        (np.zeros(9, complex), "array of complex128"),
        (np.zeros(0), "no samples"),
    ],
)
def test_arrays_that_are_no_recordings(samples: np.ndarray, message: str, speech: Transcriber) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        speech.transcribe(samples)


def test_nothing_is_nothing(speech: Transcriber) -> None:
    assert speech.recognize([]) == []


def test_signals_come_out_of_a_batch_as_they_would_alone(speech: Transcriber, ink: Transcriber) -> None:
    random = np.random.default_rng(0)
    recordings = [speech.parts.reader.load(random.normal(0, 0.1, n)) for n in (400, 16000, 7000)]
    inks = [ink.parts.reader.load(random.normal(0, 9, (n, 2)).cumsum(0)) for n in (1, 40, 9)]
    for transcriber, signals in ((speech, recordings), (ink, inks)):
        together = transcriber.recognize(signals)
        assert together == [transcriber.recognize([signal])[0] for signal in signals]


@pytest.fixture(scope="module")
def minute(speech_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Utterances of a corpus, one after the other."""
    recordings = sorted((speech_run.parent / "data").rglob("*.wav"))[:20]
    path = tmp_path_factory.mktemp("long") / "minute.wav"
    soundfile.write(path, np.concatenate([soundfile.read(recording)[0] for recording in recordings]), 16000)
    return path


def test_a_long_recording_reads_as_it_does_at_once(speech_run: Path, minute: Path) -> None:
    transcriber = load(speech_run)
    transcriber.windows = Windows(0)
    whole = transcriber.transcribe(minute)
    transcriber.windows = Windows(3.0, 3.0)
    length = len(transcriber.parts.reader.load(minute))
    batches = []
    found = transcriber.transcribe(minute, track=lambda items, *, total: batches.append(total) or items)
    assert batches
    assert len(found.text) > 20
    assert found.text == whole.text
    assert found.best.score == pytest.approx(whole.best.score, rel=0.02)
    assert [span.text for span in found.best.characters] == [span.text for span in whole.best.characters]
    assert " ".join(span.text for span in found.best.words) == found.text
    places = [place for span in found.best.words for place in (span.start, span.end)]
    assert places == sorted(places)
    assert 0 <= min(places, default=0) <= max(places, default=0) <= length
    assert transcriber.transcribe(transcriber.parts.reader.load(minute)[:, 0].numpy()) == found
    assert tuple(transcriber.stream_words(minute)) == found.best.words


def test_words_come_before_the_recording_is_over(speech_run: Path, minute: Path) -> None:
    transcriber = load(speech_run)
    transcriber.windows = Windows(3.0, 1.0, max_frames=1)
    done: list[object] = []
    words = transcriber.stream_words(minute, lambda items, *, total: (done.append(item) or item for item in items))
    next(words)
    early = len(done)
    assert list(words)
    assert early < len(done) / 2


def test_words_of_a_short_source(ink: Transcriber) -> None:
    assert tuple(ink.stream_words(STROKES)) == ink.transcribe(STROKES).best.words != ()


def test_a_pipe_is_no_source(ink: Transcriber, speech: Transcriber, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for transcriber in (ink, speech):
        with pytest.raises(UserError, match=r"pipe\.wav: is a pipe or a device"):
            transcriber.transcribe(tmp_path / "pipe.wav")


def test_times_can_be_left_out(ink: Transcriber) -> None:
    plain, timed = ink.transcribe(STROKES, times=False), ink.transcribe(STROKES)
    assert plain.text == timed.text != ""
    assert not plain.best.characters
    assert len(timed.best.characters) == len(timed.text.replace(" ", ""))


def test_many_sources_come_in_order_with_their_errors(speech_run: Path, minute: Path, tmp_path: Path) -> None:
    transcriber = load(speech_run)
    transcriber.windows = Windows(3.0, 3.0)
    random = np.random.default_rng(0)
    for number in range(8):
        soundfile.write(tmp_path / f"{number}.wav", random.normal(0, 0.1, 900 * (5 + 3 * number % 7)), 16000)
    broken = np.append(np.zeros(16000 * 30, np.float32), np.float32(np.nan))
    soundfile.write(tmp_path / "broken.wav", broken, 16000, subtype="FLOAT")
    sources = [
        *(tmp_path / f"{number}.wav" for number in range(4)),
        tmp_path / "missing.wav",
        minute,
        tmp_path / "broken.wav",
        *(tmp_path / f"{number}.wav" for number in range(4, 8)),
    ]
    assert isinstance(transcriber.open(sources[6]), LongSignal)
    found = list(transcribe_all(transcriber, sources, max_examples=2, max_frames=400))
    for source, result in zip(sources, found, strict=True):
        if isinstance(result, Recognized):
            alone = transcriber.transcribe(source)
            assert result.transcript.text == alone.text
            assert result.transcript.best.score == pytest.approx(alone.best.score, abs=1e-3)
    errors = {index: str(result) for index, result in enumerate(found) if not isinstance(result, Recognized)}
    assert errors.keys() == {4, 6}
    assert "missing.wav: no such file" in errors[4]
    assert "NaN" in errors[6]


def test_confidences_are_calibrated_as_the_run_says(ink_run: Path, ink: Transcriber, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(ink_run, run)
    record = {"temperature": 3.0, "ece_before": 0.1, "ece_after": 0.01, "split": "dev", "examples": 8}
    (run / "calibration.json").write_text(json.dumps(record))
    calibrated = load(run)
    assert (ink.temperature, calibrated.temperature) == (1.0, 3.0)
    before, after = ink.transcribe(STROKES).best, calibrated.transcribe(STROKES).best
    assert before.text == after.text != ""
    assert all(one.confidence >= two.confidence for one, two in zip(before.characters, after.characters, strict=True))
    for damaged in ("{", "[]", json.dumps({**record, "temperature": 0})):
        (run / "calibration.json").write_text(damaged)
        with pytest.raises(UserError, match=r"calibration\.json"):
            package.load(run)
