"""CTC prefix beam search, compiled by Numba.

A prefix is a labelling without blanks; the beam holds the likeliest, each with the log-probability of its paths that
end in a blank, and of those that end in its last token (Graves 2012, Supervised sequence labelling, section 7.5; Hannun
et al. 2014, First-pass large vocabulary continuous speech recognition). Prefixes hang in a tree, so that each exists
once and knows the one before it: nothing is hashed, and nothing is allocated between frames.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from seqrec.ctc.best_few import CANDIDATE, offer, sort_best_first
from seqrec.ctc.prefix_rules import (
    PREFIX,
    Model,
    Rules,
    Scratch,
    child_with,
    finished_extra,
    keep_tried,
    may_end,
    new_scratch,
    plant,
    tried_extra,
)

# A prefix of the beam with the log-probabilities of its paths so far, and of those that leave it as it is one frame on.
SLOT = np.dtype(
    [
        ("node", np.int64),  # the prefix
        ("blank", np.float64),  # of paths that end in a blank
        ("label", np.float64),  # of paths that end in the prefix's last token
        ("total", np.float64),
        ("next_blank", np.float64),
        ("next_label", np.float64),
        ("next_total", np.float64),
    ]
)
_NEGLIGIBLE = 40.0  # e**-40 is less than the rounding of a double


@njit(cache=True, nogil=True)
def log_add(first: float, second: float) -> float:
    """Return log(exp(first) + exp(second))."""
    if first < second:
        first, second = second, first
    if second == -np.inf or second < first - _NEGLIGIBLE:
        return first
    return first + np.log1p(np.exp(second - first))


@njit(cache=True, nogil=True)
def search(
    log_probs: np.ndarray,
    beam_size: int,
    beam_threshold: float,
    token_min_logp: float,
    most: int,
    model: Model | None,
    rules: Rules,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search the best labellings of one example.

    Args:
        log_probs: (T', V) float32, of valid frames only; token 0 is the blank.
        beam_size: prefixes that are kept after each frame.
        beam_threshold: nats below the best at which a prefix is dropped.
        token_min_logp: no prefix grows by a token less likely than this, but for the likeliest of a frame.
        most: labellings to return.
        model: a language model, or None.
        rules: what is added to the log-probability of a prefix; without any, `plain_beam` searches faster.

    Returns:
        scores (M,), lengths (M,) and tokens (M, longest) of at most `most` labellings, the best first; none where no
        labelling is possible.
    """
    num_frames, num_tokens = log_probs.shape
    slots = beam_size + 1  # one for what `_keep_best` adds
    prefixes = np.empty(num_frames * slots + 2, PREFIX)
    scratch = new_scratch(num_frames, model, rules)
    plant(prefixes, rules)
    count, size = 1, 1  # of prefixes in the tree, and in the beam
    beam, new = np.empty(slots, SLOT), np.empty(slots, SLOT)
    beam[0].node, beam[0].blank, beam[0].label, beam[0].total = 0, 0.0, -np.inf, 0.0
    heap = np.empty(beam_size, CANDIDATE)
    tokens = np.empty(num_tokens, np.int64)
    taken = np.full((slots, num_tokens), -1, np.int32)  # the latest frame in which a slot stood beside its child
    for frame in range(num_frames):
        row = log_probs[frame]
        _stay(frame, row, beam, size, prefixes, taken)
        chosen = tokens[: _choose_tokens(row, token_min_logp, tokens)]
        ranked, floor, spare = _rank(
            frame, row, chosen, beam, size, prefixes, count, taken, heap, beam_threshold, model, rules, scratch
        )
        count, size = _keep_best(
            row, heap, ranked, floor, spare, beam, size, new, prefixes, count, model, rules, scratch
        )
        beam, new = new, beam
    return _finish(beam, size, prefixes, count, most, model, rules, scratch)


@njit(cache=True, nogil=True)
def _stay(frame: int, row: np.ndarray, beam: np.ndarray, size: int, prefixes: np.ndarray, taken: np.ndarray) -> None:
    """Sum the paths that lead to each prefix one frame on, those from the prefix one token shorter among them."""
    for index in range(size):
        slot, node = beam[index], beam[index].node
        slot.next_blank = slot.total + np.float64(row[0])
        slot.next_label = -np.inf
        if node > 0:
            token = prefixes[node].token
            slot.next_label = slot.label + np.float64(row[token])
            above = prefixes[prefixes[node].parent].place
            if above >= 0:
                taken[above, token] = frame
                slot.next_label = log_add(slot.next_label, _grown(row, beam[above], token, prefixes))
        slot.next_total = log_add(slot.next_blank, slot.next_label)


@njit(cache=True, nogil=True)
def _grown(row: np.ndarray, slot: np.record, token: int, prefixes: np.ndarray) -> float:
    """Log-probability of the paths by which a prefix grows by a token: a blank must part it from its like."""
    return (slot.blank if prefixes[slot.node].token == token else slot.total) + np.float64(row[token])


@njit(cache=True, nogil=True)
def _choose_tokens(row: np.ndarray, token_min_logp: float, tokens: np.ndarray) -> int:
    """Put the tokens that prefixes may grow by into `tokens`, and return how many there are."""
    count, likeliest = 0, 1
    for token in range(1, len(row)):
        if row[token] >= token_min_logp:
            tokens[count] = token
            count += 1
        elif row[token] > row[likeliest]:
            likeliest = token
    if count == 0 and len(row) > 1:
        tokens[0] = likeliest
        count = 1
    return count


@njit(cache=True, nogil=True)
def _rank(
    frame: int,
    row: np.ndarray,
    chosen: np.ndarray,
    beam: np.ndarray,
    size: int,
    prefixes: np.ndarray,
    count: int,
    taken: np.ndarray,
    heap: np.ndarray,
    beam_threshold: float,
    model: Model | None,
    rules: Rules,
    scratch: Scratch,
) -> tuple[int, float, int]:
    """Rank the prefixes of the beam, and those one token longer, by their score one frame on.

    A candidate's code is token * slots + its slot in the beam, token 0 for the prefix that stays as it is.

    Returns:
        how many are in the heap, the score below which they are dropped, and the code of the best that may end here, or
        -1.
    """
    slots = len(beam)
    ranked, best, spare, spare_score = 0, -np.inf, -1, -np.inf
    for index in range(size):
        score = beam[index].next_total + prefixes[beam[index].node].extra
        if score > -np.inf:
            ranked = offer(heap, ranked, score, index)
            best = max(best, score)
            if score > spare_score and may_end(prefixes[beam[index].node], rules):
                spare, spare_score = index, score
    floor = best - beam_threshold
    for index in range(size):
        slot = beam[index]
        for token in chosen:
            if taken[index, token] == frame:
                continue
            # What cannot be kept, whatever the token brings, need not be asked of the rules.
            score = _grown(row, slot, token, prefixes) + prefixes[slot.node].extra
            least = max(floor, heap[0].score) if ranked == len(heap) else floor
            if score + rules.most_gain < least or score == -np.inf:
                continue
            score += tried_extra(prefixes, count, slot.node, token, model, rules, scratch)
            if score > -np.inf:
                ranked = offer(heap, ranked, score, token * slots + index)
                floor = max(floor, score - beam_threshold)
                if score > spare_score and may_end(prefixes[count], rules):
                    spare, spare_score = token * slots + index, score
    return ranked, floor, spare


@njit(cache=True, nogil=True)
def _keep_best(
    row: np.ndarray,
    heap: np.ndarray,
    ranked: int,
    floor: float,
    spare: int,
    beam: np.ndarray,
    size: int,
    new: np.ndarray,
    prefixes: np.ndarray,
    count: int,
    model: Model | None,
    rules: Rules,
    scratch: Scratch,
) -> tuple[int, int]:
    """Fill the new beam, the best first, and return the sizes of the tree and of the beam.

    Where all prefixes would end within a word that the lexicon does not hold, the best one that may end here is kept
    too: else the frames could end without a labelling that the lexicon allows.
    """
    for index in range(size):
        prefixes[beam[index].node].place = -1
    sort_best_first(heap, ranked)
    kept, endable = 0, False
    while kept < ranked and heap[kept].score >= floor:
        count = _keep(row, heap[kept].code, beam, new, kept, prefixes, count, model, rules, scratch)
        endable = endable or may_end(prefixes[new[kept].node], rules)
        kept += 1
    if spare >= 0 and not endable:
        count = _keep(row, spare, beam, new, kept, prefixes, count, model, rules, scratch)
        kept += 1
    return count, kept


@njit(cache=True, nogil=True)
def _keep(
    row: np.ndarray,
    code: int,
    beam: np.ndarray,
    new: np.ndarray,
    place: int,
    prefixes: np.ndarray,
    count: int,
    model: Model | None,
    rules: Rules,
    scratch: Scratch,
) -> int:
    """Put a candidate into a place of the new beam, and return the size of the tree."""
    token, index = code // len(beam), code % len(beam)
    slot, node = beam[index], beam[index].node
    if token == 0:
        new[place].blank, new[place].label, new[place].total = slot.next_blank, slot.next_label, slot.next_total
    else:
        grown = _grown(row, slot, token, prefixes)
        new[place].blank, new[place].label, new[place].total = -np.inf, grown, grown
        parent, node = node, child_with(prefixes, node, token)
        if node < 0:
            tried_extra(prefixes, count, parent, token, model, rules, scratch)
            keep_tried(prefixes, count, parent, token)
            node = count
            count += 1
    new[place].node = node
    prefixes[node].place = place
    return count


@njit(cache=True, nogil=True)
def _finish(
    beam: np.ndarray,
    size: int,
    prefixes: np.ndarray,
    count: int,
    most: int,
    model: Model | None,
    rules: Rules,
    scratch: Scratch,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """End the prefixes of the beam, and return the scores, lengths and tokens of the best."""
    finals = np.empty(max(size, 1), CANDIDATE)
    ended = 0
    for index in range(size):
        score = beam[index].total + finished_extra(prefixes, count, beam[index].node, model, rules, scratch)
        if score > -np.inf:
            ended = offer(finals, ended, score, index)
    sort_best_first(finals, ended)
    ended = min(ended, most)
    lengths = np.zeros(ended, np.int64)
    for rank in range(ended):
        node = beam[finals[rank].code].node
        while node > 0:
            lengths[rank] += 1
            node = prefixes[node].parent
    tokens = np.zeros((ended, max(lengths) if ended else 0), np.int64)
    for rank in range(ended):
        node = beam[finals[rank].code].node
        for position in range(lengths[rank] - 1, -1, -1):
            tokens[rank, position] = prefixes[node].token
            node = prefixes[node].parent
    return finals["score"][:ended].copy(), lengths, tokens
