"""Training examples of one word each, planned into lines: anew each epoch, every example once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seqrec.data.dataset import ManifestDataset
from seqrec.errors import UserError
from seqrec.parts import ExampleJoining, Tokenizer

SEPARATOR = " "  # between the texts of joined examples


@dataclass(frozen=True)
class LinePlan:
    """An epoch's training examples, each alone or in a line with others."""

    lines: list[np.ndarray]  # indices of the examples of a line, in its order
    frames: np.ndarray  # (lines,) int32, those of its examples together


def joinable_groups(
    dataset: ManifestDataset, indices: Iterable[int], joining: ExampleJoining, where: str
) -> list[np.ndarray]:
    """Return the examples that may be joined with one another: those of one word, by the value of the key `by`.

    Args:
        dataset: the training split.
        indices: its examples that are trained on.
        joining: says by which key.
        where: the key of the config that `joining` stands under, for messages.

    Raises:
        UserError: the split lies in shards, no row has the key, or the tokenizer has no space.
    """
    if dataset.shards:
        raise UserError(f"{where} joins examples from all over the corpus, which shards cannot give; set shards=null")
    members: dict[str, list[int]] = {}
    for index in indices:
        row = dataset.manifest[index]
        value = row.fields.get(joining.by)
        if value is not None and SEPARATOR not in dataset.tokenizer.normalise(row.text):
            members.setdefault(str(value), []).append(index)
    if not members:
        raise UserError(
            f"{where}.by={joining.by}: no training row of one word has a `{joining.by}`; choose another key of "
            f"{dataset.manifest.path}, or leave {where} out"
        )
    _check_space(dataset.tokenizer, where)
    return [np.array(examples, np.int32) for examples in members.values() if len(examples) > 1]


def _check_space(tokenizer: Tokenizer, where: str) -> None:
    if SEPARATOR in tokenizer.strangers(SEPARATOR.join(tokenizer.symbols[:1] * 2)):
        raise UserError(
            f"{where} joins words by a space, which the alphabet of the training text lacks; add lines to the corpus "
            f"or leave {where} out"
        )


def plan_lines(
    joinable: Sequence[np.ndarray],
    indices: np.ndarray,
    frames: np.ndarray,
    max_frames: int,
    joining: ExampleJoining,
    random: np.random.Generator,
) -> LinePlan:
    """Draw an epoch's lines.

    Args:
        joinable: sets of examples that may be joined with one another.
        indices: the examples that are trained on; each comes once.
        frames: (examples,) frames of each example of the split.
        max_frames: of a line, at most; an example that has more stays alone.
        joining: says how many examples make a line, and how often.
        random: decides.
    """
    lines: list[np.ndarray] = []
    for examples in joinable:
        order = random.permutation(examples)
        wanted = random.integers(2, joining.max_words + 1, len(order))  # of the line that each may begin
        wanted[random.random(len(order)) >= joining.probability] = 1
        reached = np.concatenate([[0], np.cumsum(frames[order], dtype=np.int64)])
        start = 0
        while start < len(order):
            fitting = int(np.searchsorted(reached, reached[start] + max_frames, side="right")) - 1
            end = max(start + 1, min(start + int(wanted[start]), fitting))  # the cut of slices does for the last
            lines.append(order[start:end])
            start = end
    joined = np.concatenate([*joinable, np.empty(0, np.int32)])
    lines += list(np.setdiff1d(indices, joined)[:, None])  # (n,) -> n times (1,)
    return LinePlan(lines, np.array([frames[line].sum() for line in lines], np.int32))
