"""Writing ARPA files: what they hold, the same bytes each time, and no half-written file."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from lm.ngram_entries import LETTERS, entries, read_arpa

from seqrec.lm import arpa_writer
from seqrec.lm.arpa_writer import Chunk, write_arpa
from seqrec.lm.kneser_ney import estimate

TINY = """\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-0.7781513\t<unk>\t0
-99\t<s>\t-0.30103
-0.3802112\t</s>\t0
-0.3802112\ta\t-0.30103

\\2-grams:
-0.1497623\t<s> a
-0.1497623\ta </s>

\\end\\
"""


def test_the_whole_file(tmp_path: Path) -> None:
    # Both unigrams have the adjusted count 1, of which 0.5 is taken: 1/4 + 1/2 * 1/3. Both bigrams occur twice, of
    # which 1 is taken: 1/2 + 1/2 * 5/12.
    write_arpa(tmp_path / "lm.arpa", estimate([["a"], ["a"]], 2))
    assert (tmp_path / "lm.arpa").read_text() == TINY


@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
def test_all_n_grams_come_back(tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arpa_writer, "_CHUNK", chunk)
    model = estimate(LETTERS, 4)
    write_arpa(tmp_path / "lm.arpa", model)
    back, expected = read_arpa(tmp_path / "lm.arpa"), entries(model)
    assert list(back) == list(expected)
    for ngram, entry in expected.items():
        assert back[ngram] == pytest.approx(entry, rel=1e-6)
    for n, order in enumerate(model.orders, start=1):
        assert f"ngram {n}={len(order.words)}\n" in (tmp_path / "lm.arpa").read_text()


def test_gzip_holds_the_same_and_is_the_same_each_time(tmp_path: Path) -> None:
    model = estimate(LETTERS, 3)
    for name in ("lm.arpa", "lm.arpa.gz", "other.arpa.gz"):
        write_arpa(tmp_path / name, model)
    data = (tmp_path / "lm.arpa.gz").read_bytes()
    assert gzip.decompress(data) == (tmp_path / "lm.arpa").read_bytes()
    assert data == (tmp_path / "other.arpa.gz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lm.arpa", "lm.arpa.gz", "other.arpa.gz"]


def test_words_of_any_script(tmp_path: Path) -> None:
    write_arpa(tmp_path / "lm.arpa.gz", estimate([["é", "नि", "字"]], 3))
    text = gzip.decompress((tmp_path / "lm.arpa.gz").read_bytes()).decode()
    assert "\té नि 字\n" in text


def test_what_is_interrupted_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "lm.arpa").write_text("old")

    def interrupted(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        yield next(iter(chunks))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_arpa(tmp_path / "lm.arpa", estimate(LETTERS, 3), interrupted)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
