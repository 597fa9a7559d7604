"""Many sources transcribed: read ahead in parallel, recognised in batches of like length, given back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqrec.data.batching import FrameBatches
from seqrec.errors import UserError
from seqrec.transcriber import LongSignal, Track, Transcriber
from seqrec.transcript import Transcript

_READERS = 4  # threads that read; decoding audio holds no lock
_AHEAD = 16  # sources that wait to be recognised, minutes at most each
_BATCHES = 8  # that are sorted by length together


@dataclass(frozen=True)
class Recognized:
    """What was recognised in a source."""

    transcript: Transcript
    length: int  # N of its signal
    signal: Tensor | None  # (N, C); None: it is too long to be held


Opened = Tensor | LongSignal | UserError | OSError


def transcribe_all(
    transcriber: Transcriber,
    sources: Sequence[Any],
    times: bool = True,
    max_frames: int = 8000,
    max_examples: int = 64,
    track: Track | None = None,
) -> Iterator[Recognized | UserError | OSError]:
    """Yield for each source, in order, what is recognised or, where it cannot be read, the error.

    Args:
        transcriber: what recognises.
        sources: what `Transcriber.transcribe` takes.
        times: also tell the place and the confidence of each word and character.
        max_frames: frames of a padded batch; results do not depend on it.
        max_examples: sources of a batch; results do not depend on it.
        track: shows progress over a source that is cut into windows.
    """
    for group in _groups(transcriber, sources, max_frames, max_examples):
        frames = np.array([_num_frames(transcriber, one) for one in group])
        short = np.flatnonzero(frames)
        batches = list(FrameBatches(frames, short, max_frames, max_examples, shuffle=False))
        done: dict[int, Transcript] = {}
        for number, one in enumerate(group):
            if isinstance(one, LongSignal):
                yield _transcribe_long(transcriber, one, times, track)
                continue
            while isinstance(one, Tensor) and number not in done:  # the batch with the first source comes first
                batch = batches.pop(min(range(len(batches)), key=lambda each: min(batches[each])))
                signals = [signal for signal in map(group.__getitem__, batch) if isinstance(signal, Tensor)]
                done.update(zip(batch, transcriber.recognize(signals, times), strict=True))
            yield Recognized(done.pop(number), len(one), one) if isinstance(one, Tensor) else one


def _transcribe_long(
    transcriber: Transcriber, signal: LongSignal, times: bool, track: Track | None
) -> Recognized | UserError | OSError:
    try:
        return Recognized(transcriber.transcribe_long(signal, times, track), signal.length, None)
    except (UserError, OSError) as error:  # an hour into it
        return error


def _groups(
    transcriber: Transcriber, sources: Sequence[Any], max_frames: int, max_examples: int
) -> Iterator[list[Opened]]:
    """Open the sources; yield those together that are sorted by length, as many as fit into memory."""
    group: list[Opened] = []
    frames = 0
    for one in _read_ahead(transcriber, sources):
        group.append(one)
        frames += _num_frames(transcriber, one)
        is_full = frames >= _BATCHES * max_frames or len(group) >= _BATCHES * max_examples
        if is_full or isinstance(one, LongSignal):
            yield group
            group, frames = [], 0
    if group:
        yield group


def _num_frames(transcriber: Transcriber, opened: Opened) -> int:
    """Return the frames of a signal; 0 of what goes in no batch."""
    if not isinstance(opened, Tensor):
        return 0
    recognizer = transcriber.parts.recognizer
    if recognizer.frontend.length_depends_on_content:
        return len(opened)  # there are no more frames than points
    return int(recognizer.frame_lengths(None, torch.tensor([len(opened)])))


def _read_ahead(transcriber: Transcriber, sources: Sequence[Any]) -> Iterator[Opened]:
    """Open each source in order, the next ones meanwhile."""
    with ThreadPoolExecutor(_READERS) as pool:
        waiting: deque[Future[Opened]] = deque()
        try:
            for source in sources:
                waiting.append(pool.submit(_open, transcriber, source))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # the caller has left
                future.cancel()


def _open(transcriber: Transcriber, source: Any) -> Opened:
    try:
        return transcriber.open(source)
    except (UserError, OSError) as error:
        return error
