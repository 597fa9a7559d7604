"""N-gram language models for decoding: an ARPA file (plain or gzipped) or a KenLM probing binary, told by content.

Why not the `kenlm` module: a beam search asks for scores from inside compiled code, and that module answers Python
only. It also has no wheels: `pip install kenlm` compiles C++ with CMake; `kenlm-ex` has wheels, but installs a module
of the same name, and whichever came last is the one imported. So the tables here are plain arrays in KenLM's own
layout, which a Numba kernel searches. Scores agree with kenlm 0.3.0 to 3e-7 of their value. Measured in CPU time of
one thread: 3.2 million queries/s of random words on a 5-gram of 1.6 million n-grams, against 1.7 million/s of
`kenlm.Model.BaseScore` called from Python with words drawn alike; that model's ARPA is read in 1.2 s against 0.6 s,
one of 5.4 million n-grams (257 MB) in 4.4 s; the probing binary of the first (33 MB) is ready in 0.1 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.lm.ngram_tables import NgramTables
    from seqrec.lm.vocabulary import Vocabulary

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"


class LanguageModel:
    """A backoff n-gram model; `tables` go into Numba kernels (seqrec.lm.ngram_tables), the rest is for Python.

    Args:
        tables: the n-grams.
        vocabulary: the words' ids.
        read_words: returns the words in the order of their ids, or raises UserError where the source lacks them.
    """

    unk = 0

    def __init__(self, tables: NgramTables, vocabulary: Vocabulary, read_words: Callable[[], list[str]]) -> None:
        self.tables = tables
        self.order = tables.order
        self.vocabulary = vocabulary
        self._read_words = read_words
        self.bos, self.eos = self.word_id(BOS), self.word_id(EOS)

    def word_id(self, word: str) -> int:
        """Return the id of `word`, 0 where the model does not know it."""
        return int(self.word_ids([word])[0])

    def word_ids(self, words: Sequence[str]) -> np.ndarray:
        """Return the ids (N,) int32 of `words`, 0 where the model does not know one."""
        from seqrec.lm.vocabulary import find_words, hash_of

        hashes = np.array([hash_of(word) for word in words], np.uint64)
        return find_words(self.vocabulary.cells, self.vocabulary.buckets, hashes)

    def __contains__(self, word: str) -> bool:
        return self.word_id(word) != self.unk

    def score(self, words: Sequence[str], bos: bool = True, eos: bool = True) -> float:
        """Natural-log probability of a sentence.

        Args:
            words: its words, without markers.
            bos: the sentence starts here: `<s>` is the history of the first word.
            eos: the sentence ends here: `</s>` is scored as its last word.
        """
        from seqrec.lm.ngram_tables import score_words

        ids = [self.bos] * bos + self.word_ids(words).tolist() + [self.eos] * eos
        return float(score_words(self.tables, np.array(ids, np.int32), int(bos)).sum())

    def words(self) -> list[str]:
        """Return the vocabulary; the index of a word is its id, and `<unk>`, `<s>` and `</s>` are among them.

        Raises:
            UserError: the model is a KenLM binary built without its words.
        """
        return self._read_words()


def load_language_model(path: str | Path) -> LanguageModel:
    """Read an ARPA file, plain or gzipped, or map a KenLM probing binary; the content tells which.

    Raises:
        UserError: the file is not there, not such a model, or damaged; or Numba is not installed.
    """
    _require_numba()
    from seqrec.lm.compilation import compilation_told
    from seqrec.lm.kenlm_binary import is_kenlm_binary, map_kenlm_binary

    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise UserError(
            f"the language model {path.absolute()} cannot be read ({error.strerror or error}); `seqrec lm` makes one"
        ) from error
    with compilation_told():
        if is_kenlm_binary(start):
            binary = map_kenlm_binary(path)
            return LanguageModel(binary.tables, binary.vocabulary, binary.read_words)
        return _load_arpa(path)


def _load_arpa(path: Path) -> LanguageModel:
    from seqrec.lm.arpa import read_arpa
    from seqrec.lm.ngram_building import RepeatedNgram, build_tables

    arpa = read_arpa(path)
    try:
        tables = build_tables(arpa.ngrams)
    except RepeatedNgram as error:
        named = " ".join(arpa.words[word] for word in error.words)
        raise UserError(f"{path}: the {len(error.words)}-gram `{named}` stands twice; keep one") from error
    words = arpa.words
    return LanguageModel(tables, arpa.vocabulary, lambda: list(words))


def words_of_model(model: LanguageModel) -> list[str]:
    """Return the words a lexicon can be made of: the vocabulary without `<unk>`, `<s>` and `</s>`.

    Raises:
        UserError: the model is a KenLM binary built without its words.
    """
    return [word for word in model.words() if word not in (BOS, EOS, UNKNOWN)]


def _require_numba() -> None:
    try:
        import numba  # noqa: F401
    except ImportError as error:
        raise UserError(f"n-gram models need Numba ({error}); install it with `pip install 'seqrec[beam]'`") from error
