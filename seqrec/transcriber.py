"""From a file, an array or an ink to text: what `seqrec transcribe`, and `seqrec.load(run).transcribe(x)`, run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqrec.checkpoint import Parts, load_parts
from seqrec.errors import UserError
from seqrec.parts import Decoder
from seqrec.run_folder import open_run
from seqrec.sequence import pad_signals
from seqrec.share import build
from seqrec.transcript import Reading, Transcript


class Transcriber:
    """A trained recogniser with its reader, tokenizer and decoder."""

    def __init__(self, parts: Parts, decoder: Decoder, device: str = "cpu") -> None:
        self.parts = parts
        self.decoder = decoder
        decoder.spell_with(parts.tokenizer)
        self.device = device
        parts.recognizer.to(device).eval()

    def transcribe(self, source: Any, **options: Any) -> Transcript:
        """Recognise one source.

        Args:
            source: a path; for speech also an array of samples (N,) or (N, channels), for ink also an `Ink`, a list of
                strokes, or an array of points.
            options: for the reader, such as `sample_rate` of an array, in hertz.

        Raises:
            UserError: the source cannot be read.
        """
        try:
            signal = self.parts.reader.load(source, **options)
        except UserError as error:
            extensions = self.parts.reader.extensions
            if isinstance(source, (str, Path)) and Path(source).suffix.lower() not in extensions:
                raise UserError(f"{error} (this run reads {', '.join(extensions)})") from None
            raise
        return self.recognize([signal])[0]

    @torch.inference_mode()
    def recognize(self, signals: Sequence[Tensor]) -> list[Transcript]:
        """Recognise signals (N, C) as one batch; each comes out as it would alone."""
        if not signals:
            return []
        padded, lengths = pad_signals(signals)
        emissions = self.parts.recognizer(padded.to(self.device), lengths.to(self.device))
        decode = self.parts.tokenizer.decode
        return [
            Transcript(tuple(Reading(decode(candidate.tokens), candidate.score) for candidate in candidates))
            for candidates in self.decoder.decode(emissions)
        ]


def load(run: str | Path, device: str = "cpu") -> Transcriber:
    """Load a run's best checkpoint, or any checkpoint file, with the decoder of its config.

    Raises:
        UserError: there is no such run or checkpoint, or it is damaged or asks for code.
    """
    path = Path(run)
    if path.suffix != ".ckpt":
        folder = open_run(path)
        if not folder.best.is_file():
            raise UserError(
                f"{path} holds no checkpoints/best.ckpt yet; finish its training with `seqrec resume {path}`"
            )
        path = folder.best
    parts = load_parts(path)
    return Transcriber(parts, build(parts.config["decoder"], "decoder"), check_device(device))


def check_device(device: str) -> str:
    """Return `device`, or the best there is for `auto`.

    Raises:
        UserError: it is none that torch finds here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device={device} cannot be used here ({str(error).splitlines()[0]}); use device=cpu") from None
    return device
