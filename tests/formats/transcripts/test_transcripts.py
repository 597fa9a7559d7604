"""Each format read back by a small strict parser of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.formats.ink import Ink
from seqrec.formats.transcripts import FORMATS, WRITERS, Timed, Transcribed, transcript_format
from seqrec.transcript import Reading, Span, Transcript

RATE = 1000.0
CLOCK = r"(\d\d+):([0-5]\d):([0-5]\d)[,.](\d\d\d)"


def recording(*words: tuple[str, int, int]) -> Transcript:
    spans = tuple(Span(text, start, end, 0.5) for text, start, end in words)
    return Transcript((Reading(" ".join(span.text for span in spans), -1.5, spans, spans),), RATE)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    words, place = [], 0
    for _ in range(draw(st.integers(0, 30))):
        start = place + draw(st.sampled_from([0, 0, 1, 40, 900, 2500]))
        place = start + draw(st.integers(1, 2000))
        words.append((draw(st.text("abé\"&<>;-'", min_size=1, max_size=50)), start, place))
    return recording(*words)


def seconds(clock: tuple[str, ...]) -> float:
    hours, minutes, whole, rest = map(int, clock)
    return 3600 * hours + 60 * minutes + whole + rest / 1000


def read_cues(text: str, numbered: bool) -> list[tuple[float, float, list[str]]]:
    cues = []
    for number, block in enumerate(text.split("\n\n")[:-1], 1):
        lines = block.split("\n")
        if numbered:
            assert lines.pop(0) == str(number)
        match = re.fullmatch(f"{CLOCK} --> {CLOCK}", lines[0])
        assert match
        cues.append((seconds(match.groups()[:4]), seconds(match.groups()[4:]), lines[1:]))
    return cues


@settings(deadline=None, max_examples=60)
@given(transcript=transcripts())
def test_subtitles(transcript: Transcript) -> None:
    srt = "".join(WRITERS["srt"]([("a", transcript)]))
    vtt = "".join(WRITERS["vtt"]([("a", transcript)]))
    assert vtt.startswith("WEBVTT\n\n")
    cues = read_cues(srt, numbered=True)
    escaped = read_cues(vtt.removeprefix("WEBVTT\n\n"), numbered=False)
    assert [cue[:2] for cue in cues] == [cue[:2] for cue in escaped]
    for (_, _, lines), (_, _, others) in zip(cues, escaped, strict=True):
        assert not any("<" in line or "-->" in line for line in others)
        unescaped = [o.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for o in others]
        assert unescaped == lines
    assert " ".join(line for cue in cues for line in cue[2]) == transcript.text
    reached = 0.0
    for start, end, lines in cues:
        assert reached <= start < end
        reached = end
        assert len(lines) <= 2
        assert all(len(line) <= 42 or " " not in line for line in lines)
        assert end - start <= 7 or len(" ".join(lines).split()) == 1


def test_a_cue_breaks_at_the_longest_pause() -> None:
    words = [(f"word{i:04}", 1000 * i, 1000 * i + 900) for i in range(8)]
    words[5:] = [(text, start + 300, end + 300) for text, start, end in words[5:]]
    cues = read_cues("".join(WRITERS["srt"]([("a", recording(*words))])), numbered=True)
    assert [len(" ".join(cue[2]).split()) for cue in cues] == [5, 3]


def test_a_long_pause_begins_a_cue() -> None:
    cues = read_cues("".join(WRITERS["srt"]([("a", recording(("a", 0, 100), ("b", 1200, 1300)))])), numbered=True)
    assert cues == [(0.0, 0.1, ["a"]), (1.2, 1.3, ["b"])]


def read_textgrid(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """Read Praat's long form, taking every number and string in order, as Praat does."""
    tokens = re.findall(r'"(?:[^"]|"")*"|<exists>|(?<=[=] )-?\d[\d.]*', text)
    take = iter([token[1:-1].replace('""', '"') if token[0] == '"' else token for token in tokens])
    assert [next(take), next(take)] == ["ooTextFile", "TextGrid"]
    first, last = float(next(take)), float(next(take))
    assert next(take) == "<exists>"
    tiers = {}
    for _ in range(int(next(take))):
        assert next(take) == "IntervalTier"
        name = next(take)
        assert [float(next(take)), float(next(take))] == [first, last]
        tiers[name] = [(float(next(take)), float(next(take)), next(take)) for _ in range(int(next(take)))]
        assert [tiers[name][0][0], tiers[name][-1][1]] == [first, last]
        for before, after in zip(tiers[name], tiers[name][1:], strict=False):
            assert before[1] == after[0]
        assert all(start < end for start, end, _ in tiers[name])
    assert next(take, None) is None
    return tiers


@settings(deadline=None, max_examples=60)
@given(transcript=transcripts(), rest=st.none() | st.floats(0, 9))
def test_textgrid(transcript: Transcript, rest: float | None) -> None:
    words = transcript.best.words
    end = words[-1].end / RATE if words else 0.0
    (text,) = WRITERS["textgrid"]([Transcribed("a", transcript, None if rest is None else end + rest)])
    tiers = read_textgrid(text)
    assert list(tiers) == ["words", "characters"]
    for tier in tiers.values():
        assert [i for i in tier if i[2]] == [(word.start / RATE, word.end / RATE, word.text) for word in words]


@settings(deadline=None, max_examples=60)
@given(transcript=transcripts())
def test_ctm(transcript: Transcript) -> None:
    lines = list(WRITERS["ctm"]([("my file.wav", transcript)]))
    assert len(lines) == len(transcript.best.words)
    for line, word in zip(lines, transcript.best.words, strict=True):
        match = re.fullmatch(r"my_file\.wav 1 (\d+\.\d{3}) (\d+\.\d{3}) (\S+) 0\.5000\n", line)
        assert match
        assert match[3] == word.text
        assert float(match[1]) == word.start / RATE
        assert float(match[1]) + float(match[2]) == pytest.approx(word.end / RATE)


def test_a_name_is_no_comment_of_ctm() -> None:
    assert next(WRITERS["ctm"]([(";;a", recording(("b", 0, 9)))])).startswith("_;;a 1 ")


def test_json_of_a_recording() -> None:
    best = recording(("a", 0, 250), ("b", 300, 500)).best
    (line,) = WRITERS["json"]([("a.wav", Transcript((best, Reading("c", -np.inf)), RATE))])
    assert json.loads(line) == {
        "path": "a.wav",
        "text": "a b",
        "score": -1.5,
        "words": (
            spans := [
                {"text": "a", "start": 0.0, "end": 0.25, "confidence": 0.5},
                {"text": "b", "start": 0.3, "end": 0.5, "confidence": 0.5},
            ]
        ),
        "characters": spans,
        "others": [{"text": "c", "score": None}],
    }


def test_json_of_an_ink() -> None:
    ink = Ink.from_strokes([[[5, 5], [7, 9]], [[6, 4], [8, 4], [11, 5]]])
    spans = (Span("t", 0, 3, 0.5), Span("o", 3, 5, 0.5))
    transcript = Transcript((Reading("to", 0.0, (Span("to", 0, 5, 0.25),), spans),))
    (line,) = WRITERS["json"]([Transcribed("x", transcript, signal=ink.to_signal(), named_by="id")])
    found = json.loads(line)
    assert found["id"] == "x"
    assert found["words"] == [{"text": "to", "points": [0, 5], "confidence": 0.25}]
    assert found["characters"] == [
        {"text": "t", "points": [0, 3], "confidence": 0.5, "strokes": [0, 1], "box": [0.0, -1.0, 2.0, 4.0]},
        {"text": "o", "points": [3, 5], "confidence": 0.5, "strokes": [1], "box": [3.0, -1.0, 6.0, 0.0]},
    ]


@pytest.mark.parametrize("name", [name for name, format in FORMATS.items() if format.needs_seconds])
def test_ink_has_no_times(name: str) -> None:
    with pytest.raises(UserError, match="take json"):
        transcript_format(name, None)
    with pytest.raises(UserError, match="points instead of times"):
        list(WRITERS[name]([("a", Transcript((Reading("a", 0.0, (Span("a", 0, 1, 1.0),)),)))]))


def test_writers_stream() -> None:
    def items() -> object:
        yield "a", recording(("b", 0, 9))
        raise AssertionError("asked for more than was read")

    for write in WRITERS.values():
        assert next(iter(write(items())))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_subtitles_come_while_words_do(name: str) -> None:
    words = [Timed("word", 2.0 * number, 2.0 * number + 0.5, 1.0) for number in range(3)]

    def spoken() -> Iterator[Timed]:
        yield from words[:2]
        raise EOFError

    stream = FORMATS[name].stream
    assert stream is not None
    found = []
    with pytest.raises(EOFError):
        found.extend(stream(spoken()))
    assert "".join(found).count("word") == 1  # known to be a cue of its own, since the next one comes 1.5 s later
    assert "".join(stream(words)).startswith("".join(found))


def test_names_keep_lines_whole() -> None:
    (line,) = WRITERS["txt"]([("a\n\tb\u2028c", recording(("b", 0, 9)))])
    assert line == "a__b_c\tb\n"


def test_plain_text_and_an_unknown_format() -> None:
    assert list(WRITERS["txt"]([("a", recording(("b", 0, 9)))])) == ["a\tb\n"]
    with pytest.raises(UserError, match="did you mean `json`"):
        transcript_format("jsn", RATE)
