"""CTC forced alignment of one example in NumPy: what `seqrec.ctc.align` and `seqrec.ctc.confidence` compute by batches.

The same sums in the same order, so that of equally likely paths the same one is found. A Python step a frame, of ten
small array operations: 0.6 ms for a second of speech.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqrec.ctc.spans import AlignedTokens

_BEFORE = 2  # columns before the states: no state two to the left of the first, and the start one to the left of it


def align(log_probs: np.ndarray, tokens: Sequence[int], temperature: float) -> AlignedTokens:
    """Return the frames of the likeliest path of `tokens` (U,) through log-probs (T', V), token 0 being the blank.

    Confidences are the highest posteriors of each token's frames, at a temperature.
    """
    score, labels = _best_path(log_probs, np.array(tokens, dtype=np.int64))
    frames = np.flatnonzero(labels >= 0)
    if not len(frames):
        return AlignedTokens(tokens, (), (), (), score)
    owners = labels[frames]
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))  # every token has a frame, and their frames are in order
    lasts = np.append(firsts[1:], len(frames)) - 1
    scaled = log_probs[frames].astype(np.float64) / temperature
    highest = scaled.max(axis=1, keepdims=True)
    shares = np.exp(scaled - highest)
    own = np.take_along_axis(shares, np.array(tokens)[owners, None], axis=1)[:, 0] / shares.sum(axis=1)
    confidences = np.maximum.reduceat(own, firsts).clip(np.finfo(np.float64).tiny, 1.0)
    return AlignedTokens(tokens, frames[firsts].tolist(), (frames[lasts] + 1).tolist(), confidences.tolist(), score)


def _best_path(log_probs: np.ndarray, tokens: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the log-probability of the best path, and which token (T',) a frame belongs to, -1 on blanks.

    The states are a blank, the first token, a blank, ..., a blank (Graves et al. 2006, figure 3).
    """
    states = np.zeros(2 * len(tokens) + 1, dtype=np.int64)
    states[1::2] = tokens
    scores = np.full(_BEFORE + len(states), -np.inf)
    scores[_BEFORE - 1] = 0.0  # the start, from where the first frame reaches the first blank and the first token
    left = np.concatenate([np.full(_BEFORE, -1), states])[:-_BEFORE]
    skip = np.where(states != left, 0.0, -np.inf)  # past a blank that parts unlike tokens
    steps = np.empty((len(log_probs), len(states)), dtype=np.uint8)  # states to the left; 3 stands for 2
    for frame, row in enumerate(log_probs):
        stay, one, two = scores[2:], scores[1:-1], scores[:-2] + skip
        best = np.maximum(stay, one)
        np.add(one > stay, 2 * (two > best).view(np.uint8), out=steps[frame])
        scores[_BEFORE:] = np.maximum(best, two) + row[states]
        scores[_BEFORE - 1] = -np.inf
    in_blank, in_token = scores[-1], scores[-2]  # the two places a path may end in; without tokens, the start
    best_score = float(max(in_blank, in_token))
    if best_score == -np.inf:
        return best_score, np.full(len(log_probs), -1)
    path = _trace_back(steps, len(states) - 1 - int(in_token > in_blank))
    return best_score, np.where(path % 2 == 1, path // 2, -1)


def _trace_back(steps: np.ndarray, state: int) -> np.ndarray:
    """Return the state of each frame (T',) of the path that ends in `state`."""
    path = np.empty(len(steps), dtype=np.int64)
    for frame in range(len(steps) - 1, -1, -1):
        path[frame] = state
        state -= min(steps.item(frame, state), 2)
    return path
