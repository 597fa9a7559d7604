"""CTC forced alignment: which frame belongs to which label of a known target.

The likeliest path (Viterbi) through the states of Graves et al. 2006, figure 3: a blank, the first label, a blank, the
second label, ..., a blank. Scores add up in float64, since float32 sums of a thousand frames lose what tells two near
paths apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqrec.sequence import Emissions, length_mask

BEFORE = 2  # columns before the states: no state two to the left of the first, and the start one to the left of it


@dataclass(frozen=True)
class Alignment:
    """The best path of each target of a batch through its frames."""

    labels: Tensor  # (B, T') int64: which label of its target (0-based) a frame belongs to; -1 on blanks and padding
    log_probs: Tensor  # (B,) float64 of the best path; -inf where the target cannot fit its frames: all labels are -1
    num_labels: int  # U, labels of the padded targets

    def starts(self) -> Tensor:
        """Return (B, U) int64, the first frame of each label; 0 in the padding."""
        before = torch.nn.functional.pad(self.labels[:, :-1], (1, 0), value=-1)
        return self._frames_where(self.labels != before)

    def ends(self) -> Tensor:
        """Return (B, U) int64, the frame behind the last of each label; 0 in the padding."""
        behind = torch.nn.functional.pad(self.labels[:, 1:], (0, 1), value=-1)
        return self._frames_where(self.labels != behind, shift=1)

    def _frames_where(self, edges: Tensor, shift: int = 0) -> Tensor:
        examples, frames = (edges & (self.labels >= 0)).nonzero(as_tuple=True)
        found = self.labels.new_zeros(len(self.labels), self.num_labels)
        found[examples, self.labels[examples, frames]] = frames + shift
        return found


@torch.no_grad()
def align(emissions: Emissions, targets: Tensor, target_lengths: Tensor) -> Alignment:
    """Find the likeliest path of each target; of equally likely ones, that whose labels come first.

    Exact, for each example alone; never looks at padding. Memory: a byte for each of T' * B * (2U + 1) states, so that
    5 minutes of speech at 33 frames and 15 characters a second take 90 MB; make batches of similar lengths.

    Args:
        emissions: log-probs (B, T', V) and their lengths (B,); token 0 is the blank.
        targets: (B, U) token numbers, none of them the blank, padded with anything.
        target_lengths: (B,) labels of each target.
    """
    log_probs, device = emissions.log_probs, emissions.log_probs.device
    target_lengths = target_lengths.to(device)
    lengths, order = emissions.lengths.to(device).sort(descending=True, stable=True)  # the longest stand in front
    num_frames = int(lengths.max()) if len(lengths) else 0
    running = (lengths > torch.arange(num_frames, device=device)[:, None]).sum(dim=1).tolist()
    # index_select and index_copy_, since `x[order]` starts threads for a few kilobytes: 50 ms where cores are busy.
    tokens = _state_tokens(targets.to(device), target_lengths).index_select(0, order)
    scores, steps = _best_steps(log_probs.index_select(0, order), tokens, running)
    last = 2 * target_lengths.index_select(0, order)[:, None] + BEFORE  # column of the blank behind the last label
    in_blank, in_label = scores.gather(1, last), scores.gather(1, last - 1)  # the two places a path may end in
    best = torch.maximum(in_blank, in_label)
    states = _trace_back(steps, (last - BEFORE - (in_label > in_blank).long()).clamp(min=0)[:, 0], running)
    found = torch.where((states % 2 == 1) & best.isfinite(), states // 2, -1)
    labels = torch.full(log_probs.shape[:2], -1, device=device)
    labels[:, :num_frames].index_copy_(0, order, found)
    return Alignment(labels, torch.empty_like(best).index_copy_(0, order, best)[:, 0], targets.shape[1])


def _state_tokens(targets: Tensor, target_lengths: Tensor) -> Tensor:
    """Return (B, 2U + 1) the token of each state: labels at odd places, blanks around them and in the padding."""
    tokens = targets.new_zeros(len(targets), 2 * targets.shape[1] + 1, dtype=torch.int64)
    tokens[:, 1::2] = targets * length_mask(target_lengths, targets.shape[1])
    return tokens


def _best_steps(log_probs: Tensor, tokens: Tensor, running: list[int]) -> tuple[Tensor, Tensor]:
    """Run the recursion over frames; the first `running[frame]` examples have that frame.

    Returns:
        (B, BEFORE + S) float64 scores of each state at each example's own last frame, and
        (T', B, S) uint8 how many states to the left its best path came from; 3 stands for 2.
    """
    num_examples, num_states = tokens.shape
    scores = torch.full((num_examples, BEFORE + num_states), -torch.inf, dtype=torch.float64, device=tokens.device)
    scores[:, BEFORE - 1] = 0.0  # the start, from where the first frame reaches the first blank and the first label
    left = torch.nn.functional.pad(tokens, (BEFORE, 0), value=-1)[:, :-BEFORE]
    skip = torch.where(tokens != left, 0.0, -torch.inf).double()  # past a blank that parts unlike labels
    steps = torch.empty(len(running), num_examples, num_states, dtype=torch.uint8, device=tokens.device)
    for frame, count in enumerate(running):
        here = scores[:count]
        stay, one, two = here[:, 2:], here[:, 1:-1], here[:, :-2] + skip[:count]
        best = torch.maximum(stay, one)
        torch.add((one > stay).byte(), (two > best).byte(), alpha=2, out=steps[frame, :count])
        torch.maximum(best, two, out=best)
        here[:, BEFORE:] = best + log_probs[:count, frame].double().gather(1, tokens[:count])
        here[:, BEFORE - 1] = -torch.inf
    return scores, steps


def _trace_back(steps: Tensor, states: Tensor, running: list[int]) -> Tensor:
    """Return (B, T') the state of each frame of the path that ends in `states` (B,); 0 in the padding."""
    path = torch.zeros(len(states), len(running), dtype=torch.int64, device=states.device)
    states = states.clone()
    for frame in reversed(range(len(running))):
        here = states[: running[frame]]
        path[: running[frame], frame] = here
        here -= steps[frame, : running[frame]].gather(1, here[:, None])[:, 0].clamp(max=2)
    return path
