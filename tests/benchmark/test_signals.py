"""Signals to measure with: spread over a manifest, or made up."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqrec.benchmark.signals import batches_of_signals, emissions_of, manifest_signals, synthetic_signals
from seqrec.errors import UserError
from seqrec.manifest import Manifest
from seqrec.sequence import pad_signals
from seqrec.transcriber import Transcriber, load


def untracked(items: object, title: str) -> object:
    return items


@pytest.fixture(scope="module")
def ink(ink_run: Path) -> Transcriber:
    return load(ink_run)


@pytest.fixture(scope="module")
def train(ink_run: Path) -> Path:
    (path,) = ink_run.parent.glob("data/*/manifest-train.jsonl")
    return path


def test_a_manifests_examples_are_spread_over_its_lengths(ink: Transcriber, train: Path) -> None:
    lengths = sorted(row.fields["num_points"] for row in Manifest(train))
    found = manifest_signals(ink, train, 5, untracked)
    assert [len(signal) for signal in found.values] == [lengths[round(i * (len(lengths) - 1) / 4)] for i in range(5)]
    assert found.seconds is None
    assert found.describe() == f"5 of train, {sum(map(len, found.values)):,} points"
    everything = manifest_signals(ink, train, 1000, untracked)
    assert [len(signal) for signal in everything.values] == lengths


def test_synthetic_signals(ink: Transcriber, speech_run: Path) -> None:
    inks = synthetic_signals(ink.parts.reader, 7)
    assert len(inks.values) == 7
    assert {signal.shape[1] for signal in inks.values} == {ink.parts.reader.num_channels}
    assert [len(s) for s in inks.values] == sorted(len(s) for s in inks.values)
    again = synthetic_signals(ink.parts.reader, 7)
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(inks.values, again.values, strict=True))
    assert ink.recognize(inks.values)
    speech = load(speech_run)
    sounds = synthetic_signals(speech.parts.reader, 3)
    assert speech.sample_rate
    assert [len(signal) / speech.sample_rate for signal in sounds.values] == [1.0, 5.5, 10.0]
    assert sounds.seconds == 16.5


def test_a_reader_that_takes_neither() -> None:
    class Other:
        def load(self, source: object) -> None:
            raise UserError("only films")

    with pytest.raises(UserError, match=r"only films.*; give manifest=PATH"):
        synthetic_signals(Other(), 2)  # type: ignore[arg-type]


def test_batches_are_of_one_size_and_hold_every_signal(ink: Transcriber, train: Path) -> None:
    signals = manifest_signals(ink, train, 11, untracked).values
    batches = batches_of_signals(ink, signals, 4)
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert sorted(len(s) for batch in batches for s in batch) == [len(s) for s in signals]
    assert min(map(len, batches[0])) >= max(map(len, batches[-1]))


def test_emissions_are_those_of_the_recogniser(ink: Transcriber, train: Path) -> None:
    signals = manifest_signals(ink, train, 3, untracked).values
    (found,) = emissions_of(ink, signals, untracked)
    with torch.inference_mode():
        expected = ink.parts.recognizer(*pad_signals(signals[::-1]))  # the longest first
    assert torch.equal(found.log_probs, expected.log_probs)
    assert found.lengths.tolist() == expected.lengths.tolist()
