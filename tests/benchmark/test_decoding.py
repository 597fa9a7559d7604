"""Speed of decoders, on one thread."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
import torch

from seqrec.benchmark.decoding import FRAMES, LETTERS, bench_decoding, synthetic_emissions, synthetic_log_probs
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.sequence import Emissions
from seqrec.transcript import Candidate

BUSY = 0.02


class Busy(GreedyDecoder):
    """Takes its time, and notes on how many threads."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.calls = 0

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        self.threads.add(torch.get_num_threads())
        self.calls += 1
        until = process_time() + BUSY
        while process_time() < until:
            pass
        return super().decode(emissions)


def test_synthetic_log_probs_are_the_same_each_time_and_sum_to_one() -> None:
    rows = synthetic_log_probs(3)
    assert rows.shape == (3, FRAMES, len(LETTERS) + 1)
    assert rows.dtype == np.float32
    assert np.array_equal(rows[:2], synthetic_log_probs(3)[:2])
    assert np.exp(rows).sum(-1) == pytest.approx(1, abs=1e-4)
    read = [len(candidates[0].tokens) for one in synthetic_emissions(3) for candidates in GreedyDecoder().decode(one)]
    assert all(30 < length < FRAMES / 4 for length in read)  # words of letters, not noise


def test_utterances_a_second() -> None:
    torch.set_num_threads(2)
    try:
        busy = Busy()
        batches = [Emissions(torch.zeros(3, 4, 5), torch.tensor([4, 4, 2])), *synthetic_emissions(1)]
        greedy, slow = bench_decoding({"greedy": GreedyDecoder(), "slow": busy}, batches, 2, lambda items, title: items)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert busy.threads == {1}
    assert busy.calls == 3 * 2
    assert slow.value == pytest.approx(4 / (2 * BUSY), rel=0.4)
    assert greedy.value > 3 * slow.value
    assert (slow.name, slow.unit, slow.higher_is_better) == ("slow, one thread", "utterances/s", True)
