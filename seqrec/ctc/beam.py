"""CTC prefix beam search: the likeliest labellings, each with the probability of all its paths.

Why kernels of our own (plain_beam.py, and prefix_beam.py for a language model, a lexicon or hotwords; both compiled by
Numba) and not a library, as measured in November 2026 on one core of a shared machine, Python 3.11 (CPU time; T' = 500,
V = 29, beam 16):

- correctness: on 60 small examples pyctcdecode 0.5.0, ctc-beam-decoder 0.2.0, flashlight-text 0.0.7 and
  fast-ctc-decode 0.3.7 all find the labelling that the sum over all paths finds, the first three with its
  log-probability; fast-ctc-decode's call gives none, and has no language model;
- speed, utterances a second, by `python tests/bench/beam.py` on 2026-11-22: the plain kernel 3,080; fast-ctc-decode 78
  as it comes, 1,095 with our threshold for tokens. In earlier runs: pyctcdecode 38; ctc-beam-decoder 380;
  flashlight-text 33;
- packaging: pyctcdecode needs numpy<2, and KenLM built from source; flashlight-text and fast-ctc-decode come as wheels
  for one Python version each; ctc-beam-decoder is young, its wheel for Linux asks for glibc 2.35.

The first call ever compiles for 10 seconds of CPU time, 33 with a language model; it is kept beside the package, or in
the user's cache folder where that is read-only, and later starts take 0.7 seconds. The default pruning changes nothing
that is seen: of 1,500 UNIPEN words, none is read otherwise than at beam 16 without pruning, and one otherwise than at
beam 200.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from seqrec.errors import UserError
from seqrec.parts import Tokenizer
from seqrec.transcript import Candidate

if TYPE_CHECKING:  # torch among it, which is not needed beside an exported model
    from seqrec.ctc.prefix_rules import Model, Rules
    from seqrec.sequence import Emissions

Search: TypeAlias = Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]  # scores, lengths and tokens of an n-best


class BeamDecoder:
    """Searches the labellings of the greatest probability, summed over their paths; never looks at padded frames.

    A candidate's score is the log-probability of its labelling, as far as its paths stayed in the beam. Candidates of
    the same text, which differ in spaces alone, count as one: the best of them. With `beam_size` 1 the result is that
    of `greedy` wherever each frame's likeliest token has a probability above sqrt(1/2); elsewhere the sum over paths
    may prefer another.

    Args:
        beam_size: prefixes that are kept after each frame.
        n_best: candidates of an example, at most `beam_size`.
        token_min_logp: no labelling grows by a token of a lower log-probability, but for the likeliest of a frame.
        beam_threshold: nats below the best at which a prefix is dropped.
    """

    def __init__(
        self, beam_size: int = 16, n_best: int = 1, token_min_logp: float = -7.0, beam_threshold: float = 15.0
    ) -> None:
        check_search(beam_size, n_best, token_min_logp, beam_threshold)
        self.beam_size = beam_size
        self.n_best = n_best
        self.token_min_logp = token_min_logp
        self.beam_threshold = beam_threshold
        self._tokenizer: Tokenizer | None = None
        compiled_search("plain")

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Learn which labellings are the same text."""
        self._tokenizer = tokenizer

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        """Return the n-best candidates of each example; an impossible example gives an empty one of score -inf."""
        return self.decode_arrays(*arrays_of(emissions))

    def decode_arrays(self, examples: Sequence[np.ndarray], threads: int = 1) -> list[list[Candidate]]:
        """Return what `decode` does for log-probs (T', V) of each example."""
        most = 1 if self.n_best == 1 else self.beam_size
        options = (self.beam_size, self.beam_threshold, self.token_min_logp, most)
        found = search_all(compiled_search("plain"), examples, threads, *options)
        return [first_texts(candidates, self.n_best, self._tokenizer) for candidates in found]


def check_search(beam_size: int, n_best: int, token_min_logp: float, beam_threshold: float) -> None:
    """Refuse options that no search can have.

    Raises:
        UserError: there is one.
    """
    if not 1 <= beam_size <= 10_000:
        raise UserError(f"decoder.beam_size={beam_size} is not between 1 and 10,000")
    if not 1 <= n_best <= beam_size:
        raise UserError(f"decoder.n_best={n_best} is not between 1 and decoder.beam_size={beam_size}; widen the beam")
    if not token_min_logp <= 0:
        raise UserError(f"decoder.token_min_logp={token_min_logp} is no log-probability; set 0 or less")
    if not beam_threshold > 0:
        raise UserError(f"decoder.beam_threshold={beam_threshold} would drop the best prefix; set more than 0")


def compiled_search(kind: Literal["plain", "with rules"]) -> Search:
    """Return a kernel, which compiles when it is first called and is kept on disk for later.

    Raises:
        UserError: Numba is not installed, or has nowhere to keep what it compiles.
    """
    try:
        if kind == "plain":
            from seqrec.ctc.plain_beam import search_plain

            return search_plain
        from seqrec.ctc.prefix_beam import search

        return search
    except ImportError as error:
        raise UserError(f"beam search needs Numba ({error}); install it with `pip install 'seqrec[beam]'`") from None
    except RuntimeError as error:  # neither the package's folder nor the user's cache can be written
        raise UserError(
            f"Numba cannot keep the compiled beam search ({error}); set NUMBA_CACHE_DIR to a folder that can be written"
        ) from None


def arrays_of(emissions: Emissions) -> tuple[list[np.ndarray], int]:
    """Return the log-probs (T', V) float32 of each example's valid frames, and on how many threads torch works."""
    import torch

    batch = emissions.log_probs.detach().float().cpu().contiguous().numpy()  # (B, T', V)
    examples = [row[:length] for row, length in zip(batch, emissions.lengths.tolist(), strict=True)]
    return examples, torch.get_num_threads()


def search_all(
    search: Search,
    examples: Sequence[np.ndarray],
    threads: int,
    beam_size: int,
    beam_threshold: float,
    token_min_logp: float,
    most: int,
    *rules: Model | Rules | None,
) -> list[list[Candidate]]:
    """Search log-probs (T', V) float32 of each example, on at most `threads`; other arguments are the kernel's."""
    from seqrec.lm.compilation import compilation_told

    options = (beam_size, float(beam_threshold), float(token_min_logp), most, *rules)

    def search_one(log_probs: np.ndarray) -> list[Candidate]:
        scores, lengths, tokens = search(log_probs, *options)
        if not len(scores):
            return [Candidate((), -np.inf)]
        found = zip(scores.tolist(), lengths.tolist(), tokens.tolist(), strict=True)
        return [Candidate(tuple(row[:length]), score) for score, length, row in found]

    threads = min(threads, len(examples))
    with compilation_told():
        if threads <= 1:
            return [search_one(log_probs) for log_probs in examples]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(search_one, examples))


def first_texts(candidates: list[Candidate], n_best: int, tokenizer: Tokenizer | None) -> list[Candidate]:
    """Return the first `n_best` candidates of different texts."""
    if n_best == 1 or tokenizer is None:
        return candidates[:n_best]
    by_text: dict[str, Candidate] = {}
    for candidate in candidates:
        by_text.setdefault(tokenizer.decode(candidate.tokens), candidate)
        if len(by_text) == n_best:
            break
    return list(by_text.values())
