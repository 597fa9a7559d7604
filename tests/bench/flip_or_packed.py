"""How much faster a CPU trains flipped LSTM layers than packed ones: `python tests/bench/flip_or_packed.py [FRAMES]`.

One bidirectional layer of 256 cells, 8 examples of half to all of FRAMES (800) frames, forward and backward, one
thread, by turns. Seconds are CPU seconds of this process: what else the machine does falls on neither.
"""

from __future__ import annotations

import sys
from statistics import median
from time import process_time

import torch

from seqrec.allocator import keep_memory
from seqrec.encoders.recurrent_layer import RecurrentLayer

EXAMPLES, FEATURES, CELLS, ROUNDS = 8, 256, 256, 3


def main() -> None:
    """Measure and print."""
    keep_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 800
    lengths = torch.randint(size // 2, size + 1, (EXAMPLES,))
    lengths[0] = size
    values = torch.randn(EXAMPLES, size, FEATURES, requires_grad=True)
    layer = RecurrentLayer(FEATURES, CELLS)
    seconds: dict[str, list[float]] = {"flipped": [], "packed": []}
    outputs = {}
    for _ in range(ROUNDS):
        for name, run in (("flipped", layer.run_flipped), ("packed", layer.run_packed)):
            started = process_time()
            outputs[name] = run(values, lengths, layer.draw_weights())
            outputs[name].square().sum().backward()
            seconds[name].append(process_time() - started)
    torch.testing.assert_close(outputs["flipped"], outputs["packed"], atol=1e-5, rtol=0)
    times = {name: median(each[1:]) for name, each in seconds.items()}
    for name, each in times.items():
        print(f"{name:8} {each:.2f} s, {int(lengths.sum()) / each:,.0f} valid frames a CPU second")
    print(f"flipped is {times['packed'] / times['flipped']:.1f} x as fast")


if __name__ == "__main__":
    main()
