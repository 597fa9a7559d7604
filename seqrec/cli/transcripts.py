"""What transcribing with a run and with an exported model share: the options of a decoder, and where results go."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.cli.sources import Source
    from seqrec.formats.transcripts import Transcribed, TranscriptFormat

_OPTION = re.compile(r"decoder(\.\w+)?=")


def source_names(arguments: argparse.Namespace) -> list[str]:
    """Return the sources among the arguments, as they are named.

    Raises:
        UserError: there is none.
    """
    names = [word for word in arguments.sources if not _OPTION.match(word)]
    if not names:
        raise UserError("no source is named; give files, folders, or - for standard input")
    return names


def write(texts: Iterable[str], output: str | None) -> None:
    """Write to one file, or to standard output, what comes, as soon as it is there."""
    standard = sys.stdout  # a bar on the terminal puts something else in its place
    with open(output, "w", encoding="utf-8") if output else nullcontext(standard) as file:
        for text in texts:
            print(text, end="", file=file, flush=True)


def write_each(
    results: Iterable[tuple[Source, Transcribed]], targets: Mapping[Path, Path], format: TranscriptFormat
) -> None:
    """Write each transcript to a file of its own."""
    for source, item in results:
        target = targets[source.path]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(format.write([item])), encoding="utf-8")


def targets_of(sources: Sequence[Source], arguments: argparse.Namespace, format: TranscriptFormat) -> dict[Path, Path]:
    """Return for each source the file it is written to in the folder `--output`; none where that is no folder.

    Raises:
        UserError: the format needs a folder, or two sources have one target, or one of them is a target.
    """
    output = arguments.output
    if not output or not (output.endswith("/") or Path(output).is_dir()):
        if format.is_file_each and len(sources) > 1:
            raise UserError(
                f"--format {arguments.format} of {len(sources)} sources is a file each; give --output FOLDER/"
            )
        _check_no_source(sources, Path(output) if output else None)
        return {}
    taken: dict[Path, Source] = {}
    for source in sources:
        target = Path(output) / source.inside.with_suffix(format.suffix)
        if target in taken:
            raise UserError(f"{taken[target].name} and {source.name} would both be written to {target}; rename one")
        _check_no_source(sources, target)
        taken[target] = source
    return {source.path: target for target, source in taken.items()}


def _check_no_source(sources: Sequence[Source], target: Path | None) -> None:
    if target is not None and target.is_file():
        for source in sources:
            if source.path.exists() and source.path.samefile(target):
                raise UserError(f"{target}: is read, and would be written over; give another --output")


def decoder_options(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the decoder and its options among the arguments, `decoder` and `decoder.OPTION`, as they are given.

    Raises:
        UserError: one is given twice.
    """
    given = [word.split("=", 1) for word in arguments.sources if _OPTION.match(word)]
    given += [["decoder", arguments.decoder]] if arguments.decoder else []
    given += [["decoder.n_best", str(arguments.n_best)]] if arguments.n_best > 1 else []
    options = dict(given)
    for key, _ in given:
        if sum(key == other for other, _ in given) > 1:
            raise UserError(f"`{key}` is given twice; give it once")
    return options
