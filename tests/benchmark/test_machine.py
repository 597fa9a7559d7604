"""What a benchmark tells of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from seqrec.benchmark.machine import describe_machine, peak_bytes
from seqrec.run_folder import RunFolder


def test_the_machine_is_that_of_a_run_folder(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_environment(0, [])
    environment = json.loads(run.environment.read_text())
    found = describe_machine()
    assert all(isinstance(value, str) and value for value in found.values())
    assert found["processor"] == environment["machine"]["processor"]
    assert found["threads"] == str(environment["machine"]["threads"]) == str(torch.get_num_threads())
    assert found["torch"].split("+")[0] == environment["versions"]["torch"].split("+")[0]
    if environment["git"]:
        assert found["commit"].startswith(environment["git"]["commit"])


def test_peak_memory_holds_what_was_taken() -> None:
    before = peak_bytes(torch.device("cpu"))
    assert before is not None
    taken = np.ones(before // 4 + (64 << 20), np.uint8)  # may fit into what was free again
    after = peak_bytes(torch.device("cpu"))
    assert after is not None
    assert after >= max(before, len(taken))
