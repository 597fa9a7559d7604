"""The tree of a plain beam search's prefixes, in which each exists once, compiled by Numba."""

from __future__ import annotations

import numpy as np
from numba import njit

# A tree of prefixes, 0 the empty one.
NODE = np.dtype(
    [
        ("parent", np.int32),
        ("token", np.int32),  # the last of the prefix; 0 for the empty one
        ("child", np.int32),  # the one that came last, or -1
        ("sibling", np.int32),  # the next child of the parent, or -1
        ("place", np.int32),  # slot in the beam, or -1
    ]
)


@njit(cache=True, nogil=True)
def child_with(nodes: np.ndarray, parent: int, token: int, count: int) -> int:
    """Return the prefix one token longer, which is put behind the `count` there are where it was never kept."""
    node = nodes[parent].child
    while node >= 0 and nodes[node].token != token:
        node = nodes[node].sibling
    if node >= 0:
        return node
    new = nodes[count]
    new.parent, new.token, new.child, new.sibling = parent, token, -1, nodes[parent].child
    nodes[parent].child = count
    return count


@njit(cache=True, nogil=True)
def with_room(nodes: np.ndarray, count: int) -> np.ndarray:
    """Return a tree that holds `count` prefixes: this one, or a copy twice as large."""
    if count <= len(nodes):
        return nodes
    larger = np.empty(max(count, 2 * len(nodes)), NODE)
    larger[: len(nodes)] = nodes
    return larger
