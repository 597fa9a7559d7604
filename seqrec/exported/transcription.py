"""Transcribing with an exported model: ONNX Runtime and NumPy, no torch.

import seqrec
model = seqrec.load("model.onnx")
print(model.transcribe("recording.wav").text)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqrec.errors import UserError
from seqrec.exported.decoding import build_decoder
from seqrec.exported.inputs import Input
from seqrec.exported.model import ExportedModel
from seqrec.exported.signals import model_reader
from seqrec.exported.timing import read_with_times
from seqrec.formats.source_kinds import refuse_pipe
from seqrec.transcript import Candidate, Reading, Transcript

_BATCHES = 8  # that are sorted by length together


@dataclass(frozen=True)
class Recognized:
    """What was recognised in a source."""

    transcript: Transcript
    source: Input


class ExportedTranscriber:
    """An exported model with its reader, tokenizer and decoder.

    Args:
        model: what recognises.
        decoder: another than the run's, as a config names it.

    Raises:
        UserError: the model's reader, front-end or decoder needs torch, or something that is not installed.
    """

    def __init__(self, model: ExportedModel, decoder: Mapping[str, Any] | None = None) -> None:
        self.model = model
        self.reader = model_reader(model.metadata, str(model.path))
        self.decoder = build_decoder(decoder or model.metadata.config["decoder"], model.tokenizer)
        self.sample_rate: float | None = self.reader.sample_rate

    def transcribe(self, source: Any, times: bool = True, **options: Any) -> Transcript:
        """Recognise one source.

        Args:
            source: a path; for speech also an array of samples (N,) or (N, channels), for ink also an `Ink`, a list of
                strokes, or an array of points.
            times: also tell the place and the confidence of each word and character.
            options: for the reader: `sample_rate` of an array, in hertz.

        Raises:
            UserError: the source cannot be read.
        """
        return self._recognise([self._open(source, **options)], times)[0].transcript

    def transcribe_all(
        self, sources: Sequence[Any], times: bool = True, max_frames: int = 8000, max_examples: int = 64
    ) -> Iterator[Recognized | UserError | OSError]:
        """Yield for each source, in order, what is recognised or, where it cannot be read, the error.

        Args:
            sources: what `transcribe` takes.
            times: also tell the place and the confidence of each word and character.
            max_frames: frames of a padded batch; results do not depend on it.
            max_examples: sources of a batch; results do not depend on it.
        """
        for group in self._groups(sources, max_frames, max_examples):
            read = {number: one for number, one in enumerate(group) if not isinstance(one, Exception)}
            frames = {number: one.num_frames for number, one in read.items()}
            done: dict[int, Recognized] = {}
            for batch in batches_by_length(frames, max_frames, max_examples):
                done.update(zip(batch, self._recognise([read[number] for number in batch], times), strict=True))
            yield from (one if isinstance(one, Exception) else done[number] for number, one in enumerate(group))

    def _recognise(self, inputs: Sequence[Input], times: bool) -> list[Recognized]:
        emissions = self.model.recognise([one.values for one in inputs])
        found = self.decoder.decode_arrays(emissions, self.model.threads)
        rows = zip(inputs, emissions, found, strict=True)
        return [Recognized(Transcript(self._read(*row, times), self.sample_rate), row[0]) for row in rows]

    def _read(
        self, source: Input, log_probs: np.ndarray, candidates: Sequence[Candidate], times: bool
    ) -> tuple[Reading, ...]:
        tokenizer = self.model.tokenizer
        if times:
            return read_with_times(source, log_probs, candidates, tokenizer, self.model.metadata)
        return tuple(Reading(tokenizer.decode(one.tokens), one.score) for one in candidates)

    def _groups(
        self, sources: Sequence[Any], max_frames: int, max_examples: int
    ) -> Iterator[list[Input | UserError | OSError]]:
        """Read the sources; yield those together that are sorted by length, as many as fit into memory."""
        group: list[Input | UserError | OSError] = []
        frames = 0
        for source in sources:
            try:
                group.append(read := self._open(source))
                frames += read.num_frames
            except (UserError, OSError) as error:
                group.append(error)
            if frames >= _BATCHES * max_frames or len(group) >= _BATCHES * max_examples:
                yield group
                group, frames = [], 0
        if group:
            yield group

    def _open(self, source: Any, **options: Any) -> Input:
        refuse_pipe(source)
        try:
            return self.reader.load(source, **options)
        except UserError as error:
            if isinstance(source, (str, Path)) and Path(source).suffix.lower() not in self.reader.extensions:
                raise UserError(f"{error} (this model reads {', '.join(self.reader.extensions)})") from None
            raise


def load(path: str | Path, device: str = "cpu") -> ExportedTranscriber:
    """Load a .onnx file that `seqrec export` wrote; it runs on the CPU alone.

    Raises:
        UserError: it is damaged or none of ours, needs torch, or something it needs is not installed.
    """
    if device not in ("auto", "cpu"):
        raise UserError(f"device={device}: {path} runs on the CPU; give device=cpu, or load the run")
    return ExportedTranscriber(ExportedModel(path))


def batches_by_length(frames: Mapping[int, int], max_frames: int, max_examples: int) -> Iterator[list[int]]:
    """Yield the keys of `frames` in batches, the longest first, none over `max_frames` with its padding.

    One that is longer makes a batch of its own.
    """
    batch: list[int] = []
    for number in sorted(frames, key=lambda each: -frames[each]):
        if batch and (len(batch) >= max_examples or frames[batch[0]] * (len(batch) + 1) > max_frames):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
