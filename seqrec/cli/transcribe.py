"""`seqrec transcribe RUN SOURCE ...`: recordings or inks to text, with times and confidences."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.cli.sources import Source
    from seqrec.formats.transcripts import Timed, Transcribed, TranscriptFormat
    from seqrec.transcriber import Transcriber

_FORMATS = ("txt", "json", "srt", "vtt", "ctm", "textgrid")
_OPTION = re.compile(r"decoder(\.\w+)?=")


def main(words: Sequence[str]) -> None:
    """Transcribe the sources named in `words`; one that cannot be read is named, the others are done all the same."""
    arguments = _parser().parse_intermixed_args(words)
    from seqrec.cli.run_options import load_run
    from seqrec.cli.sources import find_sources
    from seqrec.formats.transcripts import transcript_format
    from seqrec.long_signals.windows import Windows

    windows = Windows(arguments.window, min(arguments.context, arguments.window))
    names = [word for word in arguments.sources if not _OPTION.match(word)]
    if not names:
        raise UserError("no source is named; give files, folders, or - for standard input")
    run = load_run(arguments.run, {"device": arguments.device, **_decoder_options(arguments)})
    run.transcriber.windows = windows
    format = transcript_format(arguments.format, run.transcriber.sample_rate)
    with tempfile.TemporaryDirectory(prefix="seqrec-") as folder:
        sources = find_sources(names, run.transcriber.parts.reader.extensions, Path(folder))
        results = Results(run.transcriber, sources, arguments)
        targets = _targets(sources, arguments, format)
        if targets:
            _write_each(results, targets, format)
        elif format.stream is not None:
            _write(_stream(run.transcriber, sources[0], format.stream, arguments.output), arguments.output)
        else:
            _write(format.write(item for _, item in results), arguments.output)
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


def _write(texts: Iterable[str], output: str | None) -> None:
    """Write to one file, or to standard output, what comes, as soon as it is there."""
    standard = sys.stdout  # a bar on the terminal puts something else in its place
    with open(output, "w", encoding="utf-8") if output else nullcontext(standard) as file:
        for text in texts:
            print(text, end="", file=file, flush=True)


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


def _write_each(results: Results, targets: Mapping[Path, Path], format: TranscriptFormat) -> None:
    """Write each transcript to a file of its own."""
    for source, item in results:
        target = targets[source.path]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(format.write([item])), encoding="utf-8")


def _targets(sources: Sequence[Source], arguments: argparse.Namespace, format: TranscriptFormat) -> dict[Path, Path]:
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


def _decoder_options(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the decoder and its options among the arguments, as `load_run` takes them.

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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seqrec transcribe",
        description="Turns recordings (wav, flac, ogg, opus, mp3) or inks (json, inkml, xopp, csv) into text, with the "
        "times and confidences of words and characters. Recordings of hours need no more memory than those of minutes.",
        epilog="decoder=NAME and decoder.OPTION=VALUE work among the sources as in `seqrec evaluate`.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder that `seqrec train` made")
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
    return parser


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word} is not at least 1")
    return number
