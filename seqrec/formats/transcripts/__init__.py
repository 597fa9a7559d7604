"""Writers of transcripts: plain text, JSON lines, CTM, TextGrid, SubRip, WebVTT."""

from seqrec.formats.transcripts.table import FORMATS, WRITERS, TranscriptFormat, transcript_format
from seqrec.formats.transcripts.transcribed import Timed, Transcribed, in_seconds

__all__ = ["FORMATS", "WRITERS", "Timed", "Transcribed", "TranscriptFormat", "in_seconds", "transcript_format"]
