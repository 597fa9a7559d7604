"""Where words and characters lie: exact by construction, within the signal always, right on synthetic speech."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_parts import FRONT_ENDS, parts_with, speech_of_words
from torch import Tensor

import seqrec as package
from seqrec.cli.compose import complete
from seqrec.cli.main import main
from seqrec.corpora.synth.synth_speech import SAMPLE_RATE
from seqrec.encoders.recurrent_layer import RecurrentLayer
from seqrec.encoders.streaming_chunks import ChunkedLayer
from seqrec.export.exporting import even_borders
from seqrec.ink.deltas import StrokeDeltas
from seqrec.sequence import Emissions, Features, pad_signals
from seqrec.share import build, share_folder
from seqrec.speech.logmel import LogMel
from seqrec.text.phones import PhoneTokenizer
from seqrec.text.tokens import CharacterTokenizer
from seqrec.timing import frame_borders, read_targets, read_with_times
from seqrec.transcript import Candidate, Reading

ENCODERS = sorted(path.stem for path in (share_folder("conf") / "encoder").glob("*.yaml"))
STACKED = [("bilstm", {"stack_size": size, "stack_stride": stride}) for size, stride in ((3, 3), (8, 2), (3, 1))]
TOLERANCE_MS = 100


@pytest.mark.parametrize(("name", "options"), [*((name, {}) for name in ENCODERS), *STACKED])
def test_an_output_stands_in_the_middle_of_what_it_sees(
    name: str, options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To within one output frame; what it sees are the frames with a slope, its recurrent layers' memory taken away."""

    def forget(layer: RecurrentLayer, values: Tensor, lengths: Tensor) -> Tensor:
        return values @ torch.randn(values.shape[-1], layer.output_size, generator=torch.Generator().manual_seed(1))

    monkeypatch.setattr(RecurrentLayer, "forward", forget)
    monkeypatch.setattr(ChunkedLayer, "forward", forget)
    torch.manual_seed(0)
    config = complete(yaml.safe_load((share_folder("conf") / "encoder" / f"{name}.yaml").read_text()))
    encoder = build({**config, "hidden_size": 8, **options}, "encoder", input_size=12).eval()
    values = torch.randn(2, 301, 12, requires_grad=True)
    output = encoder(Features(values, torch.full((2,), 301)))
    count = int(output.lengths[0])
    borders = frame_borders(encoder, count)
    assert (np.diff(borders) > 0).all()
    assert even_borders(encoder) == {"first": borders[1], "stride": borders[2] - borders[1]}  # what exporting counts on
    stride = float(borders[3] - borders[2])
    for k in (count // 2, count // 2 + 1):
        (slope,) = torch.autograd.grad(output.values[:, k].square().sum(), values, retain_graph=True)
        seen = slope.abs().sum(dim=(0, 2)).nonzero()[:, 0]
        middle = float(seen[0] + seen[-1] + 1) / 2
        assert borders[k] - stride <= middle <= borders[k + 1] + stride
        assert abs(float(borders[k] + borders[k + 1]) / 2 - middle) <= stride


def peaky(places: list[list[tuple[int, int]]], num_frames: list[int], num_tokens: int) -> Emissions:
    """Emissions whose best paths give (token, frame) pairs a frame each, and blanks the rest."""
    log_probs = torch.full((len(places), max(num_frames), num_tokens), -8.0)
    log_probs[..., 0] = 0.0
    for row, some in enumerate(places):
        for token, frame in some:
            log_probs[row, frame, 0] = -6.0
            log_probs[row, frame, token] = 0.0
    return Emissions(log_probs.log_softmax(dim=2), torch.tensor(num_frames))


def errors_ms(readings: list[Reading], spans: list[list[tuple[int, int]]]) -> np.ndarray:
    found = [(word.start, word.end) for reading in readings for word in reading.words]
    return 1000 / SAMPLE_RATE * (np.array(found) - np.array([span for some in spans for span in some]))


def test_words_are_parted_at_pauses_wherever_the_peaks_are() -> None:
    """Peaks early in the words, and those of spaces late in the pauses, as `synth/speech` learns them."""
    speech = speech_of_words(12, seed=1)
    tokenizer = CharacterTokenizer([" ", *"0123456789"])
    parts = parts_with(LogMel(SAMPLE_RATE), tokenizer, stride=3)
    signals, lengths = pad_signals([each.signal for each in speech])
    num_frames = parts.recognizer.output_lengths(parts.recognizer.frame_lengths(None, lengths)).tolist()
    places = []
    for each in speech:
        frames = [int((start + (end - start) / 4) // 480) for start, end in each.spans]
        spaces = [int((start - 300) // 480) for start, _ in each.spans[1:]]
        places.append(list(zip(tokenizer.encode(each.text, "x"), sorted([*frames, *spaces]), strict=True)))
    emissions = peaky(places, num_frames, len(tokenizer))
    readings = read_targets(parts, signals, lengths, emissions, [tokenizer.encode(s.text, "x") for s in speech])
    assert [reading.text for reading in readings] == [each.text for each in speech]
    assert np.abs(errors_ms(readings, [each.spans for each in speech])).max() <= TOLERANCE_MS


@pytest.mark.slow
def test_words_of_a_trained_recogniser_are_right_to_100_ms(tmp_path: Path) -> None:
    run = tmp_path / "run"
    sizes = ["corpus.num_train=2000", "corpus.num_dev=20", "corpus.num_test=20", "trainer.max_epochs=4", "logger=none"]
    main(["train", "synth/speech", *sizes, f"data_dir={tmp_path / 'data'}", f"hydra.run.dir={run}"])
    parts = package.load(run).parts
    speech = speech_of_words(100, seed=2)
    signals, lengths = pad_signals([each.signal for each in speech])
    with torch.inference_mode():
        emissions = parts.recognizer(signals, lengths)
    targets = [parts.tokenizer.encode(each.text, each.text) for each in speech]
    found = np.abs(errors_ms(read_targets(parts, signals, lengths, emissions, targets), [s.spans for s in speech]))
    assert np.median(found) < 30
    assert (found <= TOLERANCE_MS).mean() >= 0.99


@st.composite
def batches(draw: st.DrawFn) -> tuple[str, Tensor, Tensor, list[list[int]], int]:
    name = draw(st.sampled_from(sorted(FRONT_ENDS)))
    draw_signal = random.Random(draw(st.integers(0, 1 << 30)))
    signals = [FRONT_ENDS[name].signal(draw_signal) for _ in range(draw(st.integers(1, 3)))]
    targets = draw(st.lists(st.lists(st.integers(1, 3), max_size=8), min_size=len(signals), max_size=len(signals)))
    return name, *pad_signals(signals), targets, draw(st.integers(0, 9))


@settings(deadline=None, max_examples=40)
@given(batch=batches())
def test_spans_are_in_order_and_inside_alone_or_among_others(batch: tuple[str, Tensor, Tensor, list, int]) -> None:
    name, signals, lengths, targets, seed = batch
    parts = parts_with(FRONT_ENDS[name].front_end, CharacterTokenizer(" ab"), stride=1 + seed % 3)
    frames = parts.recognizer.output_lengths(parts.recognizer.frame_lengths(signals, lengths))
    generator = torch.Generator().manual_seed(seed)
    log_probs = torch.randn(len(signals), int(frames.max()), 4, generator=generator).mul(3).log_softmax(dim=2)
    soiled = torch.cat([signals, signals[:, -1:].expand(-1, 7, -1)], dim=1)
    soiled[torch.arange(soiled.shape[1]) >= lengths[:, None]] = float("nan")
    readings = read_targets(parts, soiled, lengths, Emissions(log_probs, frames), targets)
    for row, (reading, length) in enumerate(zip(readings, lengths.tolist(), strict=True)):
        only = slice(row, row + 1)
        count = int(frames[row])
        alone = Emissions(log_probs[only, :count], frames[only])
        assert read_targets(parts, signals[only, :length], lengths[only], alone, targets[only]) == [reading]
        assert " ".join(word.text for word in reading.words) == (reading.text if reading.words else "")
        if reading.score > -np.inf:
            assert "".join(one.text for one in reading.characters) == reading.text.replace(" ", "")
        for spans in (reading.characters, reading.words):
            reached = 0
            for span in spans:
                assert reached <= span.start <= span.end <= length
                assert span.start < span.end or length < len(reading.characters)
                assert 0 < span.confidence <= 1
                reached = span.end


def test_the_best_candidate_has_spans_and_the_others_their_text() -> None:
    parts = parts_with(StrokeDeltas(0.5, normalize="none"), CharacterTokenizer(" ab"), stride=1)
    signal = FRONT_ENDS["deltas"].signal(random.Random(0))[None]
    lengths = torch.tensor([signal.shape[1]])
    count = parts.recognizer.frame_lengths(signal, lengths)
    emissions = peaky([[(2, 1), (3, int(count) - 2)]], count.tolist(), 4)
    (readings,) = read_with_times(
        parts, signal, lengths, emissions, [[Candidate((2, 3), -1.0), Candidate((2, 1, 2), -2.0), Candidate((), -3.0)]]
    )
    assert [(reading.text, reading.score) for reading in readings] == [("ab", -1.0), ("a a", -2.0), ("", -3.0)]
    assert [span.text for span in readings[0].characters] == ["a", "b"]
    assert [(word.start, word.end) for word in readings[0].words] == [(0, lengths[0])]
    assert not readings[1].words
    assert not readings[1].characters


def test_each_phone_is_a_word() -> None:
    parts = parts_with(LogMel(8000), PhoneTokenizer(["aa", "b"]), stride=1)
    signal = torch.randn(1, 8000, 1, generator=torch.Generator().manual_seed(0))
    emissions = peaky([[(1, 20), (2, 60)]], [98], 3)
    (reading,) = read_targets(parts, signal, torch.tensor([8000]), emissions, [[1, 2]])
    assert [word.text for word in reading.words] == ["aa", "b"]
    assert reading.words == reading.characters
    middle = (21 + 60) / 2 * 80 + 60  # between both frames; their borders are 60 + 80 t, halfway between windows
    assert [reading.words[0].end, reading.words[1].start] == [middle, middle]


def test_a_text_that_cannot_fit_has_no_spans() -> None:
    parts = parts_with(LogMel(8000), CharacterTokenizer(" ab"), stride=1)
    (reading,) = read_targets(parts, torch.zeros(1, 250, 1), torch.tensor([250]), peaky([[]], [1], 4), [[2, 2]])
    assert reading == Reading("aa", -np.inf)
