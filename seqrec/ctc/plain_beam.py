"""CTC prefix beam search where nothing is added to a labelling's probability, compiled by Numba.

It finds what the search of prefix_beam.py finds without rules, in half the time or less, since it works with
probabilities, not with their logarithms, which a language model's weights could take out of what a double holds. The
probabilities lack a power of two that the whole beam shares and that keeps the best near 1, so a frame costs products
and sums. A prefix keeps its slot while it is in the beam: a frame in which none comes and none goes moves nothing.
"""

from __future__ import annotations

from math import frexp, ldexp

import numpy as np
from numba import njit

from seqrec.ctc.best_few import CANDIDATE, make_heap, offer, sort_best_first
from seqrec.ctc.prefix_tree import NODE, child_with, with_room
from seqrec.ctc.token_odds import TOKEN, choose_tokens, odds_of

# A prefix of the beam with the probabilities of its paths so far.
SLOT = np.dtype(
    [
        ("node", np.int32),
        ("parent", np.int32),
        ("token", np.int32),
        ("kept", np.int32),  # the latest frame behind which the prefix of this slot was chosen
        ("blank", np.float64),  # of paths that end in a blank
        ("label", np.float64),  # of paths that end in the prefix's last token
        ("total", np.float64),
    ]
)
_LEAST, _MOST = 2.0**-100, 2.0**100  # the best prefix's number between frames
_SLOT_BITS = 14  # a candidate's code is token << 14 | slot, token 0 for a prefix that stays as it is
_FIRST_NODES = 1000


@njit(cache=True, nogil=True)
def search_plain(
    log_probs: np.ndarray, beam_size: int, beam_threshold: float, token_min_logp: float, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search the best labellings of one example; all is as `prefix_beam.search` has it.

    A log-probability below -500, but not minus infinity, counts as -500. Prefixes less likely than the best by some 600
    nats are dropped even where `beam_threshold` is more.
    """
    num_frames, num_tokens = log_probs.shape
    nodes = np.empty(_FIRST_NODES + beam_size, NODE)
    nodes[0].parent, nodes[0].token, nodes[0].child, nodes[0].sibling, nodes[0].place = -1, 0, -1, -1, 0
    count, size, exponent = 1, 1, 0  # of prefixes in the tree, and in the beam; of the power of two
    beam = np.empty(2 * beam_size, SLOT)  # that of the frame before, from slot `old` on, and the new one, from `new` on
    old, new = 0, beam_size  # two arrays that change names would have Numba count references in each frame
    for index in range(2 * beam_size):
        beam[index].kept = -1
    _fill(beam[0], 0, -1, 0, 1.0, 0.0)
    heap, chosen, table = np.empty(beam_size, CANDIDATE), np.empty(num_tokens, CANDIDATE), np.empty(num_tokens, TOKEN)
    for token in range(num_tokens):
        table[token].frame = -1
    taken = np.full((beam_size, num_tokens), -1, np.int32)  # the latest frame in which a slot stood beside its child
    share = np.exp(-beam_threshold)
    for frame in range(num_frames):
        likeliest, worst = _stay(frame, log_probs, table, beam, old, new, size, nodes, taken)
        growths = choose_tokens(frame, log_probs, token_min_logp, table, chosen)
        ranked, best = _rank(frame, chosen, growths, beam, old, new, size, likeliest, worst, share, taken, heap)
        if ranked > 0:
            if count + beam_size > len(nodes):
                nodes = with_room(nodes, count + beam_size)
            count, size = _enter(frame, heap, ranked, best * share, beam, old, new, size, nodes, count)
        elif not (worst > 0 and worst >= best * share):
            size = _drop_unlikely(best * share, beam, new, size, nodes)
        if not _LEAST < best < _MOST:
            exponent += _rescale(best, beam, new, size)
        old, new = new, old
    return _finish(beam, old, size, exponent, nodes, most)


@njit(cache=True, nogil=True)
def _fill(slot: np.record, node: int, parent: int, token: int, blank: float, label: float) -> None:
    slot.node, slot.parent, slot.token = node, parent, token
    slot.blank, slot.label, slot.total = blank, label, blank + label


@njit(cache=True, nogil=True)
def _stay(
    frame: int,
    log_probs: np.ndarray,
    table: np.ndarray,
    beam: np.ndarray,
    old: int,
    new: int,
    size: int,
    nodes: np.ndarray,
    taken: np.ndarray,
) -> tuple[int, float]:
    """Sum the paths that lead to each prefix one frame on, those from the prefix one token shorter among them.

    Returns:
        the place of the likeliest, and the least probability.
    """
    silence, likeliest, best, worst = odds_of(frame, log_probs, 0, table), 0, 0.0, np.inf
    for index in range(size):
        slot, label = beam[old + index], 0.0
        if slot.node > 0:
            odds = odds_of(frame, log_probs, slot.token, table)
            label = slot.label * odds
            above = nodes[slot.parent].place
            if above >= 0:
                taken[above, slot.token] = frame
                label += _grown(beam[old + above], slot.token, odds)
        _fill(beam[new + index], slot.node, slot.parent, slot.token, slot.total * silence, label)
        total = beam[new + index].total
        if total > best:
            likeliest, best = index, total
        worst = worst if total >= worst else total  # or not a number
    return likeliest, worst


@njit(cache=True, nogil=True)
def _grown(slot: np.record, token: int, odds: float) -> float:
    """Probability of the paths by which a prefix grows by a token: a blank must part it from its like."""
    return (slot.blank if slot.token == token else slot.total) * odds


@njit(cache=True, nogil=True)
def _rank(
    frame: int,
    chosen: np.ndarray,
    growths: int,
    beam: np.ndarray,
    old: int,
    new: int,
    size: int,
    likeliest: int,
    worst: float,
    share: float,
    taken: np.ndarray,
    heap: np.ndarray,
) -> tuple[int, float]:
    """Rank the prefixes of the beam one frame on, and those one token longer, by their probability.

    Returns:
        how many are in the heap, 0 where no prefix one token longer is likely enough, and the greatest probability.
    """
    best = beam[new + likeliest].total if size > 0 else 0.0
    best = best if best > 0 else 0.0  # or it is not a number
    ranked, least = 0, best * share
    if size == len(heap):
        least = max(least, worst)
    for turn in range(size):
        index = likeliest if turn == 0 else turn - (turn <= likeliest)  # the likeliest first
        slot = beam[old + index]
        for position in range(growths):
            token, odds = chosen[position].code, chosen[position].score
            if not slot.total * odds >= least:
                break
            score = _grown(slot, token, odds)
            if not (score >= least and score > 0) or taken[index, token] == frame:
                continue
            if ranked == 0:
                ranked = _gather(beam, new, size, heap)
            ranked = offer(heap, ranked, score, token << _SLOT_BITS | index)
            best = max(best, score)
            least = max(best * share, heap[0].score) if ranked == len(heap) else best * share
    return ranked, best


@njit(cache=True, nogil=True)
def _gather(beam: np.ndarray, new: int, size: int, heap: np.ndarray) -> int:
    """Make a heap of the prefixes that stay as they are, and return how many there are."""
    ranked = 0
    for index in range(size):
        if beam[new + index].total > 0:
            heap[ranked].score, heap[ranked].code = beam[new + index].total, index
            ranked += 1
    make_heap(heap, ranked)
    return ranked


@njit(cache=True, nogil=True)
def _enter(
    frame: int,
    heap: np.ndarray,
    ranked: int,
    floor: float,
    beam: np.ndarray,
    old: int,
    new: int,
    size: int,
    nodes: np.ndarray,
    count: int,
) -> tuple[int, int]:
    """Let the prefixes of the heap have the new beam, and return the sizes of the tree and of the beam."""
    for rank in range(ranked):
        if heap[rank].code >> _SLOT_BITS == 0 and heap[rank].score >= floor:
            beam[new + heap[rank].code].kept = frame
    hole = 0
    for rank in range(ranked):
        code, score = heap[rank].code, heap[rank].score
        token, parent = code >> _SLOT_BITS, beam[old + (code & ((1 << _SLOT_BITS) - 1))].node
        if token == 0 or score < floor:
            continue
        while hole < size and beam[new + hole].kept == frame:
            hole += 1
        if hole < size:
            nodes[beam[new + hole].node].place = -1
        else:
            size += 1
        node = child_with(nodes, parent, token, count)
        count = max(count, node + 1)
        nodes[node].place = hole
        _fill(beam[new + hole], node, parent, token, 0.0, score)
        beam[new + hole].kept = frame
    while hole < size:
        if beam[new + hole].kept == frame:
            hole += 1
        else:
            size = _drop(hole, beam, new, size, nodes)
    return count, size


@njit(cache=True, nogil=True)
def _drop(index: int, beam: np.ndarray, new: int, size: int, nodes: np.ndarray) -> int:
    """Take a prefix out of the beam, put the last one in its place, and return the size of the beam."""
    nodes[beam[new + index].node].place = -1
    size -= 1
    if index < size:
        beam[new + index] = beam[new + size]
        nodes[beam[new + index].node].place = index
    return size


@njit(cache=True, nogil=True)
def _drop_unlikely(floor: float, beam: np.ndarray, new: int, size: int, nodes: np.ndarray) -> int:
    index = 0
    while index < size:
        if beam[new + index].total > 0 and beam[new + index].total >= floor:
            index += 1
        else:
            size = _drop(index, beam, new, size, nodes)
    return size


@njit(cache=True, nogil=True)
def _rescale(best: float, beam: np.ndarray, new: int, size: int) -> int:
    """Bring the best prefix near 1, exactly, and return the exponent of the power of two that was taken out."""
    exponent = frexp(best)[1]
    for index in range(size):
        slot = beam[new + index]
        slot.blank, slot.label = ldexp(slot.blank, -exponent), ldexp(slot.label, -exponent)
        slot.total = slot.blank + slot.label
    return exponent


@njit(cache=True, nogil=True)
def _finish(
    beam: np.ndarray, old: int, size: int, exponent: int, nodes: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the scores, lengths and tokens of the best prefixes of the beam."""
    heap = np.empty(max(size, 1), CANDIDATE)
    ended = _gather(beam, old, size, heap)
    sort_best_first(heap, ended)
    ended = min(ended, most)
    lengths = np.zeros(ended, np.int64)
    for rank in range(ended):
        node = beam[old + heap[rank].code].node
        while node > 0:
            lengths[rank] += 1
            node = nodes[node].parent
    tokens = np.zeros((ended, max(lengths) if ended else 0), np.int64)
    for rank in range(ended):
        node = beam[old + heap[rank].code].node
        for position in range(lengths[rank] - 1, -1, -1):
            tokens[rank, position] = nodes[node].token
            node = nodes[node].parent
    return np.log(heap["score"][:ended]) + exponent * np.log(2.0), lengths, tokens
