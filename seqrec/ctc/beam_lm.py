"""CTC prefix beam search with an n-gram language model, a lexicon and hotwords, each of which may be left out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np

from seqrec.ctc.beam import arrays_of, check_search, compiled_search, first_texts, search_all
from seqrec.ctc.lexicon import build_lexicon, read_lexicon, spellable_words
from seqrec.ctc.model_fit import misfits
from seqrec.errors import UserError
from seqrec.lm.language_model import load_language_model
from seqrec.lm.units import lm_word
from seqrec.parts import Tokenizer
from seqrec.transcript import Candidate

if TYPE_CHECKING:
    from seqrec.ctc.prefix_rules import Model, Rules, Spelling
    from seqrec.sequence import Emissions  # and with it torch, which is not needed beside an exported model

logger = logging.getLogger(__name__)


class LanguageModelBeamDecoder:
    """Searches the labellings of the greatest score; never looks at padded frames. A labelling's score, in nats, is

        log P_ctc + alpha log P_lm + beta (words) + unk_score (unknown words) + hotword_weight (words of hotwords)

    where words are those of the language model, and P_lm includes the end of the text. The words of `unit: word` stand
    between spaces, and each is scored when it ends; to `unit: char` each token is a word, a space `<space>`. A hotword
    counts wherever it stands whole; its words gain while they are being spelt, and lose the gain if they end otherwise.
    Candidates of the same text, which differ in spaces alone, count as one: the best of them.

    The numbers may be set again between calls: `seqrec tune` does.

    Args:
        lm: path of an ARPA file, plain or gzipped, or of a KenLM probing binary; null: none.
        unit: what the language model takes for a word: `char`, a token of the recogniser, or `word`.
        alpha: weight of the language model, 0 or more.
        beta: nats for each word of the language model, against its taste for short texts.
        unk_score: nats for each word that the language model does not know, beside what it gives `<unk>`; 0 or less.
            Words of a lexicon are trusted: none for them.
        lexicon: path of a file with a word a line: no other words come out; null: any do.
        hotwords: words or phrases that are likelier here than elsewhere.
        hotword_weight: nats for each word of a hotword, 0 or more.
        beam_size: prefixes that are kept after each frame.
        beam_threshold: nats below the best at which a prefix is dropped.
        token_min_logp: no labelling grows by a token of a lower log-probability, but for the likeliest of a frame.
        n_best: candidates of an example, at most `beam_size`.
        eos: score the end of the text; false for signals that break off within one.
    """

    def __init__(
        self,
        lm: str | None = None,
        unit: Literal["char", "word"] = "word",
        alpha: float = 0.5,
        beta: float = 1.0,
        unk_score: float = -10.0,
        lexicon: str | None = None,
        hotwords: Sequence[str] = (),
        hotword_weight: float = 5.0,
        beam_size: int = 64,
        beam_threshold: float = 20.0,
        token_min_logp: float = -7.0,
        n_best: int = 1,
        eos: bool = True,
    ) -> None:
        check_search(beam_size, n_best, token_min_logp, beam_threshold)
        _check_weights(alpha, beta, unk_score, hotword_weight)
        self.lm = lm
        self.unit = unit
        self.alpha = alpha
        self.beta = beta
        self.unk_score = unk_score
        self.lexicon = lexicon
        self.hotwords = _check_hotwords(hotwords)
        self.hotword_weight = hotword_weight
        self.beam_size = beam_size
        self.beam_threshold = beam_threshold
        self.token_min_logp = token_min_logp
        self.n_best = n_best
        self.eos = eos
        compiled_search("with rules")
        self.language_model = load_language_model(lm) if lm is not None else None
        self._words = read_lexicon(lexicon) if lexicon is not None else None
        self._tokenizer: Tokenizer | None = None
        if lm is None and lexicon is None and not self.hotwords:
            logger.warning("decoder=beam_lm has no decoder.lm=, lexicon= or hotwords=: it decodes as decoder=beam does")

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Spell the lexicon and the hotwords with the tokens of a recogniser; what does not fit it is said.

        Raises:
            UserError: one of them cannot be spelt.
        """
        if tokenizer is self._tokenizer:
            return  # once is enough to say it
        for misfit in () if self.language_model is None else misfits(self.language_model, self.unit, tokenizer):
            logger.warning("decoder.lm=%s does not fit decoder.unit=%s: %s", self.lm, self.unit, misfit)
        self._spelling = spell(tokenizer)
        words = None if self._words is None else spellable_words(self._words, tokenizer, f"lexicon {self.lexicon}")
        self._lexicon = build_lexicon(words or (), self._word_ids)
        self._phrases = self._spellable_hotwords(tokenizer, words)
        of_tokens = () if self.unit == "word" else ("", *tokenizer.symbols)
        self._token_ids = self._word_ids(of_tokens)
        self._tokenizer = tokenizer

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        """Return the n-best candidates of each example; an impossible example gives an empty one of score -inf."""
        return self.decode_arrays(*arrays_of(emissions))

    def decode_arrays(self, examples: Sequence[np.ndarray], threads: int = 1) -> list[list[Candidate]]:
        """Return what `decode` does for log-probs (T', V) of each example."""
        assert self._tokenizer is not None, "`spell_with` comes first"
        most = 1 if self.n_best == 1 else self.beam_size
        options = (self.beam_size, self.beam_threshold, self.token_min_logp, most)
        kernel = compiled_search("with rules")
        found = search_all(kernel, examples, threads, *options, self._model(), self._rules())
        return [first_texts(candidates, self.n_best, self._tokenizer) for candidates in found]

    def _word_ids(self, words: Sequence[str]) -> np.ndarray:
        if self.language_model is None or not words:
            return np.zeros(len(words), np.int32)
        return self.language_model.word_ids([lm_word(word) for word in words])

    def _spellable_hotwords(self, tokenizer: Tokenizer, lexicon: Sequence[str] | None) -> list[str]:
        phrases = [tokenizer.normalise(hotword) for hotword in self.hotwords]
        known = None if lexicon is None else set(lexicon)
        for phrase in phrases:
            strangers = tokenizer.strangers(phrase)
            if strangers or not phrase.split():
                raise UserError(
                    f"decoder.hotwords: `{phrase}` can never come out, since {' '.join(map(repr, strangers)) or 'it'} "
                    "is in none of the run's tokens; take it out"
                )
            outside = [] if known is None else [word for word in phrase.split() if word not in known]
            if outside:
                raise UserError(
                    f"decoder.hotwords: `{outside[0]}` is not in the lexicon {self.lexicon}, so it can never come out; "
                    "add it there"
                )
        return phrases

    def _model(self) -> Model | None:
        from seqrec.ctc.prefix_rules import Model

        found = self.language_model
        if found is None:
            return None
        bos = found.bos if found.bos != found.unk else -1
        eos = found.eos if self.eos and found.eos != found.unk else -1
        weights = (float(self.alpha), float(self.beta), float(self.unk_score))
        return Model(found.tables, found.vocabulary, self._token_ids, bos, eos, *weights)

    def _rules(self) -> Rules:
        from seqrec.ctc.hotwords import build_hotwords
        from seqrec.ctc.prefix_rules import Rules

        hotwords = build_hotwords(self._phrases, float(self.hotword_weight))
        most_gain = hotwords.most + max(float(self.beta), 0.0)
        return Rules(self._spelling, self._lexicon, self._words is not None, hotwords, most_gain)


def _check_weights(alpha: float, beta: float, unk_score: float, hotword_weight: float) -> None:
    if not 0 <= alpha < inf:
        raise UserError(f"decoder.alpha={alpha} is no weight; set 0 or more")
    if not isfinite(beta):
        raise UserError(f"decoder.beta={beta} is not finite; set a number of nats a word")
    if not -inf < unk_score <= 0:
        raise UserError(f"decoder.unk_score={unk_score} is no fine; set 0 or less (a lexicon forbids other words)")
    if not 0 <= hotword_weight < inf:
        raise UserError(f"decoder.hotword_weight={hotword_weight} is no weight; set 0 or more")


def _check_hotwords(hotwords: Sequence[str]) -> tuple[str, ...]:
    wrong = [hotwords] if isinstance(hotwords, str) else [word for word in hotwords if not isinstance(word, str)]
    if wrong:
        raise UserError(f"decoder.hotwords: {wrong[0]!r} is no list of strings; write [word, 'two words', '7']")
    return tuple(hotwords)


def spell(tokenizer: Tokenizer) -> Spelling:
    """Return what the tokens add to a text, in UTF-8.

    Where each token is a word of its own, it ends at once, not when the next begins.

    Raises:
        UserError: a token spells parts of two words.
    """
    from seqrec.ctc.prefix_rules import Spelling

    spellings = ["", *tokenizer.spellings]
    for spelling in spellings[1:]:
        if len(spelling.split()) > 1 or (spelling[:1].isspace() and spelling[-1:].isspace() and spelling.strip()):
            raise UserError(f"decoder: the token {spelling!r} spells more than one word; use decoder=beam or greedy")
    whole = all(spelling[:1].isspace() and spelling.strip() for spelling in spellings[1:])
    letters = [spelling.strip().encode() for spelling in spellings]
    starts = [spelling[:1].isspace() and not whole for spelling in spellings]
    ends = [whole or (spelling[-1:].isspace() and bool(spelling.strip())) for spelling in spellings]
    first = np.cumsum([0, *map(len, letters)], dtype=np.int64)
    return Spelling(np.array(starts), np.array(ends), first, np.frombuffer(b"".join(letters) or b"\0", np.uint8).copy())
