"""Comparing log-probs: what is borne, what is not, and what rounding explains."""

from __future__ import annotations

import pytest
import torch

from seqrec.encoders.recurrent import RecurrentEncoder
from seqrec.engine import OnnxRecognizer, open_session
from seqrec.errors import UserError
from seqrec.export.parity import Parity, compare, frontend_rounding, random_parity
from seqrec.export.recognizer_graph import features_model, signals_model
from seqrec.recognizer import Recognizer
from seqrec.sequence import Emissions
from seqrec.speech.logmel import LogMel

NAMES = ["`a`", "`b`"]


def emissions(*changes: tuple[int, int, int, float]) -> Emissions:
    """Log-probs (2, 4, 3) of lengths 4 and 2, with some of them set."""
    log_probs = torch.full((2, 4, 3), -1.0)
    for *place, value in changes:
        log_probs[tuple(place)] = value
    return Emissions(log_probs, torch.tensor([4, 2]))


def recognizer(seed: int = 0) -> Recognizer:
    torch.manual_seed(seed)
    return Recognizer(LogMel(8000, num_mels=12), RecurrentEncoder(12, 10, 1), 6).eval()


def test_the_greatest_difference_of_valid_frames() -> None:
    found = emissions((0, 3, 1, -1.0005), (1, 2, 0, 50.0), (1, 3, 2, torch.nan))  # two in the padding
    assert compare(emissions(), found, NAMES) == Parity(pytest.approx(0.0005, rel=1e-3), 2)
    assert Parity(0.1, 2) + Parity(0.3, 5) == Parity(0.3, 7)


def test_a_greater_one_is_named() -> None:
    with pytest.raises(UserError, match=r"by 0\.5 at `b`, frame 1, token 2: log-prob -1\.5 instead of -1,"):
        compare(emissions(), emissions((0, 0, 0, -1.2), (1, 1, 2, -1.5)), NAMES)


@pytest.mark.parametrize("value", [torch.nan, -torch.inf])
def test_log_probs_that_are_none_are_never_borne(value: float) -> None:
    for tolerance in (None, 1e-3):
        with pytest.raises(UserError, match="at `a`, frame 2, token 0"):
            compare(emissions(), emissions((0, 2, 0, value)), NAMES, tolerance, lambda: 1e9)


def test_other_lengths_are_never_borne() -> None:
    other = Emissions(emissions().log_probs, torch.tensor([4, 3]))
    with pytest.raises(UserError, match=r"gives \[4, 3\] frames for `a`, `b`, torch \[4, 2\]"):
        compare(emissions(), other, NAMES, None)


def test_rounding_is_asked_for_only_when_needed() -> None:
    def never() -> float:
        raise AssertionError

    compare(emissions(), emissions((0, 0, 0, -1.0009)), NAMES, 1e-3, never)
    compare(emissions(), emissions((0, 0, 0, -1.03)), NAMES, 1e-3, lambda: 0.02)
    with pytest.raises(UserError):
        compare(emissions(), emissions((0, 0, 0, -1.05)), NAMES, 1e-3, lambda: 0.02)


def test_rounding_of_the_front_end_is_large_beside_silent_bands_alone() -> None:
    lengths = torch.tensor([8000])
    tone = 0.9 * torch.sin(torch.arange(8000) * 0.08)[None, :, None]
    with torch.inference_mode():
        beside_silence = frontend_rounding(recognizer(), tone, lengths)
        assert frontend_rounding(recognizer(), torch.randn(1, 8000, 1), lengths) < 1e-5 < beside_silence < 1.0


@pytest.mark.parametrize("make", [features_model, signals_model])
def test_models_agree_on_random_batches_and_a_wrong_one_does_not(make: object) -> None:
    def running(of: Recognizer) -> OnnxRecognizer:
        return OnnxRecognizer(of, open_session(make(of, {}).SerializeToString()))  # type: ignore[operator]

    parity = random_parity(recognizer(), running(recognizer()), 1e-3)
    assert parity.difference < 1e-4
    assert parity.examples == 20
    with pytest.raises(UserError, match="the exported model differs from torch by"):
        random_parity(recognizer(), running(recognizer(seed=1)), 1e-3)
    assert random_parity(recognizer(), running(recognizer(seed=1)), None).difference > 0.01
