"""Examples, batches and the arithmetic of their lengths.

Legend of shapes, used everywhere:

    B  examples in a batch          N  samples or points of a signal     C  channels of a signal
    T  frames after the front-end   F  features of a frame               H  outputs of the encoder
    T' frames after the encoder     V  tokens with blank                 U  labels of a target
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.weak import WeakTensorKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Length = TypeVar("Length", int, Tensor)


@dataclass(frozen=True)
class Example:
    """One recording or ink, read from its source."""

    id: str
    signal: Tensor  # (N, C) float32
    text: str  # reference as written in the manifest, normalised
    targets: Tensor  # (U,) int64 token numbers, no blank
    seed: int = 0  # of what is drawn for this example in this epoch, below 2**63


@dataclass
class Batch:
    """Examples padded to the longest of them."""

    ids: list[str]
    signals: Tensor  # (B, N, C) float32, zero in the padding
    signal_lengths: Tensor  # (B,) int64
    targets: Tensor  # (B, U) int64, zero in the padding
    target_lengths: Tensor  # (B,) int64
    texts: list[str]
    seeds: Tensor  # (B,) int64, as of `Example`

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """Return the batch with its tensors on `device`."""
        moved = {
            name: value.to(device, non_blocking=non_blocking)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        batch = Batch(**{**vars(self), **moved})
        for name in ("signal_lengths", "targets", "target_lengths"):
            remember_on_cpu(moved[name], on_cpu(getattr(self, name)))
        return batch

    def pin_memory(self) -> Batch:
        """Return the batch in page-locked memory, for fast copies to a GPU."""
        pinned = {name: value.pin_memory() for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Batch(**{**vars(self), **pinned})


@dataclass(frozen=True)
class Features:
    """What a front-end gives the encoder."""

    values: Tensor  # (B, T, F) float32, zero in the padding
    lengths: Tensor  # (B,) int64


@dataclass(frozen=True)
class Emissions:
    """What the recogniser gives the loss and the decoder."""

    log_probs: Tensor  # (B, T', V), token 0 is the blank
    lengths: Tensor  # (B,) int64


def pad_signals(signals: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Pad signals of (N, C) to (B, N, C) with zeros; return them with their lengths (B,)."""
    lengths = torch.tensor([len(signal) for signal in signals], dtype=torch.int64)
    return pad_sequence(list(signals), batch_first=True), lengths


def collate(examples: Sequence[Example]) -> Batch:
    """Pad `examples` to one batch."""
    signals, signal_lengths = pad_signals([example.signal for example in examples])
    targets = [example.targets for example in examples]
    return Batch(
        ids=[example.id for example in examples],
        signals=signals,
        signal_lengths=signal_lengths,
        targets=pad_sequence(targets, batch_first=True),
        target_lengths=torch.tensor([len(target) for target in targets], dtype=torch.int64),
        texts=[example.text for example in examples],
        seeds=torch.tensor([example.seed for example in examples], dtype=torch.int64),
    )


_ON_CPU = WeakTensorKeyDictionary()  # copies of tensors that lie elsewhere


def on_cpu(tensor: Tensor) -> Tensor:
    """Return lengths or targets on the CPU; the same tensor is fetched once, since that waits for the GPU."""
    if tensor.device.type == "cpu":
        return tensor
    if tensor not in _ON_CPU:
        _ON_CPU[tensor] = tensor.cpu()
    copy: Tensor = _ON_CPU[tensor]
    return copy


def remember_on_cpu(tensor: Tensor, copy: Tensor) -> None:
    """Have `on_cpu` return `copy` for `tensor`, so that nothing is fetched; neither may change from here on."""
    if tensor.device.type != "cpu":
        _ON_CPU[tensor] = copy


def map_lengths(function: Callable[[Tensor], Tensor], lengths: Tensor) -> Tensor:
    """Return `function` of lengths (B,), computed on the CPU too, so that `on_cpu` need not fetch it."""
    mapped = function(lengths)
    if lengths.device.type != "cpu":
        remember_on_cpu(mapped, function(on_cpu(lengths)))
    return mapped


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Return a (B, size) mask, true at the valid positions of each row."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def num_windows(length: Length, window: int, hop: int) -> Length:
    """Return how many windows of `window`, `hop` apart, lie wholly inside `length`; at least one, padded if need be."""
    count = (length - window) // hop + 1
    return count.clamp(min=1) if isinstance(count, Tensor) else max(count, 1)
