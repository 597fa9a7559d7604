"""Whether memory stays flat over epochs: `python tests/bench/soak.py [RECIPE] [KEY=VALUE ...]`, synth/ink by default.

A recipe is trained for 50 epochs in one process; after each epoch the script shows the process's own resident memory
(of files that are mapped, nothing), the bytes that malloc has given out (tensors and Python's arenas), and the number
of objects that Python's garbage collector knows. The first is what a user sees, and holds what the allocator keeps
(see `seqrec/allocator.py`; SEQREC_KEEP_MEMORY=0 leaves the allocator as it is); a leak would show in the others.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
from pathlib import Path
from typing import Any

EPOCHS = 50
SMALL = [
    "corpus.num_train=64",
    "corpus.num_dev=8",
    "corpus.num_test=8",
    "corpus.num_writers=10",
    "data.max_frames=2000",
]


class MallInfo(ctypes.Structure):
    """What mallinfo2(3) returns."""

    names = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    _fields_ = [(name, ctypes.c_size_t) for name in names]


def given_out_mb() -> float:
    """Return what the main arena of malloc and its maps hold in use."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = MallInfo
    found = mallinfo2()
    return (found.uordblks + found.hblkhd) / 1e6


def own_mb() -> float:
    """Return the process's resident memory that no file backs."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("RssAnon"))


def watch() -> list[tuple[float, float, int]]:
    """Have each training of this process show its memory; return what will be shown."""
    from lightning.pytorch import Callback

    from seqrec.training import fit

    seen: list[tuple[float, float, int]] = []

    class Watch(Callback):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            gc.collect()
            seen.append((own_mb(), given_out_mb(), len(gc.get_objects())))
            print("epoch {}: own {:.0f} MB, given out {:.1f} MB, {} objects".format(len(seen), *seen[-1]), flush=True)

    named = fit.named_callbacks
    fit.named_callbacks = lambda config: [*named(config), Watch()]
    return seen


def main() -> None:
    from seqrec.allocator import keep_memory
    from seqrec.cli.main import main as seqrec

    keep_memory()  # as `seqrec train` does, before torch is loaded
    recipe, *options = sys.argv[1:] or ["synth/ink", *SMALL, f"trainer.max_epochs={EPOCHS}"]
    with tempfile.TemporaryDirectory() as folder:
        seen = watch()
        always = ["logger=none", "score_test=false", f"hydra.run.dir={folder}/run"]
        where = [] if any(word.startswith("data_dir=") for word in options) else [f"data_dir={folder}/data"]
        seqrec(["train", recipe, *where, *always, *options])
    tenth = seen[len(seen) // 5]
    print(
        "from epoch {} on: own {:+.1f} MB, given out {:+.1f} MB, {:+d} objects".format(
            len(seen) // 5 + 1, *(last - first for last, first in zip(seen[-1], tenth, strict=True))
        )
    )


if __name__ == "__main__":
    main()
