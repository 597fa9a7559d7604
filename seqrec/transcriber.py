"""From a file, an array or an ink to text: what `seqrec transcribe`, and `seqrec.load(run).transcribe(x)`, run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from seqrec.checkpoint import Parts, load_parts
from seqrec.engine import check_engine, on_cpu_only, with_engine
from seqrec.errors import UserError
from seqrec.formats.source_kinds import refuse_pipe
from seqrec.long_signals.joining import PieceReading, join_pieces, join_words, shifted
from seqrec.long_signals.recognition import BlockReader, LongRecognizer, Piece
from seqrec.long_signals.windows import Windows
from seqrec.metrics.calibration import read_calibration
from seqrec.parts import Decoder
from seqrec.run_folder import open_run
from seqrec.sequence import Emissions, pad_signals
from seqrec.share import build
from seqrec.timing import read_with_times
from seqrec.transcript import Candidate, Reading, Span, Transcript

_BLOCK = 1 << 19  # samples of an array that are looked at together


class Track(Protocol):
    """Shows progress over `total` batches of windows."""

    def __call__(self, items: Iterable[Any], *, total: int) -> Iterable[Any]:
        """Pass `items` on."""
        ...


class Transcriber:
    """A trained recogniser with its reader, tokenizer and decoder.

    Args:
        parts: what recognises.
        decoder: turns its log-probs into tokens.
        device: where it runs.
        temperature: that confidences are calibrated with; 1: as they are.
        windows: how signals of minutes and hours are cut.
    """

    def __init__(
        self,
        parts: Parts,
        decoder: Decoder,
        device: str = "cpu",
        temperature: float = 1.0,
        windows: Windows | None = None,
    ) -> None:
        self.parts = parts
        self.decoder = decoder
        decoder.spell_with(parts.tokenizer)
        self.device = device
        self.temperature = temperature
        self.windows = windows or Windows()
        self.sample_rate: float | None = getattr(parts.reader, "sample_rate", None)
        parts.recognizer.to(device).eval()

    def transcribe(self, source: Any, times: bool = True, track: Track | None = None, **options: Any) -> Transcript:
        """Recognise one source.

        Args:
            source: a path; for speech also an array of samples (N,) or (N, channels), for ink also an `Ink`, a list of
                strokes, or an array of points.
            times: also tell the place and the confidence of each word and character.
            track: shows progress over a source that is cut into windows.
            options: for the reader, such as `sample_rate` of an array, in hertz.

        Raises:
            UserError: the source cannot be read.
        """
        opened = self.open(source, **options)
        if isinstance(opened, LongSignal):
            return self.transcribe_long(opened, times, track)
        return self.recognize([opened], times)[0]

    def transcribe_long(self, signal: LongSignal, times: bool = True, track: Track | None = None) -> Transcript:
        """Recognise a long signal; arguments as of `transcribe`."""
        pieces = self._recognize_long(signal, times, track)
        return Transcript(join_pieces(pieces, self.parts.tokenizer), self.sample_rate)

    def stream_words(self, source: Any, track: Track | None = None, **options: Any) -> Iterator[Span]:
        """Recognise one source as `transcribe` does, but yield its words as soon as each is known, in order.

        Raises:
            UserError: the source cannot be read; also after hours of it.
        """
        opened = self.open(source, **options)
        if isinstance(opened, LongSignal):
            best = (readings[0] for readings in self._recognize_long(opened, True, track))
            yield from join_words(best, self.parts.tokenizer.spellings)
        else:
            yield from self.recognize([opened], times=True)[0].best.words

    def open(self, source: Any, **options: Any) -> Tensor | LongSignal:
        """Read a source to a signal (N, C), or only open it where it is long.

        Raises:
            UserError: it cannot be read.
        """
        reader = self.parts.reader
        refuse_pipe(source)
        try:
            if isinstance(source, (str, Path)) and not options and isinstance(reader, BlockReader):
                blocks = reader.blocks(Path(source))
                if self._is_long(blocks.length):
                    return LongSignal(blocks, blocks.length)
            signal = reader.load(source, **options)
        except UserError as error:
            if isinstance(source, (str, Path)) and Path(source).suffix.lower() not in reader.extensions:
                raise UserError(f"{error} (this run reads {', '.join(reader.extensions)})") from None
            raise
        return LongSignal(signal.split(_BLOCK), len(signal)) if self._is_long(len(signal)) else signal

    def recognize(self, signals: Sequence[Tensor], times: bool = False) -> list[Transcript]:
        """Recognise signals (N, C) as one batch; each comes out as it would alone.

        Args:
            signals: of any lengths.
            times: also tell the place and the confidence of each word and character.
        """
        if not signals:
            return []
        padded, lengths = (each.to(self.device) for each in pad_signals(signals))
        with torch.inference_mode():
            emissions = self.parts.recognizer(padded, lengths)
        readings = self._read(padded, lengths, emissions, self.decoder.decode(emissions), times)
        return [Transcript(some, self.sample_rate) for some in readings]

    def _is_long(self, length: int) -> bool:
        if not self.windows.seconds or self.sample_rate is None or not LongRecognizer.fits(self.parts):
            return False
        return length > 2 * self.windows.seconds * self.sample_rate

    def _recognize_long(self, signal: LongSignal, times: bool, track: Track | None) -> Iterator[list[PieceReading]]:
        recognizer = LongRecognizer(self.parts, self.windows, self.device)
        batches: Iterable[list[Piece]] = recognizer.pieces(signal.blocks)
        if track:
            batches = track(batches, total=recognizer.num_batches(signal.length))
        end = 0  # of the last span, in samples
        for pieces in batches:
            for piece, some in zip(pieces, self._read_pieces(pieces, times), strict=True):
                moved = [PieceReading(one.candidate, shifted(one.reading, piece.start, end)) for one in some]
                end = max([end, *(span.end for span in moved[0].reading.characters)])
                yield moved

    def _read_pieces(self, pieces: Sequence[Piece], times: bool) -> list[list[PieceReading]]:
        if not pieces:
            return []
        log_probs, lengths = pad_signals([piece.log_probs for piece in pieces])
        signals, signal_lengths = pad_signals([piece.signal for piece in pieces])
        emissions = Emissions(log_probs, lengths)
        candidates = self.decoder.decode(emissions)
        readings = self._read(signals, signal_lengths, emissions, candidates, times)
        return [
            [PieceReading(candidate, reading) for candidate, reading in zip(*both, strict=True)]
            for both in zip(candidates, readings, strict=True)
        ]

    def _read(
        self,
        signals: Tensor,
        lengths: Tensor,
        emissions: Emissions,
        candidates: list[list[Candidate]],
        times: bool,
    ) -> list[tuple[Reading, ...]]:
        if times:
            return read_with_times(self.parts, signals, lengths, emissions, candidates, self.temperature)
        decode = self.parts.tokenizer.decode
        return [tuple(Reading(decode(one.tokens), one.score) for one in some) for some in candidates]


@dataclass(frozen=True)
class LongSignal:
    """A signal that is recognised in windows."""

    blocks: Iterable[Tensor]  # (n, C), which can be gone through again
    length: int  # N


def load(run: str | Path, device: str = "cpu", decoder: Decoder | None = None, engine: str = "torch") -> Transcriber:
    """Load a run's best checkpoint, or any checkpoint file, with the decoder of its config or another.

    Args:
        run: the folder of a run, or a checkpoint.
        device: where it runs.
        decoder: instead of the run's.
        engine: what runs the network: torch, torch-bf16, onnx or onnx-int8.

    Raises:
        UserError: there is no such run or checkpoint, or it is damaged or asks for code, or the engine cannot run it.
    """
    device = check_device(device, engine)
    path, calibration = Path(run), None
    if path.suffix != ".ckpt":
        folder = open_run(path)
        if not folder.best.is_file():
            raise UserError(
                f"{path} holds no checkpoints/best.ckpt yet; finish its training with `seqrec resume {path}`"
            )
        path, calibration = folder.best, read_calibration(path / "calibration.json")
    parts = with_engine(load_parts(path), engine)
    temperature = calibration.temperature if calibration else 1.0
    return Transcriber(parts, decoder or build(parts.config["decoder"], "decoder"), device, temperature)


def check_device(device: str, engine: str = "torch") -> str:
    """Return `device`, or for `auto` the best there is for `engine`.

    Raises:
        UserError: it is none that torch finds here, or the engine is none that runs there.
    """
    if on_cpu_only(check_engine(engine, device)):
        return "cpu"
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device={device} cannot be used here ({str(error).splitlines()[0]}); use device=cpu") from None
    return device
