"""`seqrec transcribe RUN SOURCE ...`: recordings or inks to text, with times and confidences."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.transcripts import decoder_options, source_names, targets_of, write, write_each
from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.cli.sources import Source
    from seqrec.formats.transcripts import Timed, Transcribed
    from seqrec.transcriber import Transcriber

_FORMATS = ("txt", "json", "srt", "vtt", "ctm", "textgrid")


def main(words: Sequence[str]) -> None:
    """Transcribe the sources named in `words`; one that cannot be read is named, the others are done all the same."""
    parser = _parser()
    arguments = parser.parse_intermixed_args(words)
    if arguments.run.lower().endswith(".onnx"):
        from seqrec.cli.transcribe_exported import transcribe_exported

        return transcribe_exported(arguments, parser)
    from seqrec.cli.run_options import load_run
    from seqrec.cli.sources import find_sources
    from seqrec.formats.transcripts import transcript_format
    from seqrec.long_signals.windows import Windows

    windows = Windows(arguments.window, min(arguments.context, arguments.window))
    names = source_names(arguments)
    run = load_run(
        arguments.run, {"device": arguments.device, "engine": arguments.engine, **decoder_options(arguments)}
    )
    run.transcriber.windows = windows
    format = transcript_format(arguments.format, run.transcriber.sample_rate)
    with tempfile.TemporaryDirectory(prefix="seqrec-") as folder:
        sources = find_sources(names, run.transcriber.parts.reader.extensions, Path(folder))
        results = Results(run.transcriber, sources, arguments)
        targets = targets_of(sources, arguments, format)
        if targets:
            write_each(results, targets, format)
        elif format.stream is not None:
            write(_stream(run.transcriber, sources[0], format.stream, arguments.output), arguments.output)
        else:
            write(format.write(item for _, item in results), arguments.output)
    if results.failed:
        raise UserError(f"{results.failed} of {len(sources)} files could not be transcribed; the reasons stand above")


class Results:
    """The transcripts of sources that can be read, in order; the others are named and counted meanwhile."""

    def __init__(self, transcriber: Transcriber, sources: Sequence[Source], arguments: argparse.Namespace) -> None:
        self.failed = 0
        self._transcriber = transcriber
        self._sources = sources
        self._arguments = arguments

    def __iter__(self) -> Iterator[tuple[Source, Transcribed]]:
        from seqrec.formats.transcripts import Transcribed
        from seqrec.progress import track
        from seqrec.source_batches import Recognized, transcribe_all

        arguments, sources = self._arguments, self._sources
        is_alone = len(sources) == 1
        found = transcribe_all(
            self._transcriber,
            [source.path for source in sources],
            times=arguments.format != "txt",
            max_frames=arguments.batch_frames,
            max_examples=arguments.batch_size,
            track=partial(track, title=sources[0].name) if is_alone else None,
        )
        if not is_alone and (arguments.output or not sys.stdout.isatty()):  # else the results show how far it is
            found = iter(track(found, "transcribing", len(sources)))
        rate = self._transcriber.sample_rate
        for source, result in zip(sources, found, strict=True):
            if isinstance(result, Recognized):
                seconds = result.length / rate if rate else None
                ink = result.signal.numpy() if result.signal is not None and rate is None else None
                yield source, Transcribed(source.name, result.transcript, seconds, ink)
            else:
                self.failed += 1
                print(f"seqrec: {source.describe(result)}", file=sys.stderr)


def _stream(
    transcriber: Transcriber, source: Source, stream: Callable[[Iterable[Timed]], Iterator[str]], output: str | None
) -> Iterator[str]:
    """Yield subtitles while their recording is being read."""
    from seqrec.formats.transcripts import in_seconds
    from seqrec.progress import track

    is_shown = not output and sys.stdout.isatty()  # how far it is
    words = transcriber.stream_words(source.path, None if is_shown else partial(track, title=source.name))
    try:
        yield from stream(in_seconds(words, transcriber.sample_rate or 1.0))
    except UserError as error:
        raise UserError(source.describe(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seqrec transcribe",
        description="Turns recordings (wav, flac, ogg, opus, mp3) or inks (json, inkml, xopp, csv) into text, with the "
        "times and confidences of words and characters. Recordings of hours need no more memory than those of minutes.",
        epilog="decoder=NAME and decoder.OPTION=VALUE work among the sources as in `seqrec evaluate`.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder that `seqrec train` made, or a .onnx file that `seqrec export` wrote")
    add(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="files, as the run's recipe takes them; folders, gone through for such files; - is standard input",
    )
    add("--format", choices=_FORMATS, default="txt", help="txt: path, tab, text; json: an object a line")
    add("--output", metavar="PATH", help="a file; or FOLDER/, for a file a source; default: standard output")
    add("--decoder", metavar="NAME", help="another decoder than the run's: greedy, beam, beam_lm")
    add("--n-best", metavar="N", type=_positive, default=1, help="readings of each source, with a beam decoder")
    add("--window", metavar="S", type=float, default=30.0, help="recordings over two windows are cut; 0: never (30)")
    add("--context", metavar="S", type=float, default=5.0, help="seconds seen on either side of a window (5)")
    add("--batch-size", metavar="N", type=_positive, default=64, help="sources recognised together, at most (64)")
    add("--batch-frames", metavar="N", type=_positive, default=8000, help="frames of a padded batch, at most (8000)")
    add("--device", default="auto", help="auto, cpu or cuda")
    add("--engine", default="torch", metavar="ENGINE", help="what runs the network: torch, torch-bf16, onnx, onnx-int8")
    return parser


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is not at least 1")
    return number
