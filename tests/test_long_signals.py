"""Long signals: windows, pauses and joined pieces against the whole signal at once; memory that does not grow."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqrec.checkpoint import Parts
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.pyramid_bilstm import PyramidEncoder
from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder
from seqrec.errors import UserError
from seqrec.long_signals.joining import PieceReading, join_pieces
from seqrec.long_signals.pauses import PauseCutter
from seqrec.long_signals.recognition import LongRecognizer
from seqrec.long_signals.windows import Windows, cut_windows, extract_blocks, find_loudest
from seqrec.normalisation import FrameStatistics
from seqrec.recognizer import Recognizer
from seqrec.sequence import Emissions, Features
from seqrec.speech.audio import AudioReader
from seqrec.speech.logmel import LogMel
from seqrec.speech.mfcc import MFCC
from seqrec.text.tokens import CharacterTokenizer
from seqrec.transcriber import Transcriber
from seqrec.transcript import Candidate, Reading, Span

RATE = 2000
TOKENIZER = CharacterTokenizer(" ab")


def bursts(seconds: float, seed: int = 0) -> Tensor:
    """Noise (N, 1) that swells and fades some times a second, with a pause now and then."""
    generator = torch.Generator().manual_seed(seed)
    count = int(seconds * RATE)
    levels = torch.rand(int(seconds * 6) + 2, generator=generator) * (torch.rand(1, generator=generator) + 0.5)
    levels *= torch.rand(len(levels), generator=generator) > 0.2
    level = torch.nn.functional.interpolate(levels[None, None], size=count, mode="linear")[0, 0]
    return (torch.randn(count, generator=generator) * (0.001 + level))[:, None]


def small_parts(encoder: Any, **options: Any) -> Parts:
    """A recogniser of random weights, sure enough of what it sees to give all of its tokens."""
    torch.manual_seed(1)
    frontend = LogMel(RATE, num_mels=8, low_hz=20, **options)
    recognizer = Recognizer(frontend, encoder(frontend.num_features), len(TOKENIZER)).eval()
    with torch.no_grad():
        recognizer.head.weight *= 12
    return Parts({}, AudioReader(RATE), recognizer, TOKENIZER)


ENCODERS = {
    "bilstm": lambda size: RecurrentEncoder(size, 16, 2),
    "stacked": lambda size: RecurrentEncoder(size, 16, 1, stack_size=3, stack_stride=3),
    "overlapping": lambda size: RecurrentEncoder(size, 16, 1, stack_size=5, stack_stride=2),
    "conv1d": lambda size: Conv1dEncoder(size, (12, 12), hidden_size=16, num_layers=1),
    "pyramid": lambda size: PyramidEncoder(size, 16, (1, 2, 3)),
    "chunked": lambda size: ChunkedBiLSTMEncoder(
        size, 16, 1, chunk_size=9, right_context=5, stack_size=2, stack_stride=2
    ),
}


def rejoined(parts: Parts, signal: Tensor, windows: Windows, block: int) -> Tensor:
    recognizer = LongRecognizer(parts, windows)
    pieces = [piece for pieces in recognizer.pieces(signal.split(block)) for piece in pieces]
    for piece in pieces:
        torch.testing.assert_close(piece.signal, signal[piece.start :][: len(piece.signal)])
        frames = parts.recognizer.frame_lengths(None, torch.tensor([len(piece.signal)]))
        assert int(parts.recognizer.output_lengths(frames)) == len(piece.log_probs)
        assert len(piece.log_probs) <= recognizer.cutter.longest
    return torch.cat([piece.log_probs for piece in pieces])


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("options", [{}, {"deltas": 2, "range_db": 35.0}], ids=["bands", "deltas, in range"])
def test_windows_give_what_the_whole_gives(name: str, options: dict[str, Any]) -> None:
    parts = small_parts(ENCODERS[name], **options)
    for seconds, block in ((23.7, 999), (9.0, 100_000), (31.2, 4000)):
        signal = bursts(seconds, seed=block)
        with torch.inference_mode():
            whole = parts.recognizer(signal[None], torch.tensor([len(signal)])).log_probs[0]
        found = rejoined(parts, signal, Windows(5.0, 5.0, max_frames=1500), block)
        assert found.shape == whole.shape
        assert torch.equal(found.argmax(1), whole.argmax(1))
        torch.testing.assert_close(found, whole, atol=0.02, rtol=0.02)


def test_without_context_windows_differ() -> None:
    parts = small_parts(ENCODERS["bilstm"])
    signal = bursts(23.7)
    whole = parts.recognizer(signal[None], torch.tensor([len(signal)])).log_probs[0]
    assert not torch.allclose(rejoined(parts, signal, Windows(5.0, 0.0), 999), whole, atol=0.05)


def test_five_minutes_read_the_same_in_windows() -> None:
    parts = small_parts(ENCODERS["stacked"])
    signal = bursts(300.0)
    texts = [
        Transcriber(parts, GreedyDecoder(), windows=windows).transcribe(signal[:, 0].numpy(), times=False).text.split()
        for windows in (Windows(0), Windows())
    ]
    assert len(texts[0]) > 200
    wrong = sum(one != two for one, two in itertools.zip_longest(*texts))
    assert wrong <= 0.005 * len(texts[0])


@pytest.mark.parametrize("seconds", [11.0, 60.0])
def test_batches_are_counted_beforehand(seconds: float) -> None:
    recognizer = LongRecognizer(small_parts(ENCODERS["conv1d"]), Windows(5.0, 1.0, max_frames=1500))
    signal = bursts(seconds)
    assert recognizer.num_batches(len(signal)) == sum(1 for _ in recognizer.pieces(signal.split(5000)))


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 900), st.lists(st.integers(1, 300), min_size=1, max_size=9), st.sampled_from([0, 1, 2]))
def test_features_of_blocks_are_those_of_the_whole(count: int, sizes: list[int], deltas: int) -> None:
    signal = bursts(1.0)[:count]
    blocks, start = [], 0
    for size in itertools.cycle(sizes):
        if start >= count:
            break
        blocks.append(signal[start : start + size])
        start += size
    for range_db in (None, 20.0):
        for frontend in (LogMel(RATE, 8, deltas=deltas, range_db=range_db), MFCC(RATE, 5, 8, deltas=deltas)):
            whole = frontend.extract(signal[None], torch.tensor([count])).values[0]
            loudest = find_loudest(frontend, blocks)
            assert loudest == frontend.loudest(signal[None], torch.tensor([count]))
            torch.testing.assert_close(torch.cat(list(extract_blocks(frontend, blocks, loudest))), whole)


def test_parts_are_normalised_like_the_whole() -> None:
    frontend = LogMel(RATE, 8)
    signal = bursts(3.0)
    raw = frontend.extract(signal[None], torch.tensor([len(signal)]))
    statistics = FrameStatistics(8)
    for part in raw.values[0].split(70):
        statistics.add(part)
    found = frontend.normalise(Features(raw.values[:, 50:90], torch.tensor([40])), statistics)
    torch.testing.assert_close(found.values, frontend.normalise(raw).values[:, 50:90], atol=1e-4, rtol=1e-4)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 20), st.data())
def test_windows_hold_each_frame_once(sizes: list[int], step: int, data: st.DataObject) -> None:
    context = data.draw(st.integers(0, step))
    frames = torch.arange(sum(sizes))
    windows = list(cut_windows(frames.split(sizes), step, context))
    own = [window.features[window.start : window.end].tolist() for window in windows]
    assert [frame for some in own for frame in some] == frames.tolist()
    assert all(some for some in own)
    for window, some in zip(windows, own, strict=True):
        first, last = int(window.features[0]), int(window.features[-1])
        assert first == max(0, some[0] - context)
        assert last == min(len(frames) - 1, some[-1] + context)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=60), st.integers(4, 30), st.data()
)
def test_pieces_decode_to_the_whole(runs: list[tuple[int, int]], longest: int, data: st.DataObject) -> None:
    best = torch.tensor([token for token, count in runs for _ in range(count)])
    whole = torch.nn.functional.one_hot(best, len(TOKENIZER)).float().mul(9).log_softmax(1)
    cutter, rest, pieces = PauseCutter(TOKENIZER, longest), whole[:0], []
    chunks = whole.split(data.draw(st.integers(1, 50)))
    for number, chunk in enumerate(chunks):
        rest = torch.cat([rest, chunk])
        cuts = cutter.cuts(rest, is_end=number == len(chunks) - 1)
        pieces += [rest[one:two] for one, two in itertools.pairwise([0, *cuts])]
        rest = rest[cuts[-1] :] if cuts else rest
    assert torch.equal(torch.cat(pieces), whole)
    assert all(0 < len(piece) <= longest for piece in pieces)
    if max((len(list(group)) for token, group in itertools.groupby(best.tolist()) if token), default=0) < longest:
        assert [token for piece in pieces for token in greedy(piece)] == greedy(whole)


def greedy(log_probs: Tensor) -> list[int]:
    emissions = Emissions(log_probs[None], torch.tensor([len(log_probs)]))
    return list(GreedyDecoder().decode(emissions)[0][0].tokens)


def test_a_cut_lies_between_words_where_it_can() -> None:
    #        a  b     pause within a word     b  space   a short pause between words   a
    tokens = [2, 3] + [0] * 8 + [3] + [1] + [0] * 4 + [2] + [0, 2] * 3
    log_probs = torch.nn.functional.one_hot(torch.tensor(tokens), 4).float().log_softmax(1)
    assert PauseCutter(TOKENIZER, 20).cuts(log_probs, is_end=False) == [14]
    assert PauseCutter(CharacterTokenizer("cab"), 20).cuts(log_probs, is_end=False) == [6]


@dataclass(frozen=True)
class Spoken:
    """A piece's reading in short: text, score, words."""

    text: str
    score: float

    def reading(self, start: int) -> PieceReading:
        tokens = tuple(" ab".index(character) + 1 for character in self.text)
        words = tuple(
            Span(word, start + 10 * number, start + 10 * number + 9, 0.5)
            for number, word in enumerate(self.text.split())
        )
        return PieceReading(Candidate(tokens, self.score), Reading(self.text.strip(), self.score, words))


def pieces_of(*pieces: Sequence[Spoken]) -> list[list[PieceReading]]:
    return [[one.reading(100 * number) for one in piece] for number, piece in enumerate(pieces)]


@example([[("", 0)] * 2, [("", 0)] * 2, [("", 0), ("", -1), ("", -1)]])  # the third goes by neither best
@given(
    st.lists(
        st.lists(st.tuples(st.text(" ab", max_size=3), st.integers(-9, 0)), min_size=1, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_joined_readings_are_the_best_of_all_combinations(pieces: list[list[tuple[str, int]]]) -> None:
    sorted_pieces = [sorted((Spoken(*one) for one in piece), key=lambda one: -one.score) for piece in pieces]
    found = join_pieces(pieces_of(*sorted_pieces), TOKENIZER)
    scores = sorted((sum(one.score for one in path) for path in itertools.product(*sorted_pieces)), reverse=True)
    assert [reading.score for reading in found] == scores[: len(found)]
    assert len(found) == max(map(len, pieces))
    best = " ".join("".join(piece[0].text for piece in sorted_pieces).split())
    assert found[0].text == best
    assert " ".join(span.text for span in found[0].words) == best


def test_a_word_over_a_cut_is_one_word() -> None:
    joined = join_pieces(pieces_of([Spoken("a ab", -1)], [Spoken("", 0)], [Spoken("ba b", -2)]), TOKENIZER)[0]
    assert joined.text == "a abba b"
    assert joined.words == (Span("a", 0, 9, 0.5), Span("abba", 10, 209, 0.25), Span("b", 210, 219, 0.5))


@pytest.mark.parametrize("values", [(-1.0, 0.0), (float("nan"), 0.0), (5.0, 6.0), (5.0, -1.0), (5.0, 1.0, 0)])
def test_windows_that_cannot_be(values: tuple[Any, ...]) -> None:
    with pytest.raises(UserError, match="give"):
        Windows(*values)


MEMORY = """
import resource, sys, torch
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
from pathlib import Path
import numpy as np, soundfile
from test_long_signals import ENCODERS, RATE, small_parts
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.transcriber import Transcriber
transcriber = Transcriber(small_parts(ENCODERS["stacked"]), GreedyDecoder())
noise = np.random.default_rng(0).normal(0, 0.1, (60 * 8000, 2)).astype(np.float32)
for minutes in (2, 5, 9):
    path = Path({folder!r}) / f"{{minutes}}.wav"
    with soundfile.SoundFile(path, "w", 8000, 2, subtype="PCM_16") as file:
        for _ in range(minutes):
            file.write(noise)
    text = transcriber.transcribe(path, times=False).text
    print(minutes, len(text), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    script = MEMORY.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    _, (_, short, before), (_, long, after) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert long > 1.3 * short > 0
    assert after - before < 8_000  # kilobytes; the samples of four more minutes alone are 15 MB as read
