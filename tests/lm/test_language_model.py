"""Sentences scored as kenlm 0.3.0 scored them (fixtures/*.scores.tsv: bos, eos, log10, words), from ARPA and binary."""

from __future__ import annotations

import gzip
import shutil
import sys
from math import log
from pathlib import Path

import pytest

from seqrec.errors import UserError
from seqrec.lm.language_model import load_language_model, words_of_model

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("name", ["tiny.arpa", "tiny.binary", "pruned.arpa", "no_unk.arpa"])
def test_scores_are_kenlms(name: str) -> None:
    model = load_language_model(FIXTURES / name)
    lines = (FIXTURES / name).with_suffix(".scores.tsv").read_text().splitlines()
    assert len(lines) == 150
    for line in lines:
        bos, eos, log10, text = line.split("\t")
        found = model.score(text.split(), bos=bos == "1", eos=eos == "1") / log(10)
        assert found == pytest.approx(float(log10), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["tiny.arpa", "tiny.binary"])
def test_words(name: str) -> None:
    model = load_language_model(FIXTURES / name)
    words = words_of_model(model)
    assert not {"<unk>", "<s>", "</s>"} & set(words)
    assert model.order == 4
    assert len(words) == 25
    assert [model.words()[model.word_id(word)] for word in words] == words
    assert model.words()[model.bos] == "<s>"
    assert model.words()[model.eos] == "</s>"
    assert model.words()[model.unk] == "<unk>"
    assert all(word in model for word in words)
    for stranger in ("zzz", "", "<unk>", "\ud800", "a" * 100):
        assert stranger not in model
        assert model.word_id(stranger) == 0


def test_content_tells_the_format_not_the_name(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "tiny.binary", tmp_path / "model.arpa")
    (tmp_path / "model.bin").write_bytes(gzip.compress((FIXTURES / "tiny.arpa").read_bytes()))
    sentence = words_of_model(load_language_model(FIXTURES / "tiny.arpa"))[:4]
    scores = {load_language_model(tmp_path / name).score(sentence) for name in ("model.arpa", "model.bin")}
    assert len(scores) == 1


def test_a_sentence_of_no_words() -> None:
    model = load_language_model(FIXTURES / "tiny.arpa")
    assert model.score([], bos=False, eos=False) == 0.0
    assert model.score([]) < 0.0


def test_what_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_language_model(tmp_path / "none.arpa")
    with pytest.raises(UserError, match="cannot be read"):
        load_language_model(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(UserError, match="is no ARPA file"):
        load_language_model(tmp_path / "empty")


def test_a_repeated_ngram_is_named(tmp_path: Path) -> None:
    arpa = (
        "\\data\\\nngram 1=3\nngram 2=2\n\n\\1-grams:\n-1 <s>\n-1 </s>\n-1 a\n\n\\2-grams:\n-1 a a\n-2 a a\n\n\\end\\\n"
    )
    (tmp_path / "twice.arpa").write_text(arpa)
    with pytest.raises(UserError, match="the 2-gram `a a` stands twice"):
        load_language_model(tmp_path / "twice.arpa")


def test_without_numba_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(UserError, match=r"pip install 'seqrec\[beam\]'"):
        load_language_model(FIXTURES / "tiny.arpa")
