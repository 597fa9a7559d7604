"""Writers of transcripts: plain text, JSON lines, CTM, TextGrid, SubRip, WebVTT."""

from seqrec.formats.transcripts.table import FORMATS, WRITERS, TranscriptFormat, transcript_format
from seqrec.formats.transcripts.transcribed import Transcribed

__all__ = ["FORMATS", "WRITERS", "Transcribed", "TranscriptFormat", "transcript_format"]
