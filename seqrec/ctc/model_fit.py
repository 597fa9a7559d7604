"""Whether a language model is of the recogniser's alphabet and of the unit it is used with, else it harms unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seqrec.errors import UserError
from seqrec.lm.language_model import LanguageModel, words_of_model
from seqrec.lm.units import UNITS, Unit, lm_word
from seqrec.parts import Tokenizer

_MOST_LOOKED_AT = 5000  # words of the model, evenly drawn
_SHOWN = 5


def misfits(model: LanguageModel, unit: Unit, tokenizer: Tokenizer) -> Iterator[str]:
    """Yield a sentence for each sign that `model` is of another unit or of another alphabet than it is used with."""
    if not tokenizer.symbols:
        return
    signs = _char_only(tokenizer)
    known_signs = [word for word in signs if word in model]
    if unit == "word" and known_signs:
        yield f"it knows the word `{known_signs[0]}`, which only a model of single tokens has; set {_other(unit)}"
    elif unit == "char":
        yield from _of_tokens(model, tokenizer, bool(signs) and not known_signs)
    else:
        yield from _of_words(_some_words(model), tokenizer, not signs)


def _char_only(tokenizer: Tokenizer) -> list[str]:
    """Return words that only a model of tokens can have: the space, and pieces that begin with one."""
    pairs = zip(tokenizer.symbols, tokenizer.spellings, strict=True)
    return [lm_word(symbol) for symbol, spelling in pairs if spelling.strip() != symbol]


def _of_tokens(model: LanguageModel, tokenizer: Tokenizer, no_space: bool) -> Iterator[str]:
    known = model.word_ids([lm_word(symbol) for symbol in tokenizer.symbols]) != 0
    strangers = [symbol for symbol, found in zip(tokenizer.symbols, known, strict=True) if not found]
    if 2 * len(strangers) > len(tokenizer.symbols):
        yield (
            f"it knows {known.sum()} of the run's {len(known)} tokens (not {_shown(strangers)}): it may be of another "
            f"alphabet or case, or of whole words; make one by `seqrec lm RUN`, or set {_other('char')}"
        )
    elif no_space:
        yield (
            f"it has none of the tokens that part words ({_shown(_char_only(tokenizer))}): it may be of texts "
            f"without them, or of whole words; make one by `seqrec lm RUN`, or set {_other('char')}"
        )


def _of_words(words: Sequence[str], tokenizer: Tokenizer, could_be_tokens: bool) -> Iterator[str]:
    suspects = tokenizer.strangers(" ".join(words))
    strangers = [word for word in words if any(one in word for one in suspects) and tokenizer.strangers(word)]
    if 2 * len(strangers) > len(words):
        yield (
            f"{len(strangers):,} of its {len(words):,} words that were looked at cannot be spelt with the run's tokens "
            f"({_shown(strangers)}): it may be of another alphabet or case; make one by `seqrec lm RUN unit=word`"
        )
    apart = any(spelling != symbol for symbol, spelling in zip(tokenizer.symbols, tokenizer.spellings, strict=True))
    if could_be_tokens and not apart and words and set(words) <= set(map(lm_word, tokenizer.symbols)):
        yield f"each of its words is a single token of the run; unless its texts are such, set {_other('word')}"


def _some_words(model: LanguageModel) -> list[str]:
    try:
        words = words_of_model(model)
    except UserError:  # a binary without its words
        return []
    return words[:: -(-len(words) // _MOST_LOOKED_AT) or 1]


def _other(unit: Unit) -> str:
    return f"decoder.unit={next(each for each in UNITS if each != unit)}"


def _shown(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words[:_SHOWN]) + ", ..." * (len(words) > _SHOWN)
