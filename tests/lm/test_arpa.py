"""ARPA files: the numbers and words of each line against plain Python, and mistakes told with their line."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import numpy as np
import pytest
from fuzz.mutations import mutate
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.lm import line_blocks
from seqrec.lm.arpa import ArpaModel, read_arpa
from seqrec.lm.arpa_lines import FAULTS, LineArrays, read_lines

FIXTURES = Path(__file__).parent / "fixtures"
SMALL = """\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.25
-0.5\t</s>
-0.75\tä\t0

\\2-grams:
-0.125\t<s> ä
-0.0625\tä </s>

\\end\\
"""


def read(tmp_path: Path, content: str | bytes) -> ArpaModel:
    path = tmp_path / "model.arpa"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_arpa(path)


def lines_in_python(path: Path) -> dict[tuple[str, ...], tuple[float, float]]:
    ngrams = {}
    for line in path.read_text().splitlines():
        if len(fields := line.split("\t")) > 1:
            backoff = float(fields[2]) if len(fields) > 2 else 0.0
            ngrams[tuple(fields[1].split(" "))] = (float(fields[0]), backoff)
    return ngrams


def as_dictionary(model: ArpaModel) -> dict[tuple[str, ...], tuple[float, float]]:
    return {
        tuple(model.words[word] for word in row): (float(log10), float(backoff))
        for words, log10s, backoffs in model.ngrams
        for row, log10, backoff in zip(words.tolist(), log10s, backoffs, strict=True)
    }


def test_a_small_file(tmp_path: Path) -> None:
    model = read(tmp_path, SMALL)
    assert model.words == ["<unk>", "<s>", "</s>", "ä"]
    unigrams, bigrams = model.ngrams
    assert unigrams.log10.tolist() == [-1.5, -99.0, -0.5, -0.75]
    assert unigrams.backoffs.tolist() == [0.0, -0.25, 0.0, 0.0]
    assert bigrams.words.tolist() == [[1, 3], [3, 2]]
    assert bigrams.log10.tolist() == [-0.125, -0.0625]


@pytest.mark.parametrize("name", ["tiny.arpa", "pruned.arpa"])
def test_all_lines_are_those_plain_python_reads(name: str) -> None:
    expected = lines_in_python(FIXTURES / name)
    found = as_dictionary(read_arpa(FIXTURES / name))
    assert found.keys() == expected.keys()
    for words, weights in expected.items():
        assert np.array_equal(np.float32(weights), np.float32(found[words]))


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_blocks_of_any_size_give_the_same(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = as_dictionary(read_arpa(FIXTURES / "no_unk.arpa"))
    monkeypatch.setattr(line_blocks, "BLOCK", max(block, 60))  # no line is longer
    assert as_dictionary(read_arpa(FIXTURES / "no_unk.arpa")) == expected


@pytest.mark.parametrize(
    "written",
    [
        gzip.compress(SMALL.encode()),
        SMALL.replace("\n", "\r\n"),
        SMALL.replace("\t", " "),
        SMALL.replace("-99", "-inf"),
        SMALL.replace("<unk>", "<UNK>"),
        SMALL.rstrip("\n"),
        "\ufeff" + SMALL,
        "made by hand\n\n" + SMALL,
        SMALL.replace("-0.75", "-75e-2").replace("-0.125", "-.125E+0").replace("-1.5", "  -1.50000000000000000000"),
    ],
)
def test_other_ways_to_write_the_same(tmp_path: Path, written: str | bytes) -> None:
    assert as_dictionary(read(tmp_path, written)) == as_dictionary(read(tmp_path, SMALL))


def test_unknown_words_are_given_kenlms_probability_where_the_model_has_none(tmp_path: Path) -> None:
    model = read(tmp_path, SMALL.replace("-1.5\t<unk>\n", "").replace("1=4", "1=3"))
    assert model.words == ["<unk>", "<s>", "</s>", "ä"]
    assert model.ngrams[0].log10.tolist() == [-100.0, -99.0, -0.5, -0.75]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\\data\\", "data", "is no ARPA file"),
        ("\\data\\", "iARPA\n\\data\\", "is no ARPA file"),
        ("ngram 1=4\n", "", ":2: `ngram 2=2` stands where the count of order 1"),
        ("ngram 1=4\nngram 2=2\n", "", ":3: `\\1-grams:` stands where `ngram 1=...` should"),
        ("1=4", "1=5", "the header promises 5 1-grams, here are only 4"),
        ("1=4", "1=3", "the header promises 3 1-grams, here are more"),
        ("1=4", "1=999999999999999", "promises 999999999999999 1-grams, here are only 4"),
        ("\\2-grams:", "\\3-grams:", ":11: `\\3-grams:` stands where \\2-grams: should"),
        ("\\end\\\n", "", "the file ends before \\end\\"),
        ("\\end\\", "\\en", "`\\en` stands where \\end\\ should"),
        ("-0.75\tä", "x\tä", ":9: the line does not start with a number"),
        ("-0.75\tä", "-0.7.5\tä", ":9: the line does not start with a number"),
        ("-0.75\tä", "nan\tä", ":9: the line does not start with a number"),
        ("-0.75\tä", "-1e99\tä", ":9: the line does not start with a number"),
        ("-0.75\tä", "0.75\tä", ":9: the log10 probability is above 0"),
        ("<s> ä\n", "ä\n", ":12: the line has fewer words"),
        ("ä </s>\n", "ä </s>\t-1\n", ":13: an n-gram of the highest order has a backoff"),
        ("-0.25", "-0.25 8", ":7: the line goes on after the backoff"),
        ("-0.25", "x", ":7: what follows the words is not a number"),
        ("<s> ä\n", "<s> q\n", ":12: `q` is not among the 1-grams"),
        ("\tä\t0", "\t<s>\t0", "the word `<s>` stands twice"),
        ("\tä\t0", "\t<UNK>\t0", ":9: `<unk>` stands twice"),
        ("\t<s>\t-0.25\n", "\tb\t-0.25\n", "has no 1-gram `<s>`"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in SMALL
    with pytest.raises(UserError) as caught:
        read(tmp_path, SMALL.replace(old, new, 1))
    assert told in str(caught.value)
    assert "model.arpa" in str(caught.value)


def test_bytes_that_are_no_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r":9: the word .* is not UTF-8"):
        read(tmp_path, SMALL.encode("latin-1"))


def test_a_cut_gzip_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gzipped file is damaged"):
        read(tmp_path, gzip.compress(SMALL.encode())[:-12])


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_blocks, "BLOCK", 100)
    with pytest.raises(UserError, match=r":9: the line is too long"):
        read(tmp_path, SMALL.replace("ä", "ä" * 1000))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_arpa(tmp_path / "none.arpa")


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e6, 0, width=32) | st.floats(-1, 0), st.sampled_from(["{!r}", "{:.7g}", "{:e}", "{:.3f}"]))
def test_numbers_are_read_as_python_reads_them(value: float, written: str) -> None:
    text = written.format(value)
    out = LineArrays(np.empty((1, 1), np.uint64), *np.empty((2, 1), np.float32), np.empty((1, 3), np.int64))
    assert read_lines(np.frombuffer(f"{text} a\n".encode(), np.uint8), 0, 1, out)[1:] == (1, 0)
    assert out.log10[0] == np.float32(float(text))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([b"-1", b"a", b"\t", b" ", b"\r", b"\n", b"\\", b".", b"e", b"-inf", b"\xff"])))
def test_no_text_is_read_beyond_its_end(pieces: list[bytes]) -> None:
    text = np.frombuffer(b"".join(pieces) + b"\n", np.uint8)
    out = LineArrays(np.empty((9, 2), np.uint64), *np.empty((2, 9), np.float32), np.empty((9, 3), np.int64))
    place, rows, end = read_lines(text, 0, 3, out)
    assert 0 <= place <= len(text)
    assert rows <= 9
    assert end in {0, 1, *FAULTS}


def test_damaged_files_are_a_model_or_a_sentence(tmp_path: Path) -> None:
    random, content = Random(1), (FIXTURES / "no_unk.arpa").read_bytes()
    refused = 0
    for _ in range(200):
        damaged = mutate(content, random)
        if random.random() < 0.2:
            damaged = mutate(gzip.compress(damaged), random)
        try:
            read(tmp_path, damaged)
        except UserError:
            refused += 1
    assert 100 < refused < 200
