"""`seqrec align RUN`: when each word and character of known texts is spoken, or where it is written."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.options import options_of, split_name
from seqrec.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from seqrec.cli.run_options import OpenRun
    from seqrec.data.dataset import ManifestDataset
    from seqrec.formats.transcripts import Transcribed, TranscriptFormat
    from seqrec.manifest import Row

_OPTIONS = ("split", "data_dir", "device")
_ROWS, _FRAMES = 512, 64_000  # that are batched with one another, at most; rows come out in the manifest's order
_STATES = 1 << 30  # frames times places of a text, a byte each: 17 minutes of fast speech
_FORMATS = ("json", "ctm", "textgrid", "srt", "vtt")


def main(words: Sequence[str]) -> None:
    """Align every row's text to its signal; rows that cannot be aligned are named and counted, the others done."""
    arguments, options = _parse(words)
    from seqrec.cli.run_options import load_run
    from seqrec.corpora.shards.fetch import corpus_folder
    from seqrec.data.dataset import ManifestDataset
    from seqrec.formats.transcripts import transcript_format
    from seqrec.progress import track

    run = load_run(arguments.run, options)
    format = transcript_format(arguments.format, run.transcriber.sample_rate)
    if format.is_file_each and not arguments.output:
        raise UserError(f"--format {arguments.format} is a file for each row; give --output FOLDER")
    path = arguments.manifest or corpus_folder(run.config) / f"manifest-{arguments.split}.jsonl"
    dataset = ManifestDataset(path, run.transcriber.parts.reader, run.transcriber.parts.tokenizer)
    rows = Rows(run, dataset)
    shown = track(rows, f"aligning {path.name}", len(dataset)) if arguments.output or not sys.stdout.isatty() else rows
    found = (row for row in shown if row is not None)
    if format.is_file_each:
        _write_each(found, format, Path(arguments.output))
    else:
        _write_all(found, format, arguments.output)
    if rows.failed:
        raise UserError(f"{rows.failed} of {len(dataset)} rows could not be aligned; the reasons stand above")


class Rows:
    """The aligned rows of a manifest, in its order; None for those that cannot be, which are named and counted."""

    def __init__(self, run: OpenRun, dataset: ManifestDataset) -> None:
        self.failed = 0
        self._transcriber = run.transcriber
        self._dataset = dataset

    def __iter__(self) -> Iterator[Transcribed | None]:
        rows: list[Row] = []
        signals: dict[int, Tensor] = {}
        num_frames = 0
        for index in range(len(self._dataset)):
            row = self._dataset.manifest[index]
            rows.append(row)
            try:
                signal = self._read(row)
                frames = self._frames([signal])
                self._check_size(row, int(frames[0]))
                signals[len(rows) - 1] = signal
                num_frames += int(frames[0])
            except (UserError, OSError) as error:
                self._fail(row, error)
            if len(rows) == _ROWS or num_frames >= _FRAMES:
                yield from self._align_all(rows, signals)
                rows, signals, num_frames = [], {}, 0
        yield from self._align_all(rows, signals)

    def _align_all(self, rows: Sequence[Row], signals: dict[int, Tensor]) -> Iterator[Transcribed | None]:
        """Yield rows with their signals, where these can be read, those of like length aligned together."""
        from seqrec.data.batching import FrameBatches

        found: dict[int, Transcribed] = {}
        if signals:
            indices = list(signals)
            for batch in FrameBatches(self._frames(list(signals.values())), shuffle=False):
                found.update(self._align(rows, {indices[number]: signals[indices[number]] for number in batch}))
        yield from (found.get(index) for index in range(len(rows)))

    def _check_size(self, row: Row, num_frames: int) -> None:
        import torch

        num_outputs = int(self._transcriber.parts.recognizer.output_lengths(torch.tensor([num_frames])))
        size = num_outputs * (2 * len(self._dataset.encode(row)) + 1)
        if size > _STATES:
            raise UserError(
                f"example `{row.id}`: aligning it takes {size / 2**30:.1f} GiB, over {_STATES >> 30}; "
                "cut the recording at its pauses into some rows, with `start_sample` and `num_samples`"
            )

    def _read(self, row: Row) -> Tensor:
        strangers = self._dataset.tokenizer.strangers(row.text)
        if strangers:
            named = " ".join(map(repr, strangers))
            raise UserError(f"example `{row.id}`: {named} not in the run's alphabet; spell the text in it")
        return self._dataset.reader.read(row, self._dataset.folder)

    def _frames(self, signals: list[Tensor]) -> np.ndarray:
        import numpy as np
        import torch

        recognizer = self._transcriber.parts.recognizer
        if not recognizer.frontend.length_depends_on_content:
            lengths = torch.tensor([len(signal) for signal in signals])
            return recognizer.frame_lengths(None, lengths).numpy()
        return np.array([len(signal) for signal in signals])  # points: near enough for batches

    def _align(self, rows: Sequence[Row], signals: dict[int, Tensor]) -> Iterator[tuple[int, Transcribed]]:
        import torch

        from seqrec.formats.transcripts import Transcribed
        from seqrec.sequence import pad_signals
        from seqrec.timing import read_targets
        from seqrec.transcript import Transcript

        transcriber = self._transcriber
        padded, lengths = (each.to(transcriber.device) for each in pad_signals(list(signals.values())))
        targets = [self._dataset.encode(rows[index]) for index in signals]
        with torch.inference_mode():
            emissions = transcriber.parts.recognizer(padded, lengths)
            readings = read_targets(transcriber.parts, padded, lengths, emissions, targets, transcriber.temperature)
        rate = transcriber.sample_rate
        for index, reading in zip(signals, readings, strict=True):
            if reading.score == -torch.inf:
                self._fail(rows[index], UserError(f"example `{rows[index].id}`: its text does not fit its frames"))
                continue
            signal = signals[index]
            transcript = Transcript((reading,), rate)
            seconds, points = (len(signal) / rate, None) if rate else (None, signal.numpy())
            yield index, Transcribed(rows[index].id, transcript, seconds, points, "id")

    def _fail(self, row: Row, error: Exception) -> None:
        self.failed += 1
        said = str(error)
        print(f"seqrec: {said if row.id in said else f'example `{row.id}`: {said}'}", file=sys.stderr)


def _write_all(rows: Iterable[Transcribed], format: TranscriptFormat, output: str | None) -> None:
    standard = sys.stdout  # a bar on the terminal puts something else in its place
    with open(output, "w", encoding="utf-8") if output else nullcontext(standard) as file:
        for text in format.write(rows):
            print(text, end="", file=file)


def _write_each(rows: Iterable[Transcribed], format: TranscriptFormat, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    taken: dict[str, str] = {}
    for row in rows:
        name = re.sub(r"[^\w.-]+", "_", row.name).lstrip(".") + format.suffix
        if name in taken:
            raise UserError(f"rows `{taken[name]}` and `{row.name}` would both be written to {name}; rename one")
        taken[name] = row.name
        (folder / name).write_text("".join(format.write([row])), encoding="utf-8")


def _parse(words: Sequence[str]) -> tuple[argparse.Namespace, dict[str, str]]:
    arguments = _parser().parse_intermixed_args(words)
    manifests = [word for word in arguments.words if "=" not in word or Path(word).exists()]
    if len(manifests) > 1:
        raise UserError(f"{' and '.join(manifests)}: align takes one manifest")
    options = options_of([word for word in arguments.words if word not in manifests], _OPTIONS, "align")
    arguments.split = split_name({**options, **({"manifest": manifests[0]} if manifests else {})})
    arguments.manifest = Path(manifests[0]) if manifests else None
    return arguments, options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seqrec align",
        description="Finds in each recording or ink of a manifest the words and characters of its own text.",
        epilog="options: split=test (of the run's corpus, train or dev), data_dir=PATH, device=auto|cpu|cuda",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder that `seqrec train` made")
    add("words", metavar="MANIFEST", nargs="*", help="a manifest, instead of a split of the run's corpus; or KEY=VALUE")
    add(
        "--format", choices=_FORMATS, default="json", help="json and ctm: all rows in one file; the others: a file each"
    )
    add("--output", metavar="PATH", help="a file, or for textgrid, srt and vtt a folder; default: standard output")
    return parser
