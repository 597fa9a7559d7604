"""seqrec: speech and handwriting to text, by BiLSTM and CTC.

import seqrec
transcriber = seqrec.load("runs/fsdd/bilstm/2026-11-21_12-00-00")
print(transcriber.transcribe("recording.wav").text)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.version import __version__

if TYPE_CHECKING:
    from seqrec.exported.transcription import ExportedTranscriber
    from seqrec.transcriber import Transcriber

__all__ = ["__version__", "load"]


def load(run: str | Path, device: str = "cpu") -> Transcriber | ExportedTranscriber:
    """Load a run folder, a checkpoint, or the .onnx file of an exported model, which takes no torch, for transcribing.

    See `seqrec.transcriber.load` and `seqrec.exported.transcription.load`.

    Raises:
        UserError: there is no such run or file, it is damaged, or it does not run on `device`.
    """
    if Path(run).suffix.lower() == ".onnx":
        from seqrec.exported.transcription import load as load_exported

        return load_exported(run, device)
    from seqrec.transcriber import load as load_transcriber  # torch takes seconds to import: only when it is needed

    return load_transcriber(run, device)
