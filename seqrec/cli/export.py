"""`seqrec export RUN`: a run as one .onnx file, which recognises without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.options import options_of
from seqrec.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from seqrec.export.exporting import Exported

USAGE = """usage: seqrec export RUN [output=RUN/export/model.onnx] [engine=onnx|onnx-int8] [dev=500]

Writes a run's best checkpoint, with its tokens and config, as an ONNX model of any batch size and length. Log-mel and
MFCC front-ends are inside the file; others stay beside it. `seqrec transcribe model.onnx a.wav` then needs ONNX Runtime
and NumPy, not PyTorch.

The file is compared with PyTorch before it is written, on random ragged batches and on dev: log-probs that differ by
over 0.001 are an error, unless PyTorch's own rounding explains them. With engine=onnx-int8 that holds before
quantising; what quantising does to WER and CER on dev is shown, and stands in the file.

  output=PATH           where it is written
  engine=onnx           float32
  engine=onnx-int8      8-bit weights: a quarter of the size, several times as fast; LSTM cells only
  dev=500               examples of dev it is scored on, at most; 0: none
  data_dir=PATH         where the prepared corpus lies, if it has moved

Needs: pip install 'seqrec[onnx]'
"""
OPTIONS = ("output", "engine", "dev", "data_dir")


def main(words: Sequence[str]) -> None:
    """Export the run named first in `words`, under the options that follow."""
    if not words or {"-h", "--help"} & set(words):
        print(USAGE, end="")
        return
    options = options_of(words[1:], OPTIONS, "export")
    num_dev = _whole("dev", options.get("dev", "500"))
    from seqrec.export.exporting import export
    from seqrec.progress import console, track
    from seqrec.run_folder import open_run

    engine = options.get("engine", "onnx")
    path = Path(options["output"]) if "output" in options else open_run(words[0]).path / "export" / "model.onnx"
    show = partial(track, title="scoring dev")
    found = export(words[0], path, engine, num_dev, options.get("data_dir"), show)
    console.print(_table(found))
    for line in _sentences(found, num_dev):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _table(found: Exported) -> Table:
    """Show what was written, and how it compares with torch."""
    from rich.table import Table

    from seqrec.metrics.wording import percent

    table = Table("", "torch", "onnx", title=f"{found.size / 1e6:.1f} MB, takes {found.input}")
    checked = f"{found.parity.difference:.1g} ({found.parity.examples:,} examples)"
    table.add_row("greatest difference of log-probs, float32", "", checked)
    if found.rounding:
        table.add_row("the same, int8", "", f"{found.rounding.difference:.2g} ({found.rounding.examples:,} examples)")
    if found.dev:
        before, after = found.dev.torch, found.dev.exported
        table.add_row(f"WER of {before.examples:,} examples of dev", percent(before.wer), percent(after.wer))
        table.add_row("CER", percent(before.cer), percent(after.cer))
    return table


def _sentences(found: Exported, num_dev: int) -> list[str]:
    """Say what is not in the table, and how the file is used."""
    from seqrec.export.parity import TOLERANCE

    lines = [f"written to {found.path}"]
    if num_dev and not found.dev:
        lines.insert(0, f"not scored on dev: {found.manifest} is not there; if it has moved, give data_dir=PATH")
    if found.parity.difference > TOLERANCE:
        lines.append(
            f"log-probs differ by over {TOLERANCE:g} where the front-end of PyTorch, too, differs so from float64: "
            "some bands hold next to nothing"
        )
    if found.input == "features":
        lines.append("it takes features; `seqrec transcribe` computes those of frontend=deltas for it, and of no other")
    return [*lines, f"use it: seqrec transcribe {found.path} SOURCE ..."]


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        raise UserError(f"{name}={value} is no whole number of 0 or more; mend it")
    return int(value)
