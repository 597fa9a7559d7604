"""Subwords as tokens: pieces that SentencePiece learns from the training text, by byte pairs or as a unigram model."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from seqrec.errors import UserError
from seqrec.text.normalise import Case, Normalisation, UnicodeForm
from seqrec.text.segmentation import likeliest_pieces, merge_pieces
from seqrec.text.tokens import Symbol, check_symbols, refuse_strangers, scored_symbol

_START = "\u2581"  # SentencePiece's sign for the start of a word
_UNKNOWN = "\u2585"  # its sign for an unknown character, at which it would leave the whole text out
_ANY_LENGTH = 1 << 30  # bytes; by default SentencePiece passes long lines over
_MOST_TOKENS = 1_000_000
_MOST_WORDS = 100_000  # whose tokens are remembered


class SubwordTokenizer:
    """One token a piece of a word; token 0 is the blank, and the others have SentencePiece's own numbers.

    SentencePiece learns the pieces when the corpus is prepared, from the training text alone and always the same from
    the same text. From then on they are plain data, in the order they were learnt (`bpe`) or with log-probabilities
    (`unigram`), and recognising and scoring need no SentencePiece. Pieces never reach over a space, and each character
    of the training text is a piece of its own.

    Source: Kudo and Richardson (2018), SentencePiece

    Args:
        symbols: the pieces, in the order of their tokens, without the blank, `▁` standing for the start of a word; for
            `unigram` each with its log-probability; empty: learnt from the training text.
        unknown: what to do with a character that the training text has not: `error` names it; `drop` leaves it out of
            the targets, but never out of the references that are scored. Three characters are always unknown, as
            SentencePiece keeps them for itself: U+2581, U+2585 and U+0000.
        model_type: the kind of model.
        vocab_size: how many tokens to learn, the blank among them.
        unicode_form: the Unicode normal form of all text.
        case: the case of all text.
        drop_punctuation: leave punctuation out of all text, but for apostrophes within words.
        replace: what single characters become in all text, such as {’: '}; nothing at all deletes them.

    Raises:
        UserError: `symbols` are no pieces of such a model.
    """

    def __init__(
        self,
        symbols: Sequence[Symbol] = (),
        unknown: Literal["error", "drop"] = "error",
        model_type: Literal["bpe", "unigram"] = "bpe",
        vocab_size: int = 500,
        unicode_form: UnicodeForm = "NFC",
        case: Case = "keep",
        drop_punctuation: bool = False,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        if not 2 <= vocab_size <= _MOST_TOKENS:
            raise UserError(f"text.vocab_size={vocab_size} is not between 2 and {_MOST_TOKENS:,}")
        self.scores = _check_scores(symbols) if model_type == "unigram" else {}  # log-probabilities of pieces
        self.symbols = tuple(self.scores or map(str, _check_pieces(symbols)))
        self.unknown = unknown
        self.model_type = model_type
        self.vocab_size = vocab_size
        self._normalisation = Normalisation(unicode_form, case, drop_punctuation, replace)
        self.unicode_form = unicode_form
        self.case = case
        self.drop_punctuation = drop_punctuation
        self.replace = replace
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}
        self._longest = max(map(len, self.symbols), default=0)
        self._characters = {symbol for symbol in self.symbols if len(symbol) == 1} - {_START}
        self._words: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """Count the tokens, the blank among them."""
        return len(self.symbols) + 1

    def normalise(self, text: str) -> str:
        """Return `text` as it is counted, trained on and scored."""
        return self._normalisation(text)

    @property
    def spellings(self) -> tuple[str, ...]:
        """What each piece adds to a text, a space where it starts a word."""
        return tuple(symbol.replace(_START, " ") for symbol in self.symbols)

    def alphabet(self, texts: Iterable[str]) -> tuple[Symbol, ...]:
        """Learn the pieces of the normalised `texts`, in SentencePiece's order.

        Raises:
            UserError: SentencePiece is not installed, or cannot learn so many or so few pieces from these texts.
        """
        normalised = [self.normalise(text).replace(_UNKNOWN, "") for text in texts]
        model = _train(normalised, self.model_type, self.vocab_size)
        numbers = range(1, len(model))
        if self.model_type == "bpe":
            return tuple(model.id_to_piece(number) for number in numbers)
        return tuple((model.id_to_piece(number), round(model.get_score(number), 6)) for number in numbers)

    def encode(self, text: str, id: str) -> list[int]:
        """Return the tokens of the normalised `text` of example `id`.

        Raises:
            UserError: a character is in no piece and `unknown` is `error`.
        """
        strangers = self.strangers(text)
        if self.unknown == "error":
            refuse_strangers(strangers, self._characters, "characters", id)
        known = self.normalise(text).translate(dict.fromkeys(map(ord, strangers)))
        return [token for word in known.split() for token in self._tokens(word)]

    def strangers(self, text: str) -> list[str]:
        """Return the characters of the normalised `text` that are no pieces, sorted."""
        return sorted(set(self.normalise(text)) - self._characters - {" "})

    def scored(self, text: str) -> str:
        """Return `text` as references and hypotheses are compared: normalised."""
        return self.normalise(text)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of `tokens`, none of which is the blank, with single spaces between words."""
        return " ".join("".join(self.symbols[token - 1] for token in tokens).replace(_START, " ").split())

    def _tokens(self, word: str) -> list[int]:
        tokens = self._words.get(word)
        if tokens is None:
            tokens = [self._numbers[piece] for piece in self._pieces(_START + word)]
            if len(self._words) < _MOST_WORDS:
                self._words[word] = tokens
        return tokens

    def _pieces(self, word: str) -> list[str]:
        if self.model_type == "bpe":
            return merge_pieces(word, self._numbers)
        return likeliest_pieces(word, self.scores, self._longest)


def _check_pieces(symbols: Sequence[object]) -> Sequence[object]:
    check_symbols(symbols, lambda symbol: symbol.split() == [symbol], "a piece of text, without white space")
    if symbols and _START not in symbols:
        raise UserError(f"text.symbols lacks {_START!r} (U+2581), which starts each word; prepare the corpus again")
    return symbols


def _check_scores(symbols: Sequence[object]) -> dict[str, float]:
    pairs = [scored_symbol(symbol) for symbol in symbols]
    for symbol, pair in zip(symbols, pairs, strict=True):
        if pair is None:
            raise UserError(
                f"text.symbols: {symbol!r} is no pair of a piece and its log-probability, as text.model_type=unigram "
                "needs it; prepare the corpus again"
            )
    _check_pieces([piece for piece, _ in filter(None, pairs)])
    return dict(filter(None, pairs))


def _train(texts: Sequence[str], model_type: str, vocab_size: int) -> Any:
    """Return a sentencepiece.SentencePieceProcessor, the unknown piece in the place of the blank.

    Raises:
        UserError: SentencePiece is not installed, or cannot learn so many or so few pieces from these texts.
    """
    try:
        sentencepiece = importlib.import_module("sentencepiece")
    except ImportError:
        raise UserError(
            "learning subwords needs the library `sentencepiece`, which is not installed; "
            "install it with `pip install 'seqrec[subwords]'`"
        ) from None
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            model_type=model_type,
            vocab_size=vocab_size,
            character_coverage=1.0,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            max_sentence_length=_ANY_LENGTH,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            num_threads=1,  # sums in one order: the same model from the same text
            minloglevel=2,
        )
    except RuntimeError as error:
        raise _untrainable(str(error), vocab_size) from None
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def _untrainable(said: str, vocab_size: int) -> UserError:
    where = f"text.vocab_size={vocab_size}: the training text"  # some messages name a bound, others an assertion
    most, least = re.search(r"<= (\d+)\.$", said.strip()), re.search(r"\d+ vs (\d+)", said)
    if most:
        return UserError(f"{where} yields {most[1]} tokens at most; set text.vocab_size={most[1]} or less")
    if least:
        return UserError(f"{where} needs {least[1]} tokens for its characters alone; set at least as many")
    return UserError(f"{where} holds nothing to learn from ({said.strip()}); look at it with `seqrec check`")
