"""KenLM's binary of tiny.arpa (made by its build_binary) against tables built from that ARPA; damage of all kinds."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import numpy as np
import pytest
from fuzz.mutations import mutate

from seqrec.errors import UserError
from seqrec.lm.arpa import read_arpa
from seqrec.lm.kenlm_binary import KenlmBinary, map_kenlm_binary
from seqrec.lm.ngram_building import build_tables
from seqrec.lm.ngram_tables import score_words

BINARY = Path(__file__).parent / "fixtures" / "tiny.binary"
ORDER, MULTIPLIER, KIND, HAS_WORDS, VERSION, COUNTS, VOCABULARY = 88, 92, 96, 100, 104, 108, 144  # where they stand


def damaged(tmp_path: Path, content: bytes) -> KenlmBinary:
    path = tmp_path / "model.binary"
    path.write_bytes(content)
    return map_kenlm_binary(path)


def patched(place: int, layout: str, *values: float) -> bytes:
    content = bytearray(BINARY.read_bytes())
    struct.pack_into(layout, content, place, *values)
    return bytes(content)


def test_tables_are_those_built_from_the_arpa() -> None:
    binary, arpa = map_kenlm_binary(BINARY), read_arpa(BINARY.with_suffix(".arpa"))
    tables = build_tables(arpa.ngrams)
    assert binary.tables.order == tables.order == 4
    assert binary.tables.num_words == tables.num_words
    assert binary.tables.starts.tolist() == tables.starts.tolist()
    assert binary.tables.buckets.tolist() == tables.buckets.tolist()
    # Where KenLM marks a backoff of 0 by its sign, these tables have +0.
    zeros = (binary.tables.numbers == 0) & (tables.numbers == 0)
    assert np.array_equal(binary.tables.keys[~zeros], tables.keys[~zeros])
    assert np.array_equal(binary.vocabulary.cells, arpa.vocabulary.cells)
    assert binary.read_words() == arpa.words


def test_tables_are_views_of_the_file() -> None:
    tables = map_kenlm_binary(BINARY).tables
    base = tables.keys
    while not isinstance(base, np.memmap):
        base = base.base
    assert np.shares_memory(tables.keys, base)
    assert not tables.keys.flags.writeable


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BINARY.read_bytes()[:50], "cut, unfinished, of another version"),
        (BINARY.read_bytes()[:100], "cut, unfinished, of another version"),
        (BINARY.read_bytes()[:120], "damaged"),
        (BINARY.read_bytes()[:9000], "it was cut"),
        (BINARY.read_bytes().replace(b"version 5", b"version 4"), "another version than 5"),
        (patched(80, "<Q", 1 << 56), "another kind of machine"),
        (patched(KIND, "<I", 2), "of trie, version 0, where only probing is read; build it from the ARPA with"),
        (patched(KIND, "<I", 77), "of type 77"),
        (patched(VERSION, "<I", 1), "of probing, version 1"),
        (patched(ORDER, "<B", 1), "order 1"),
        (patched(ORDER, "<B", 255), "order 255"),
        (patched(MULTIPLIER, "<f", 0.5), "0.5 buckets an entry"),
        (patched(MULTIPLIER, "<f", float("nan")), "nan buckets an entry"),
        (patched(MULTIPLIER, "<f", 900.0), "it was cut"),
        (patched(COUNTS, "<Q", 2**63), "says it holds"),
        (patched(COUNTS + 8, "<Q", 9000), "it was cut"),
        (patched(VOCABULARY, "<I", 1), "vocabulary's header is damaged"),
        (patched(VOCABULARY + 4, "<I", 10**6), "vocabulary's header is damaged"),
        (patched(VOCABULARY + 4, "<I", 2), "the tables hold numbers that no model has"),
        (patched(VOCABULARY + 8 + 12 * 42, "<f", float("nan")), "the tables hold numbers that no model has"),
    ],
)
def test_damaged_headers_are_one_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(UserError) as caught:
        damaged(tmp_path, content)
    assert told in str(caught.value)


def test_a_table_without_an_empty_bucket_is_refused(tmp_path: Path) -> None:
    tables = map_kenlm_binary(BINARY).tables
    content = bytearray(BINARY.read_bytes())
    search = content.index(tables.keys[:16].tobytes())
    longest = search + 4 * int(tables.starts[3])
    for bucket in range(int(tables.buckets[3])):
        content[longest + 12 * bucket] |= 1
    with pytest.raises(UserError, match="the tables hold numbers that no model has"):
        damaged(tmp_path, bytes(content))


def test_a_binary_without_words_scores_but_makes_no_lexicon(tmp_path: Path) -> None:
    binary = damaged(tmp_path, patched(HAS_WORDS, "<B", 0))
    sentence = np.array([1, 3, 4, 2], np.int32)
    expected = score_words(map_kenlm_binary(BINARY).tables, sentence, 1)
    assert score_words(binary.tables, sentence, 1).tolist() == expected.tolist()
    with pytest.raises(UserError, match="built without its words"):
        binary.read_words()


@pytest.mark.parametrize("cut", [1, 2, 30, 10**4])
def test_cut_words_are_told(tmp_path: Path, cut: int) -> None:
    content = BINARY.read_bytes()
    words = content.rindex(b"<unk>\0")
    binary = damaged(tmp_path, content[: max(words, len(content) - cut)])
    with pytest.raises(UserError, match="is damaged"):
        binary.read_words()


def test_damaged_files_are_a_model_or_a_sentence(tmp_path: Path) -> None:
    random, content = Random(2), BINARY.read_bytes()
    loaded = 0
    for _ in range(300):
        try:
            binary = damaged(tmp_path, mutate(content, random))
        except UserError:
            continue
        loaded += 1
        sentence = np.array([random.randrange(-2, 40) for _ in range(50)], np.int32)
        assert np.isfinite(score_words(binary.tables, sentence, 1)).all()
    assert loaded > 10
