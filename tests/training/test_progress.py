"""On a terminal a training draws a bar of one line, with loss, WER, CER and speed."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from tiny import tiny_options

COLUMNS = 80


def run_on_a_terminal(command: list[str], folder: Path) -> str:
    """Run `command` on a pseudo-terminal of `COLUMNS` columns; return all it wrote."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "OMP_NUM_THREADS": "1", "COLUMNS": str(COLUMNS)}
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    assert process.wait() == 0, written.decode()
    return written.decode()


def test_the_bar_fits_one_line(ink_run: Path, tmp_path: Path) -> None:
    words = ["train", "synth/ink", *tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=3"]
    text = run_on_a_terminal([sys.executable, "-m", "seqrec", *words, "hydra.run.dir=run"], tmp_path)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    bars = [line for line in re.split(r"[\r\n]+", plain) if line.startswith("Epoch")]
    assert bars
    assert any(all(word in bar for word in ("loss:", "WER:", "CER:", "ex/s:")) for bar in bars), bars[-1]
    assert max(map(len, bars)) <= COLUMNS
