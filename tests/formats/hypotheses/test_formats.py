"""Files of references and hypotheses: what they hold, what is wrong with them, and no end of damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from fuzz.mutations import mutate
from hypothesis import given
from hypothesis import strategies as st

from seqrec.errors import UserError
from seqrec.formats.hypotheses.ctm import read_ctm
from seqrec.formats.hypotheses.files import format_of, read_pair, read_texts
from seqrec.formats.hypotheses.jsonl import read_jsonl
from seqrec.formats.hypotheses.plain import read_plain
from seqrec.formats.hypotheses.trn import read_trn, trn_line, write_trn
from seqrec.formats.hypotheses.utterances import Utterances

SAMPLES = {
    "text": "one two\n\nthree\n",
    "trn": ";; made by hand\none two (bob-1)\n\n(eve_2)\nthree (eve_3)\n",
    "ctm": ";; made by hand\na 1 0.5 0.2 two 0.9\na 1 0.0 0.4 one\nb 1 0 1 x\nb 2 0 1 y\n",
    "jsonl": '{"id": 7, "text": "one two", "speaker": "bob", "age": 30}\n\n{"id": "b", "text": ""}\n',
}
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6).filter(
    lambda word: word.split() == [word]
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes, str], Path]:
    def write_file(content: str | bytes, name: str = "texts") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def test_plain_text_is_a_text_a_line(write) -> None:
    assert read_plain(write(SAMPLES["text"])).texts == ["one two", "", "three"]
    assert read_plain(write("\ufeffa\r\nb\u2028c")).texts == ["a", "b\u2028c"]  # only a newline ends a line
    assert read_plain(write("")).texts == []


def test_trn(write) -> None:
    found = read_trn(write(SAMPLES["trn"]))
    assert (found.ids, found.texts) == (["bob-1", "eve_2", "eve_3"], ["one two", "", "three"])
    assert found.keys == [{"speaker": "bob"}, {"speaker": "eve"}, {"speaker": "eve"}]
    assert read_trn(write("(uh) one(x-1)\n")).texts == ["(uh) one"]


def test_trn_escapes_what_sclite_gives_a_meaning() -> None:
    assert trn_line("u1", " a  (b) {c} d;e f\\g ") == r"a \(b\) \{c\} d\;e f\\g (u1)"
    assert trn_line("a b(1)", "x", speaker="jo-ann_k") == "x (jo%2Dann%5Fk-a%20b%281%29)"
    assert trn_line("u1", "") == "(u1)"


@given(st.lists(st.tuples(WORDS, st.lists(WORDS, max_size=4), WORDS), max_size=4, unique_by=lambda row: row[0]))
def test_trn_written_is_trn_read(tmp_path_factory, rows: list[tuple[str, list[str], str]]) -> None:
    path = tmp_path_factory.mktemp("trn") / "hyp.trn"
    ids, texts, speakers = [id for id, _, _ in rows], [" ".join(words) for _, words, _ in rows], [s for *_, s in rows]
    write_trn(path, ids, texts, speakers)
    found = read_trn(path)
    assert found.texts == texts
    assert found.keys == [{"speaker": speaker} for speaker in speakers]


def test_ctm_sorts_words_by_time_and_tells_channels_apart(write) -> None:
    found = read_ctm(write(SAMPLES["ctm"]))
    assert (found.ids, found.texts) == (["a", "b-1", "b-2"], ["one two", "x", "y"])


def test_jsonl(write) -> None:
    (found,) = read_jsonl(write(SAMPLES["jsonl"]), ["text"], keys=("speaker", "age", "room"))
    assert (found.ids, found.texts) == (["7", "b"], ["one two", ""])
    assert found.keys == [{"speaker": "bob", "age": "30"}, {}]
    (lines,) = read_jsonl(write('{"t": "a"}\n{"t": "a"}'), ["t"])
    assert (lines.ids, lines.texts) == (None, ["a", "a"])


def test_one_file_holds_both(write) -> None:
    row = {"id": "u", "reference": "one", "hypothesis": "won"}
    references, hypotheses = read_pair(write(json.dumps(row), "h.jsonl"), "auto", ("reference", "hypothesis"))
    assert (references.texts, hypotheses.texts) == (["one"], ["won"])
    with pytest.raises(UserError, match="must be JSONL"):
        read_pair(write("a", "h.txt"), "auto", ("reference", "hypothesis"))


def test_a_name_tells_the_format() -> None:
    names = {"a.trn": "trn", "a.CTM": "ctm", "a.jsonl": "jsonl", "a.txt": "text", "trn": "text"}
    assert {name: format_of(Path(name)) for name in names} == names
    assert format_of(Path("a.trn"), "text") == "text"


@pytest.mark.parametrize(
    ("format", "content", "said"),
    [
        ("text", b"a\nb\0c\n", "texts:2: a NUL byte"),
        ("text", b"a\nab\xff\n", "texts:2: not UTF-8 (byte 0xff at column 3)"),
        ("text", b"a" * ((1 << 20) + 1), "texts:1: the line is longer than 1,048,576 bytes"),
        ("trn", "a b\n", "texts:1: no id in parentheses"),
        ("trn", "a b \\(c\\)\n", "texts:1: no id in parentheses"),
        ("trn", "a (x)\nb (x)\n", "texts:2: id `x` stands in line 1, too"),
        ("trn", "{ a / b } (x)\n", "texts:1: alternatives in braces are not scored"),
        ("ctm", "a 1 0.0 word\n", "texts:1: 4 fields"),
        ("ctm", "a 1 0 nan word\n", "texts:1: 'nan' is no number of seconds"),
        ("ctm", "a 1 -1 1 word\n", "texts:1: '-1' is no number of seconds"),
        ("ctm", "a 1 * * <ALT_BEGIN>\n", "texts:1: alternatives (<ALT_BEGIN>) are not scored"),
        ("jsonl", "[1]\n", "texts:1: a list where a JSON object"),
        ("jsonl", '{"id": "a", "txt": "x"}', "texts:1: no key `text`; did you mean `txt`?"),
        ("jsonl", '{"id": "a", "text": null}', "texts:1: `text` is a NoneType, not a string"),
        ("jsonl", '{"id": "a", "text": "\\ud800"}', "texts:1: `text` holds half a UTF-16 pair"),
        ("jsonl", '{"id": true, "text": ""}', "texts:1: `id` is a bool"),
        ("jsonl", '{"id": "a", "text": ""}\n{"text": ""}', "texts:2: `id` is a NoneType"),
        ("jsonl", '{"text": ""}\n{"id": "a", "text": ""}', "texts:2: `id` is given, but not in the lines above"),
        ("jsonl", "[" * 100_000, "texts:1: not a JSON object"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(write, format: str, content: str | bytes, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_texts(write(content), format)
    assert said in str(caught.value)


@pytest.mark.parametrize("format", SAMPLES)
def test_no_such_file(tmp_path: Path, format: str) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UserError, match="cannot be read"):
            read_texts(path, format)


@pytest.mark.parametrize("format", SAMPLES)
def test_damage_is_read_or_named(write, format: str) -> None:
    random, found, said = Random(format), [], []
    for _ in range(300):
        try:
            found.append(read_texts(write(mutate(SAMPLES[format].encode(), random)), format, keys=("speaker", "age")))
        except UserError as error:
            said.append(str(error))
    assert all("texts" in sentence and "\n" not in sentence for sentence in said)
    assert len(found) > 10
    for one in found:
        check(one)


def check(found: Utterances) -> None:
    assert all(isinstance(text, str) and text.encode() is not None for text in found.texts)
    assert found.ids is None or len(set(found.ids)) == len(found.ids) == len(found.texts)
    assert found.keys is None or len(found.keys) == len(found.texts)
