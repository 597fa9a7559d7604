"""Writing a model as an ARPA file, which KenLM, SRILM, Kaldi and `beam_lm` read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seqrec.lm.kneser_ney import NGramModel, NGrams

_CHUNK = 1 << 16  # n-grams made text at once
_GZIP_LEVEL = 4  # a third of the time of level 6 for files 8 % larger
Chunk = tuple[int, range]  # some n-grams: their order, and their places in it
Track = Callable[[Iterable[Chunk]], Iterable[Chunk]]  # shows progress


def write_arpa(path: Path, model: NGramModel, track: Track = iter) -> None:
    """Write `model` to `path`, gzipped where its name ends in .gz; the same model is always the same bytes.

    The file takes its place when it is complete. Numbers have seven digits, as those of lmplz; that of `<s>` is -99, as
    SRILM writes it, since nothing predicts it.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with _opened(partial, gzipped=path.suffix == ".gz") as file:
            for text in _texts(model, track):
                file.write(text.encode("utf-8", "surrogatepass"))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path, gzipped: bool) -> Iterator[BinaryIO]:
    with path.open("wb") as file:
        if gzipped:
            # No name and no time: the same bytes wherever and whenever it is written.
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as zipped, io.BufferedWriter(zipped) as buffered:
                yield buffered
        else:
            yield file


def _texts(model: NGramModel, track: Track) -> Iterator[str]:
    """Yield the file in pieces."""
    counts = [len(ngrams.words) for ngrams in model.orders]
    yield "\\data\\\n" + "".join(f"ngram {n}={count}\n" for n, count in enumerate(counts, start=1))
    chunks = [
        (n, range(start, min(start + _CHUNK, count)))
        for n, count in enumerate(counts, start=1)
        for start in range(0, count, _CHUNK)
    ]
    words = np.array(model.words, object)
    for n, rows in track(chunks):
        if not rows.start:
            yield f"\n\\{n}-grams:\n"
        yield _lines(model.orders[:n], words, rows, with_backoffs=n < len(counts))
    yield "\n\\end\\\n"


def _lines(orders: Sequence[NGrams], vocabulary: np.ndarray, rows: range, with_backoffs: bool) -> str:
    """Return the lines of some n-grams of the last of `orders`."""
    ngrams = orders[-1]
    chosen = np.arange(rows.start, rows.stop)
    columns = []
    for these in reversed(orders):
        columns.append(vocabulary[these.words[chosen]])
        chosen = these.contexts[chosen]
    texts = map(" ".join, zip(*reversed(columns), strict=True))
    here = slice(rows.start, rows.stop)
    probs = ngrams.log_probs[here].tolist()
    if not with_backoffs:
        return "".join(f"{prob:.7g}\t{text}\n" for prob, text in zip(probs, texts, strict=True))
    backoffs = ngrams.log_backoffs[here].tolist()
    return "".join(
        f"{prob:.7g}\t{text}\t{backoff:.7g}\n" for prob, text, backoff in zip(probs, texts, backoffs, strict=True)
    )
