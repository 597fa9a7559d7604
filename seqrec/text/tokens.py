"""Tokens: the numbers a recogniser gives out, and the text they stand for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from seqrec.errors import UserError
from seqrec.text.normalise import Case, Normalisation, UnicodeForm

BLANK = "<blank>"  # token 0
Symbol = str | tuple[str, float]  # as tokens.json and checkpoints hold it; some come with a log-probability
_MOST_NATS = 1e6  # against a symbol: sums of them stay finite


class CharacterTokenizer:
    """One token a character; token 0 is the blank.

    Args:
        symbols: the alphabet, in the order of its tokens, without the blank; empty: taken from the training text.
        unknown: what to do with a character outside the alphabet: `error` names it; `drop` leaves it out of the
            targets, but never out of the references that are scored.
        unicode_form: the Unicode normal form of all text.
        case: the case of all text.
        drop_punctuation: leave punctuation out of all text, but for apostrophes within words.
        replace: what single characters become in all text, such as {’: '}; nothing at all deletes them.
    """

    _kind = "characters"  # of symbols, in messages

    def __init__(
        self,
        symbols: Sequence[str] = (),
        unknown: Literal["error", "drop"] = "error",
        unicode_form: UnicodeForm = "NFC",
        case: Case = "keep",
        drop_punctuation: bool = False,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        self._check(symbols)
        self.symbols = tuple(symbols)
        self.unknown = unknown
        self._normalisation = Normalisation(unicode_form, case, drop_punctuation, replace)
        self.unicode_form = unicode_form
        self.case = case
        self.drop_punctuation = drop_punctuation
        self.replace = replace
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols, start=1)}

    def __len__(self) -> int:
        """Count the tokens, the blank among them."""
        return len(self.symbols) + 1

    def normalise(self, text: str) -> str:
        """Return `text` as it is counted, trained on and scored."""
        return self._normalisation(text)

    @property
    def spellings(self) -> tuple[str, ...]:
        """What each symbol adds to a text: itself."""
        return self.symbols

    def alphabet(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the symbols of the normalised `texts`, sorted by code points."""
        return tuple(sorted(set().union(*map(self._split, texts))))

    def encode(self, text: str, id: str) -> list[int]:
        """Return the tokens of the normalised `text` of example `id`.

        Raises:
            UserError: a symbol is outside the alphabet and `unknown` is `error`.
        """
        symbols = self._split(text)
        if self.unknown == "error":
            refuse_strangers(self._strangers(symbols), self.symbols, self._kind, id)
        return [self._numbers[symbol] for symbol in symbols if symbol in self._numbers]

    def strangers(self, text: str) -> list[str]:
        """Return the symbols of the normalised `text` outside the alphabet, sorted."""
        return self._strangers(self._split(text))

    def scored(self, text: str) -> str:
        """Return `text` as references and hypotheses are compared: normalised."""
        return self.normalise(text)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of `tokens`, none of which is the blank, with white space as `normalise` leaves it."""
        return " ".join("".join(self.symbols[token - 1] for token in tokens).split())

    def _check(self, symbols: Sequence[object]) -> None:
        check_symbols(symbols, lambda symbol: len(symbol) == 1, "one character")

    def _split(self, text: str) -> Sequence[str]:
        """Return the symbols of the normalised `text`, in order; a string is its characters."""
        return self.normalise(text)

    def _strangers(self, symbols: Iterable[str]) -> list[str]:
        return sorted(set(symbols) - self._numbers.keys())


def refuse_strangers(strangers: Sequence[str], alphabet: Collection[str], kind: str, id: str) -> None:
    """Refuse symbols of the text of example `id` that the `alphabet`, of such a `kind`, lacks.

    Raises:
        UserError: there are such symbols.
    """
    if strangers:
        shown = " ".join(
            f"{stranger!r} ({' '.join(f'U+{ord(one):04X}' for one in stranger)})" for stranger in strangers
        )
        raise UserError(
            f"example `{id}`: {shown} not in the alphabet of {len(alphabet)} {kind} taken from the training text; mend "
            f"the transcript, or set text.unknown=drop to train without such {kind} (they still count as errors when "
            "scored)"
        )


def check_symbols(symbols: Sequence[object], fits: Callable[[str], bool], what: str) -> None:
    """Refuse symbols that are no strings, or that `fits` does not take for `what`, or that occur twice.

    Raises:
        UserError: there is such a symbol.
    """
    wrong = [symbol for symbol in symbols if not isinstance(symbol, str) or not fits(symbol)]
    if wrong:
        raise UserError(f"text.symbols={_few(wrong)}: each symbol is {what}; quote digits and spaces")
    if len(set(symbols)) != len(symbols):
        twice = [symbol for symbol, count in Counter(symbols).items() if count > 1]
        raise UserError(f"text.symbols={_few(twice)}: a symbol occurs twice; list each once")


def _few(symbols: Sequence[object]) -> str:
    return repr(list(symbols[:5])) + " and more" * (len(symbols) > 5)


def write_tokens(path: Path, symbols: Sequence[Symbol]) -> None:
    """Write the token list of `symbols`, the blank first, to `path` as JSON."""
    path.write_text(json.dumps([BLANK, *symbols], ensure_ascii=False) + "\n", encoding="utf-8")


def read_tokens(path: Path) -> tuple[Symbol, ...]:
    """Read what `write_tokens` wrote: the symbols, without the blank.

    Raises:
        UserError: the file is missing, or no such list.
    """
    try:
        tokens = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"token list {path} cannot be read ({error}); prepare the corpus again") from None
    if not isinstance(tokens, list) or not tokens or tokens[0] != BLANK:
        raise UserError(f"token list {path} does not start with {BLANK!r}; prepare the corpus again")
    symbols = tuple(scored_symbol(token) or token for token in tokens[1:])
    try:
        check_symbols(
            [symbol[0] if isinstance(symbol, tuple) else symbol for symbol in symbols], bool, "one or more characters"
        )
    except UserError as error:
        raise UserError(f"token list {path}: {error}; or prepare the corpus again") from None
    return symbols


def scored_symbol(token: object) -> tuple[str, float] | None:
    """Return a symbol with its log-probability, as JSON or a checkpoint holds it; None for anything else."""
    if not isinstance(token, (list, tuple)) or len(token) != 2:
        return None
    symbol, score = token
    if not isinstance(symbol, str) or type(score) not in (int, float) or not -_MOST_NATS < score <= 0:
        return None
    return symbol, float(score)
