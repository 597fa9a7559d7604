"""What the tests of timing time: recognisers of any front-end, and speech whose words are known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqrec.checkpoint import Parts
from seqrec.corpora.synth.espeak import synthesise, voice_names
from seqrec.corpora.synth.espeak_program import SAMPLE_RATE as ESPEAK_RATE
from seqrec.corpora.synth.espeak_program import Utterance
from seqrec.corpora.synth.synth_speech import SAMPLE_RATE, WORDS, resample, split_voices
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.formats.ink import Ink
from seqrec.ink.bezier import BezierCurves
from seqrec.ink.deltas import StrokeDeltas
from seqrec.ink.liwicki import LiwickiFeatures
from seqrec.ink.timed_deltas import TimedDeltas
from seqrec.parts import FrontEnd, Tokenizer
from seqrec.recognizer import Recognizer
from seqrec.speech.logmel import LogMel
from seqrec.speech.mfcc import MFCC

_LOUD = 0.01  # of the peak: softer edges of a spoken word are cut off


@dataclass(frozen=True)
class Case:
    """A front-end, and what draws a signal for it."""

    front_end: FrontEnd
    signal: Callable[[random.Random], Tensor]


def _recording(chance: random.Random) -> Tensor:
    generator = torch.Generator().manual_seed(chance.randrange(1 << 30))
    bursts = torch.rand(chance.randint(1, 12), generator=generator).round().repeat_interleave(500)
    return (bursts * torch.randn(len(bursts), generator=generator))[: chance.randint(1, len(bursts)), None]


def _ink(chance: random.Random) -> Tensor:
    strokes = [
        [[chance.randint(0, 30), chance.randint(0, 20), chance.random()] for _ in range(chance.randint(1, 9))]
        for _ in range(chance.randint(1, 5))
    ]
    return torch.from_numpy(Ink.from_strokes(strokes).to_signal())


FRONT_ENDS = {
    "logmel": Case(LogMel(8000), _recording),
    "mfcc": Case(MFCC(8000, window_ms=10.0, hop_ms=20.0), _recording),
    "deltas": Case(StrokeDeltas(0.1, slope=True, slant=True, height=True, normalize="none"), _ink),
    "timed": Case(TimedDeltas(0.2, untimed="index"), _ink),
    "liwicki": Case(LiwickiFeatures(0.2, normalize="none"), _ink),
    "bezier": Case(BezierCurves(normalize="none"), _ink),
}


def parts_with(front_end: FrontEnd, tokenizer: Tokenizer, stride: int) -> Parts:
    """Return a recogniser of random weights, `stride` frames of which make one."""
    encoder = LSTMEncoder(front_end.num_features, 2, 1, stack_size=stride, stack_stride=stride)
    return Parts({}, None, Recognizer(front_end, encoder, len(tokenizer)), tokenizer)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Speech:
    """Digits spoken one by one, with silence between."""

    signal: Tensor  # (N, 1)
    text: str
    spans: list[tuple[int, int]]  # of its words, in samples


def speech_of_words(count: int, seed: int) -> list[Speech]:
    """Say digits in voices that `synth/speech` tests on; between any two lie 30 to 400 ms of silence."""
    chance = random.Random(seed)
    voices = split_voices(voice_names(), 0)["test"]
    lines, utterances = [], []
    for number in range(count):
        lines.append([chance.choice(WORDS) for _ in range(chance.randint(3, 6))])
        voice, rate, pitch = chance.choice(voices), chance.randint(110, 230), chance.randint(20, 80)
        utterances += [Utterance(f"{number}", word, voice, rate, pitch, chance.getrandbits(31)) for word in lines[-1]]
    spoken = iter(list(synthesise(utterances)))
    return [_join(line, [next(spoken) for _ in line], chance) for line in lines]


def _join(words: list[str], spoken: list[bytes], chance: random.Random) -> Speech:
    pieces, spans, place = [], [], 0
    for samples in spoken:
        word = resample(np.frombuffer(samples, np.dtype("<i2")), ESPEAK_RATE, SAMPLE_RATE) / 32768
        loud = np.flatnonzero(np.abs(word) > _LOUD * np.abs(word).max())
        word = word[loud[0] : loud[-1] + 1]
        silence = np.zeros(round(chance.uniform(0.03, 0.4) * SAMPLE_RATE))
        pieces += [silence, word]
        spans.append((place + len(silence), place + len(silence) + len(word)))
        place = spans[-1][1]
    pieces.append(np.zeros(SAMPLE_RATE // 5))
    signal = torch.from_numpy(np.concatenate(pieces).astype(np.float32))[:, None]
    return Speech(signal, " ".join(str(WORDS.index(word)) for word in words), spans)
