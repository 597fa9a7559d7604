"""Maps a KenLM binary of probing type into memory: the tables are views of the file.

Layout (KenLM's lm/binary_format.cc, vocab.cc, search_hashed.cc; format version 5): a header of test values, the fixed
parameters and the counts; the vocabulary's hash table; the tables of seqrec.lm.ngram_tables; the words, each ended by
a zero byte. Every size is checked against the file's, and every entry is looked at once, so that a damaged file is one
sentence here and nothing worse later. As with every mapped file, do not overwrite it in place while it is used.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from seqrec.errors import UserError
from seqrec.lm.ngram_building import bucket_count, table_layout
from seqrec.lm.ngram_tables import LONGEST_CELLS, MIDDLE_CELLS, UNIGRAM_CELLS, NgramTables
from seqrec.lm.vocabulary import WORD_CELLS, Vocabulary

MAGIC = b"mmap lm http://kheafield.com/code"
MOST_ORDERS = 20

# magic, 0.0, 1.0, -0.5, the word index 1, the greatest word index, padding, the 64-bit 1: in the machine's byte order
_TEST_VALUES = struct.pack("=56s3fIIIQ", MAGIC + b" format version 5\n\0", 0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
_FIXED = struct.Struct("=B3xfIB3xI")  # order, probing multiplier, model type, has vocabulary, search version
_TYPES = ("probing", "rest probing", "trie", "quantised trie", "array trie", "quantised array trie")
_MOST_MULTIPLIER = 1000.0
_EXPONENT = np.uint32(0x7F800000)  # all set in infinities and NaN
_MEND = "build it from the ARPA with `build_binary probing MODEL.arpa MODEL.binary`, or give the ARPA itself"


@dataclass(frozen=True)
class KenlmBinary:
    """A mapped model; `strings` are the bytes (C,) uint8 of its words, None where it was built without them."""

    path: Path
    tables: NgramTables
    vocabulary: Vocabulary
    strings: np.ndarray | None

    def read_words(self) -> list[str]:
        """Return the vocabulary; the index of a word is its id.

        Raises:
            UserError: the file has no words, or not as many as it says.
        """
        if self.strings is None:
            raise UserError(f"{self.path} was built without its words; {_MEND}")
        *words, rest = self.strings.tobytes().split(b"\0")
        if len(words) != self.tables.num_words or rest or words[0] != b"<unk>":
            raise UserError(
                f"{self.path} ends in {len(words)} words where its tables have {self.tables.num_words}, or not in "
                f"whole ones: it is damaged; {_MEND}"
            )
        try:
            return [word.decode() for word in words]
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path}: the word {error.object!r} is not UTF-8; {_MEND}") from None


def is_kenlm_binary(start: bytes) -> bool:
    """Tell whether a file that starts so is a KenLM binary of any type and version."""
    return start.startswith(MAGIC)


def map_kenlm_binary(path: str | Path) -> KenlmBinary:
    """Map a KenLM probing binary into memory.

    Raises:
        UserError: the file is of another type or version, or damaged; says how to mend it.
    """
    path = Path(path)
    try:
        content = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError) as error:  # numpy's ValueError is an empty file
        raise UserError(f"{path} cannot be read ({error})") from error
    counts, multiplier, has_words = _read_header(path, content)
    header = len(_TEST_VALUES) + _FIXED.size + 8 * len(counts)
    header += -header % 8
    word_buckets = bucket_count(counts[0], multiplier)
    buckets = [bucket_count(count, multiplier) for count in counts[1:]]
    *starts, num_cells = table_layout(len(counts), counts[0], buckets)
    search = header + 8 + 4 * WORD_CELLS * word_buckets
    end = search + 4 * num_cells
    if end > len(content):
        raise UserError(f"{path} has {len(content)} bytes where its header asks for {end}: it was cut; copy it again")
    version, num_words = np.asarray(content[header : header + 8]).view(np.uint32).tolist()
    if version != 0 or not 0 < num_words <= counts[0] + 1:
        raise UserError(f"{path}: the vocabulary's header is damaged ({version}, {num_words} words); {_MEND}")
    cells = np.asarray(content[header + 8 : search]).view(np.uint32)
    keys = np.asarray(content[search:end]).view(np.uint32)
    sizes = np.array([num_words, *buckets], np.uint64)
    tables = NgramTables(len(counts), num_words, keys, keys.view(np.float32), np.array(starts), sizes)
    if not _sound_vocabulary(cells, num_words) or not _sound_tables(tables):
        raise UserError(f"{path}: the tables hold numbers that no model has, so the file is damaged; {_MEND}")
    return KenlmBinary(path, tables, Vocabulary(cells, word_buckets), content[end:] if has_words else None)


def _read_header(path: Path, content: np.ndarray) -> tuple[list[int], float, bool]:
    """Return the counts of the orders, the buckets an entry, and whether words stand at the end."""
    fixed_end = len(_TEST_VALUES) + _FIXED.size
    start = content[: fixed_end + 8 * MOST_ORDERS].tobytes()
    if not start.startswith(_TEST_VALUES) or len(start) < fixed_end:
        raise UserError(
            f"{path} is a KenLM binary that is cut, unfinished, of another version than 5 or of another kind of "
            f"machine; {_MEND}"
        )
    order, multiplier, kind, has_words, version = _FIXED.unpack_from(start, len(_TEST_VALUES))
    if kind != 0 or version != 0:
        named = _TYPES[kind] if kind < len(_TYPES) else f"type {kind}"
        raise UserError(f"{path} is a KenLM binary of {named}, version {version}, where only probing is read; {_MEND}")
    if not (
        2 <= order <= MOST_ORDERS and 1.0 <= multiplier <= _MOST_MULTIPLIER and len(start) >= fixed_end + 8 * order
    ):
        raise UserError(f"{path}: the header says order {order}, {multiplier} buckets an entry: damaged; {_MEND}")
    counts = list(struct.unpack_from(f"={order}Q", start, fixed_end))
    if sum(counts) > len(content):  # also keeps the arithmetic of sizes small
        raise UserError(f"{path} has {len(content)} bytes but says it holds {sum(counts)} n-grams: damaged; {_MEND}")
    return counts, multiplier, bool(has_words)


@njit(cache=True)
def _sound_vocabulary(cells: np.ndarray, num_words: int) -> bool:
    """Tell whether every id is one of the model's."""
    for cell in range(0, len(cells), WORD_CELLS):
        if (cells[cell] or cells[cell + 1]) and not 0 < cells[cell + 2] < num_words:
            return False
    return True


@njit(cache=True)
def _sound_tables(tables: NgramTables) -> bool:
    """Tell whether all numbers are finite and every hash table has an empty bucket, so that a search ends early."""
    for cell in range(UNIGRAM_CELLS * tables.num_words):
        if tables.keys[cell] & _EXPONENT == _EXPONENT:
            return False
    for n in range(2, tables.order + 1):
        cells = LONGEST_CELLS if n == tables.order else MIDDLE_CELLS
        start, empty = tables.starts[n - 1], False
        for bucket in range(np.int64(tables.buckets[n - 1])):
            cell = start + bucket * cells
            if tables.keys[cell] == 0 and tables.keys[cell + 1] == 0:
                empty = True
            for offset in range(2, cells):
                if tables.keys[cell + offset] & _EXPONENT == _EXPONENT:
                    return False
        if not empty:
            return False
    return True
