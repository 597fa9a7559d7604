"""The best of many candidates: a heap of records with the worst on top, compiled by Numba."""

from __future__ import annotations

import numpy as np
from numba import njit

CANDIDATE = np.dtype([("score", np.float64), ("code", np.int64)])  # of equal scores the smaller code is better


@njit(cache=True, nogil=True)
def offer(heap: np.ndarray, size: int, score: float, code: int) -> int:
    """Put a candidate into a heap of CANDIDATE (S,), for the worst where it is full, and return its new size."""
    if size == len(heap):
        if _worse(heap[0].score, heap[0].code, score, code):
            _sink(heap, size, score, code, 0)
        return size
    index = size
    while index > 0:
        above = heap[(index - 1) // 2]
        if not _worse(score, code, above.score, above.code):
            break
        heap[index].score, heap[index].code = above.score, above.code
        index = (index - 1) // 2
    heap[index].score, heap[index].code = score, code
    return size + 1


@njit(cache=True, nogil=True)
def make_heap(candidates: np.ndarray, size: int) -> None:
    """Bring the first `size` of CANDIDATE (S,) into the order of a heap."""
    for index in range(size // 2 - 1, -1, -1):
        _sink(candidates, size, candidates[index].score, candidates[index].code, index)


@njit(cache=True, nogil=True)
def sort_best_first(heap: np.ndarray, size: int) -> None:
    """Sort a heap; it is none afterwards."""
    for last in range(size - 1, 0, -1):
        score, code = heap[last].score, heap[last].code
        heap[last].score, heap[last].code = heap[0].score, heap[0].code
        _sink(heap, last, score, code, 0)


@njit(cache=True, nogil=True)
def _worse(score: float, code: int, other_score: float, other_code: int) -> bool:
    return score < other_score or (score == other_score and code > other_code)


@njit(cache=True, nogil=True)
def _sink(heap: np.ndarray, size: int, score: float, code: int, index: int) -> None:
    """Put a candidate in the place `index` of a heap of `size`, or below."""
    while 2 * index + 1 < size:
        below = 2 * index + 1
        if below + 1 < size and _worse(
            heap[below + 1].score, heap[below + 1].code, heap[below].score, heap[below].code
        ):
            below += 1
        if not _worse(heap[below].score, heap[below].code, score, code):
            break
        heap[index].score, heap[index].code = heap[below].score, heap[below].code
        index = below
    heap[index].score, heap[index].code = score, code
