"""Speed of engines: figures that fit together, of what was really recognised."""

from __future__ import annotations

from pathlib import Path
from time import sleep

from seqrec.benchmark.results import Measurement
from seqrec.benchmark.signals import Signals, synthetic_signals
from seqrec.benchmark.transcribing import bench_transcribing
from seqrec.transcriber import Transcriber, load

SLEEP = 0.02


class Sleeper:
    """Recognises by waiting, longer for longer signals; counts what it was given."""

    device = "cpu"

    def __init__(self, transcriber: Transcriber) -> None:
        self.parts = transcriber.parts
        self.given: list[int] = []

    def recognize(self, signals: list) -> None:
        self.given.append(len(signals))
        sleep(SLEEP)


def figures(transcribers: dict, signals: Signals, size: int, rounds: int) -> dict[tuple[str, str], Measurement]:
    found = bench_transcribing(transcribers, signals, size, rounds, lambda items, title: items)
    assert len({(one.name, one.unit) for one in found}) == len(found)
    return {(one.name, one.unit): one for one in found}


def test_ink(ink_run: Path) -> None:
    sleeper = Sleeper(load(ink_run))
    signals = synthetic_signals(sleeper.parts.reader, 5)
    found = figures({"slow": sleeper}, signals, 4, 2)
    assert sleeper.given == 3 * [1, 1, 1, 1, 1, 4, 1]  # a round to warm up, two that count
    assert 0.1 / SLEEP < found["slow, batch 1", "inks/s"].value <= 1 / SLEEP
    assert 0.1 * 5 / (2 * SLEEP) < found["slow, batches of 4", "inks/s"].value <= 5 / (2 * SLEEP)
    median, high = (found[f"slow, batch 1, {name}", "ms"] for name in ("median latency", "95th percentile of latency"))
    assert 1000 * SLEEP <= median.value <= high.value < 20_000 * SLEEP
    assert [one.higher_is_better for one in found.values()] == [True, True, False, False, False]
    assert found["peak memory, cpu", "MB"].value > 50


def test_speech(speech_run: Path) -> None:
    transcriber = load(speech_run)
    signals = synthetic_signals(transcriber.parts.reader, 2)
    found = figures({"torch": transcriber, "slow": Sleeper(transcriber)}, signals, 2, 1)
    assert signals.seconds == 11
    assert 2 * SLEEP / 11 <= found["slow, batch 1", "real-time factor"].value < 20 * SLEEP / 11
    assert SLEEP / 11 <= found["slow, batches of 2", "real-time factor"].value < 10 * SLEEP / 11
    assert 0 < found["torch, batch 1", "real-time factor"].value < 1
    assert not any(one.higher_is_better for one in found.values())
