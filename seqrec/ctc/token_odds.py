"""Probabilities of the tokens of a frame, as far as a beam search asks for them, compiled by Numba."""

from __future__ import annotations

import numpy as np
from numba import njit

from seqrec.ctc.best_few import make_heap, sort_best_first

# A token in the frame at hand.
TOKEN = np.dtype(
    [
        ("odds", np.float64),  # its probability
        ("frame", np.int64),  # of which `odds` is
    ]
)
_LEAST_LOG_PROB = -500.0  # that is told from less; with what the best prefix may have lost, within a double's range


@njit(cache=True, nogil=True)
def odds_of(frame: int, log_probs: np.ndarray, token: int, table: np.ndarray) -> float:
    """Return the probability of a token, which is reckoned once a frame."""
    cell = table[token]
    if cell.frame != frame:
        cell.frame = frame
        log_prob = np.float64(log_probs[frame, token])
        cell.odds = np.exp(_LEAST_LOG_PROB if -np.inf < log_prob < _LEAST_LOG_PROB else log_prob)
    return cell.odds


@njit(cache=True, nogil=True)
def choose_tokens(
    frame: int, log_probs: np.ndarray, token_min_logp: float, table: np.ndarray, chosen: np.ndarray
) -> int:
    """List the tokens that prefixes may grow by, the likeliest first, and return how many there are."""
    num_tokens = log_probs.shape[1]
    count, likeliest, most = 0, 1, np.float32(-np.inf)
    for token in range(1, num_tokens):
        if log_probs[frame, token] > most:
            likeliest, most = token, log_probs[frame, token]
    if most >= token_min_logp:
        for token in range(1, num_tokens):
            if log_probs[frame, token] >= token_min_logp:
                chosen[count].code = token
                count += 1
    elif num_tokens > 1:
        chosen[0].code = likeliest
        count = 1
    for position in range(count):
        chosen[position].score = odds_of(frame, log_probs, chosen[position].code, table)
    if count > 1:
        make_heap(chosen, count)
        sort_best_first(chosen, count)
    return count
