"""seqrec: speech and handwriting to text, by BiLSTM and CTC.

import seqrec
transcriber = seqrec.load("runs/fsdd/bilstm/2026-11-21_12-00-00")
print(transcriber.transcribe("recording.wav").text)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqrec.transcriber import Transcriber

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(run: str | Path, device: str = "cpu") -> Transcriber:
    """Load a run folder or a checkpoint for transcribing; see `seqrec.transcriber.load`."""
    from seqrec.transcriber import load as load_transcriber  # torch takes seconds to import: only when it is needed

    return load_transcriber(run, device)
