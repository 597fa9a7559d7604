"""Reads n-gram models in the ARPA format, plain or gzipped, as SRILM, KenLM and others write it.

Blocks of the file go through compiled code (seqrec.lm.arpa_lines); its numbers are checked, and a mistake is told with
its line. Odd files are treated as KenLM does: a model without `<unk>` gives unknown words a log10 probability of -100,
`<UNK>` is `<unk>`, and a model without `<s>` or `</s>` is refused.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqrec.errors import UserError
from seqrec.lm.arpa_lines import FAULTS, SECTION_ENDS, LineArrays, read_lines
from seqrec.lm.language_model import BOS, EOS, UNKNOWN
from seqrec.lm.line_blocks import LineBlocks
from seqrec.lm.ngram_building import NgramArrays
from seqrec.lm.vocabulary import Vocabulary, build_vocabulary, find_words, stands_for_unknown

MISSING_UNKNOWN_LOG10 = -100.0  # KenLM's default
MOST_ORDERS = 20

_ROWS = 1 << 16  # n-grams a call of the compiled reader
_MOST_HEADER_LINES = 1000


@dataclass(frozen=True)
class ArpaModel:
    """What an ARPA file holds; the index of a word is its id, `<unk>` is 0."""

    words: list[str]
    vocabulary: Vocabulary
    ngrams: list[NgramArrays]


def read_arpa(path: str | Path) -> ArpaModel:
    """Read a model in the ARPA format.

    Raises:
        UserError: the file is damaged or not in this format; names the line.
    """
    path = Path(path)
    try:
        with path.open("rb") as plain:
            gzipped = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            return _read_model(LineBlocks(gzip.GzipFile(fileobj=plain) if gzipped else plain, path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: the gzipped file is damaged ({error}); copy or download it again") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})") from error


def _read_model(lines: LineBlocks) -> ArpaModel:
    counts = _read_counts(lines)
    words, vocabulary, unigrams = _read_unigrams(lines, counts)
    ngrams = [unigrams]
    for n in range(2, len(counts) + 1):
        ngrams.append(_read_ngrams(lines, n, counts, vocabulary))
    _expect(lines, "\\end\\")
    return ArpaModel(words, vocabulary, ngrams)


def _read_counts(lines: LineBlocks) -> list[int]:
    """Read the header: how many n-grams of each order follow."""
    for _ in range(_MOST_HEADER_LINES):
        line = lines.next_line()
        if line in (None, "\\data\\", "iARPA"):  # IRSTLM's iARPA opens with that word and means other numbers
            break
    if line != "\\data\\":
        raise UserError(f"{lines.path} is no ARPA file (no line \\data\\ opens it); give one, plain or gzipped")
    counts: list[int] = []
    while (line := lines.peek_line()) is not None and (found := re.fullmatch(r"ngram +(\d+) *= *(\d{1,15})", line)):
        counts.append(int(found[2]))
        if int(found[1]) != len(counts) or len(counts) > MOST_ORDERS:
            raise lines.error(f"`{line}` stands where the count of order {len(counts)} of {MOST_ORDERS} at most should")
        lines.next_line()
    if not counts:
        raise lines.error(f"`{(line or '')[:60]}` stands where `ngram 1=...` should")
    return counts


def _expect(lines: LineBlocks, heading: str) -> None:
    line = lines.peek_line()
    if line is None:
        raise lines.error(f"the file ends before {heading}; it was cut: copy or download it again")
    if line != heading:
        raise lines.error(f"`{line[:60]}` stands where {heading} should")
    lines.next_line()


def _read_section(lines: LineBlocks, n: int, counts: list[int]) -> Iterator[LineArrays]:
    """Yield the n-grams of order n piece by piece, each to be used before the next; checks their number."""
    _expect(lines, f"\\{n}-grams:")
    room = LineArrays(
        np.empty((_ROWS, n), np.uint64),
        np.empty(_ROWS, np.float32),
        np.empty(_ROWS, np.float32),
        np.empty((_ROWS, 3), np.int64),
    )
    total, end = 0, 0
    while end != SECTION_ENDS and (lines.place < len(lines.text) or lines.refill()):
        lines.place, rows, end = read_lines(lines.text, lines.place, len(counts), room)
        if end in FAULTS:
            raise lines.error(f"{FAULTS[end]}: `{_shown(lines.line_at(lines.place))}`")
        total += rows
        if total > counts[n - 1]:
            break
        yield LineArrays(*(array[:rows] for array in room))
    if total != counts[n - 1]:
        more = "more" if total > counts[n - 1] else f"only {total}"
        raise lines.error(f"the header promises {counts[n - 1]} {n}-grams, here are {more}; copy the file again")


def _read_unigrams(lines: LineBlocks, counts: list[int]) -> tuple[list[str], Vocabulary, NgramArrays]:
    """Read the words; `<unk>` comes first, whether it is there or not."""
    words: list[str] = [UNKNOWN]
    hashes = [np.empty(0, np.uint64)]
    weights = [np.array([[MISSING_UNKNOWN_LOG10, 0.0]], np.float32)]
    unknown_seen = False
    for piece in _read_section(lines, 1, counts):
        unknown = stands_for_unknown(piece.hashes[:, 0])
        for row in np.flatnonzero(unknown):
            if unknown_seen:
                raise lines.error("`<unk>` stands twice among the 1-grams; keep one", int(piece.places[row, 0]))
            unknown_seen = True
            weights[0] = np.array([[piece.log10[row], piece.backoffs[row]]], np.float32)
        words += [_word(lines, *place) for place in piece.places[~unknown].tolist()]
        hashes.append(piece.hashes[~unknown, 0])
        weights.append(np.stack([piece.log10, piece.backoffs], axis=1)[~unknown])
    vocabulary, repeated = build_vocabulary(np.concatenate(hashes))
    if repeated >= 0:
        raise UserError(f"{lines.path}: the word `{words[repeated + 1]}` stands twice among the 1-grams; keep one")
    for marker in (BOS, EOS):
        if marker not in words:
            raise UserError(f"{lines.path} has no 1-gram `{marker}`; estimate the model with sentence markers")
    log10, backoffs = np.concatenate(weights).T.copy()
    return words, vocabulary, NgramArrays(np.arange(len(words), dtype=np.int32)[:, None], log10, backoffs)


def _read_ngrams(lines: LineBlocks, n: int, counts: list[int], vocabulary: Vocabulary) -> NgramArrays:
    ids, log10, backoffs = [np.empty((0, n), np.int32)], [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for piece in _read_section(lines, n, counts):
        found = find_words(vocabulary.cells, vocabulary.buckets, piece.hashes.reshape(-1)).reshape(-1, n)
        strangers = (found == 0) & ~stands_for_unknown(piece.hashes) if (found == 0).any() else found < 0
        if strangers.any():
            row, column = np.argwhere(strangers)[0].tolist()
            start = int(piece.places[row, 0])
            word = _shown(lines.line_at(start).split()[1 + column])
            raise lines.error(f"`{word}` is not among the 1-grams, which are the vocabulary", start)
        ids.append(found)
        log10.append(piece.log10.copy())
        backoffs.append(piece.backoffs.copy())
    return NgramArrays(np.concatenate(ids), np.concatenate(log10), np.concatenate(backoffs))


def _word(lines: LineBlocks, line: int, start: int, end: int) -> str:
    try:
        return lines.content[start:end].decode()
    except UnicodeDecodeError:
        shown = _shown(lines.content[start:end])
        raise lines.error(f"the word `{shown}` is not UTF-8; convert the file with iconv -t utf-8", line) from None


def _shown(text: bytes) -> str:
    return text[:60].decode("utf-8", "replace").strip()
