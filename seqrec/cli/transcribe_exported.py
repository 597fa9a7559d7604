"""`seqrec transcribe MODEL.onnx SOURCE ...`: recordings or inks to text without torch."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.cli.sources import find_sources
from seqrec.cli.transcripts import decoder_options, source_names, targets_of, write, write_each
from seqrec.errors import UserError, did_you_mean
from seqrec.exported.model import ExportedModel
from seqrec.exported.transcription import ExportedTranscriber, Recognized
from seqrec.formats.transcripts import Transcribed, transcript_format
from seqrec.share import constructor_defaults, share_folder

if TYPE_CHECKING:
    from seqrec.cli.sources import Source

_OF_RUNS = ("window", "context", "engine")  # options that an exported model has no use for


def transcribe_exported(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Transcribe the sources; one that cannot be read is named, the others are done all the same.

    Args:
        arguments: what `seqrec transcribe` was given, the first of which is a .onnx file.
        parser: that read them; options of runs must be as it has them by default.
    """
    _check(arguments, parser)
    names = source_names(arguments)
    options = decoder_options(arguments)
    model = ExportedModel(arguments.run)
    transcriber = ExportedTranscriber(model, _chosen_decoder(model.metadata.config["decoder"], options))
    format = transcript_format(arguments.format, transcriber.sample_rate)
    with tempfile.TemporaryDirectory(prefix="seqrec-") as folder:
        sources = find_sources(names, transcriber.reader.extensions, Path(folder))
        results = Results(transcriber, sources, arguments)
        targets = targets_of(sources, arguments, format)
        if targets:
            write_each(results, targets, format)
        else:
            write(format.write(item for _, item in results), arguments.output)
    if results.failed:
        raise UserError(f"{results.failed} of {len(sources)} files could not be transcribed; the reasons stand above")


class Results:
    """The transcripts of sources that can be read, in order; the others are named and counted meanwhile."""

    def __init__(
        self, transcriber: ExportedTranscriber, sources: Sequence[Source], arguments: argparse.Namespace
    ) -> None:
        self.failed = 0
        self._transcriber = transcriber
        self._sources = sources
        self._arguments = arguments

    def __iter__(self) -> Iterator[tuple[Source, Transcribed]]:
        paths = [source.path for source in self._sources]
        arguments, rate = self._arguments, self._transcriber.sample_rate
        times = arguments.format != "txt"
        found = self._transcriber.transcribe_all(paths, times, arguments.batch_frames, arguments.batch_size)
        for source, result in zip(self._sources, found, strict=True):
            if isinstance(result, Recognized):
                seconds = result.source.length / rate if rate else None
                yield source, Transcribed(source.name, result.transcript, seconds, result.source.ink)
            else:
                self.failed += 1
                print(f"seqrec: {source.describe(result)}", file=sys.stderr)


def _check(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse what an exported model cannot do.

    Raises:
        UserError: it was asked for.
    """
    model = arguments.run
    for name in _OF_RUNS:
        if getattr(arguments, name, None) != parser.get_default(name):
            raise UserError(f"--{name} is for runs, and {model} is an exported model; leave it out, or give the run")
    if arguments.device not in ("auto", "cpu"):
        raise UserError(f"--device {arguments.device}: {model} runs on the CPU; leave it out, or give the run")


def _chosen_decoder(part: Mapping[str, Any], options: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the decoder of a model's config, or the one that is named, with the options that are given.

    Raises:
        UserError: there is no such decoder or option.
    """
    if not options:
        return part
    try:
        import yaml
    except ImportError as error:
        raise UserError(f"options of decoders need PyYAML ({error}); install it with `pip install PyYAML`") from None
    name = options.get("decoder")
    if name is not None:
        paths = {path.stem: path for path in (share_folder("conf") / "decoder").glob("*.yaml")}
        if name not in paths:
            raise UserError(f"decoder={name} is none{did_you_mean(name, paths)}")
        part = yaml.safe_load(paths[name].read_text(encoding="utf-8"))
    known = constructor_defaults(str(part["_target_"])) or {}
    given = {key.partition(".")[2]: value for key, value in options.items() if key != "decoder"}
    for key in (key for key in given if key not in known):
        hint = "; it gives one reading, decoder=beam more" if key == "n_best" else did_you_mean(key, known)
        raise UserError(f"`decoder.{key}` is no option of {part['_target_']}{hint}")
    return {**part, **{key: yaml.safe_load(value) for key, value in given.items()}}
