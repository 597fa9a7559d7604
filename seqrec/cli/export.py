"""`seqrec export RUN`: a run as one .onnx file, which recognises without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.options import options_of
from seqrec.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from rich.table import Table

    from seqrec.export.exporting import Exported
    from seqrec.export.parity import Parity

USAGE = """usage: seqrec export RUN [output=RUN/export/model.onnx] [engine=onnx|onnx-int8] [dev=500]

Writes a run's best checkpoint, with its tokens and config, as an ONNX model of any batch size and length. Log-mel and
MFCC front-ends are inside the file; others stay beside it. `seqrec transcribe model.onnx a.wav` then needs ONNX Runtime
and NumPy, not PyTorch; of inks it does with frontend=deltas alone. Places and confidences are those of the run.

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
EXPORTED_ENGINES = ("onnx", "onnx-int8")
OPTIONS = ("output", "engine", "dev", "data_dir")


def main(words: Sequence[str]) -> None:
    """Export the run named first in `words`, under the options that follow."""
    if not words or {"-h", "--help"} & set(words):
        print(USAGE, end="")
        return
    run, options = _run(words[0]), options_of(words[1:], OPTIONS, "export")
    num_dev, engine = _whole("dev", options.get("dev", "500")), _engine(options.get("engine", "onnx"))
    path = _output(options["output"]) if "output" in options else run / "export" / "model.onnx"
    from seqrec.export.exporting import export  # torch takes seconds to import: mistakes are told before
    from seqrec.progress import console, track

    show = partial(track, title="scoring dev")
    found = export(run, path, engine, num_dev, options.get("data_dir"), show)
    console.print(_table(found))
    for line in _sentences(found, num_dev):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _table(found: Exported) -> Table:
    """Show what was written, and how it compares with torch."""
    from rich.table import Table

    from seqrec.metrics.wording import percent

    table = Table("", "torch", found.engine, title=f"{found.size / 1e6:.1f} MB, takes {found.input}")
    before_int8 = ", before quantising" if found.rounding else ""
    table.add_row(f"greatest difference of log-probs{before_int8}", "", f"{found.parity.difference:.1g}")
    if found.rounding:
        table.add_row("greatest difference of log-probs, int8", "", f"{found.rounding.difference:.2g}")
    if found.dev:
        before, after = found.dev.torch, found.dev.exported
        table.add_row(f"WER of {before.examples:,} examples of dev", percent(before.wer), percent(after.wer))
        table.add_row("CER", percent(before.cer), percent(after.cer))
    return table


def _sentences(found: Exported, num_dev: int) -> list[str]:
    """Say what is not in the table, and how the file is used."""
    from seqrec.export.parity import TOLERANCE

    lines = [f"log-probs were compared on {_compared(found.parity)}", f"written to {found.path}"]
    if found.rounding:
        lines[0] += f" before quantising, and on {_compared(found.rounding)} after it"
    if found.dev and found.dev.is_silent:
        lines.insert(
            0, "torch and the exported model give no text for any example of dev: train the run longer before using it"
        )
    if num_dev and not found.dev:
        lines.insert(0, f"not scored on dev: {found.manifest} is not there; if it has moved, give data_dir=PATH")
    if found.parity.difference > TOLERANCE:
        lines.append(
            f"log-probs differ by over {TOLERANCE:g} where the front-end of PyTorch, too, differs so from float64: "
            "some bands hold next to nothing"
        )
    if found.needs_torch:
        return [*lines, found.needs_torch]
    if found.input == "features":
        lines.append("it takes features, which `seqrec transcribe` computes")
    return [*lines, f"use it: seqrec transcribe {found.path} SOURCE ..."]


def _compared(parity: Parity) -> str:
    """Say which examples log-probs were compared on."""
    from seqrec.export.parity import RANDOM_EXAMPLES

    of_dev = parity.examples - RANDOM_EXAMPLES
    return f"{RANDOM_EXAMPLES} random examples" + (f" and {of_dev:,} of dev" if of_dev else "")


def _run(word: str) -> Path:
    """Return the folder of a run that has a checkpoint."""
    from seqrec.run_folder import checkpoint_of, open_run

    if word.partition("=")[0] in OPTIONS:
        raise UserError(f"export: `{word}` stands where the run's folder should; give RUN first, options after it")
    checkpoint_of(word)
    return open_run(word).path


def _engine(name: str) -> str:
    if name not in EXPORTED_ENGINES:
        choices = " or ".join(EXPORTED_ENGINES)
        raise UserError(f"engine={name} writes no file; give {choices}{did_you_mean(name, EXPORTED_ENGINES)}")
    return name


def _output(name: str) -> Path:
    """Return the file to write, in a folder that is there from now on."""
    path = Path(name)
    if path.suffix.lower() != ".onnx" or path.is_dir():
        raise UserError(f"output={path}: give a file whose name ends in .onnx")
    path.parent.mkdir(parents=True, exist_ok=True)  # what forbids this forbids it before minutes of scoring
    return path


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        raise UserError(f"{name}={value} is no whole number of 0 or more; mend it")
    return int(value)
