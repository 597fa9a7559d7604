"""How much faster two processes train than one, a thread each: `python tests/bench/two_processes.py [RECIPE ...]`.

Each is `seqrec bench train RECIPE`, three times by turns, the second with trainer=ddp over gloo; the medians of their
valid frames a second are compared. The machine needs two idle cores; 1-minute loads are printed beside the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROUNDS, STEPS = 3, 10
NETWORK = ["hidden_size=320", "num_layers=4", "stack_size=1", "stack_stride=1"]
DEFAULT = ["synth/speech", *(f"encoder.{each}" for each in NETWORK)]
SETTINGS: dict[str, list[str]] = {
    "one process": [],
    "two processes": ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"],
}


def measure(words: list[str], more: list[str], file: Path) -> float:
    """Return the valid frames a second of a training on all its processes."""
    command = [sys.executable, "-m", "seqrec", "bench", "train", *words, *more, "--steps", str(STEPS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "--json", str(file)], check=True, env=environment, stdout=subprocess.DEVNULL)
    found = json.loads(file.read_text(encoding="utf-8"))["measurements"]
    (rate,) = (one["value"] for one in found if one["unit"] == "valid frames/s" and one["name"] == "valid frames")
    return float(rate)


def main() -> None:
    """Measure and print."""
    words = sys.argv[1:] or DEFAULT
    rates: dict[str, list[float]] = {name: [] for name in SETTINGS}
    with TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, more in SETTINGS.items():
                rates[name].append(measure(words, more, Path(folder) / "rate.json"))
                print(f"{name:14} {rates[name][-1]:8,.0f} valid frames/s, load {os.getloadavg()[0]:.1f}", flush=True)
    one, two = (median(each) for each in rates.values())
    print(f"two processes are {two / one:.2f} x as fast as one")


if __name__ == "__main__":
    main()
