"""SpecAugment: features of a batch masked over frames and over bands, and warped in time."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from seqrec.augmentation.counter_random import splitmix64, whole_numbers
from seqrec.sequence import Features, length_mask


class SpecAugment:
    """SpecAugment of Park et al. 2019 (arXiv 1904.08779): warp time, then mask blocks of bands and of frames.

    A block's size is uniform from 0 to its greatest, and its place uniform among those where it lies wholly inside the
    bands or the example's valid frames. What is masked gets the mean: 0 after normalisation, before it each band's mean
    over the example's valid frames. Where deltas stand behind the bands, a block of bands may lie among them.

    Args:
        num_frequency_masks: blocks of bands; 0 for features that are no bands, such as those of ink.
        frequency_mask_size: bands of a block, at most.
        num_time_masks: blocks of frames.
        time_mask_size: frames of a block, at most.
        max_time_share: share of an example's frames that a block of frames may have, at most.
        time_warp: frames that a random frame is moved by, at most, the ends staying where they are; 0: none.
        before_normalisation: act before the front-end normalises; an utterance's statistics then see the masks.

    Raises:
        ValueError: a number or a size is negative, or the share lies outside 0 to 1.
    """

    acts_on: Literal["features"] = "features"

    def __init__(
        self,
        num_frequency_masks: int = 2,
        frequency_mask_size: int = 27,
        num_time_masks: int = 2,
        time_mask_size: int = 50,
        max_time_share: float = 0.2,
        time_warp: int = 0,
        before_normalisation: bool = False,
    ) -> None:
        for name, value in (
            ("num_frequency_masks", num_frequency_masks),
            ("frequency_mask_size", frequency_mask_size),
            ("num_time_masks", num_time_masks),
            ("time_mask_size", time_mask_size),
            ("time_warp", time_warp),
        ):
            if value < 0:
                raise ValueError(f"{name}={value} is negative; give 0 for none")
        if not 0 <= max_time_share <= 1:
            raise ValueError(f"max_time_share={max_time_share}: needs a share from 0 to 1")
        self.num_frequency_masks = num_frequency_masks
        self.frequency_mask_size = frequency_mask_size
        self.num_time_masks = num_time_masks
        self.time_mask_size = time_mask_size
        self.max_time_share = max_time_share
        self.time_warp = time_warp
        self.before_normalisation = before_normalisation

    def __call__(self, features: Features, seeds: Tensor) -> Features:
        """Return features (B, T, F) of the same lengths; the padding stays as it is."""
        counts = (2, 2 * self.num_frequency_masks, 2 * self.num_time_masks)
        of_warp, of_bands, of_frames = splitmix64(seeds, sum(counts)).split(counts, dim=1)
        values, lengths = features.values, features.lengths
        valid = length_mask(lengths, values.shape[1])
        if self.time_warp:
            values = torch.where(valid[..., None], _warped(values, lengths, self.time_warp, of_warp), values)
        bands = self._bands(values.shape[2], of_bands)
        masked = (self._frames(values.shape[1], lengths, of_frames)[:, :, None] | bands[:, None]) & valid[..., None]
        if self.before_normalisation:
            sums = values.masked_fill(~valid[..., None], 0.0).sum(1, keepdim=True)
            return Features(torch.where(masked, sums / lengths[:, None, None], values), lengths)
        return Features(values.masked_fill(masked, 0.0), lengths)

    def _bands(self, num_features: int, bits: Tensor) -> Tensor:
        """Return which bands (B, F) are masked."""
        size = torch.full((len(bits), 1), min(self.frequency_mask_size, num_features), device=bits.device)
        return _blocks(bits, size, torch.full_like(size, num_features), num_features)

    def _frames(self, num_frames: int, lengths: Tensor, bits: Tensor) -> Tensor:
        """Return which frames (B, T) are masked."""
        size = (lengths * self.max_time_share).long().clamp(max=self.time_mask_size)
        return _blocks(bits, size[:, None], lengths[:, None], num_frames)


def _blocks(bits: Tensor, greatest: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Return the union (B, size) of random blocks, at most `greatest` (B, 1) long, within `lengths` (B, 1)."""
    of_sizes, of_starts = bits.chunk(2, dim=1)  # (B, 2 * masks) -> (B, masks) each
    sizes = whole_numbers(of_sizes, greatest + 1)
    starts = whole_numbers(of_starts, lengths - sizes + 1)
    places = torch.arange(size, device=bits.device)
    inside = (places >= starts[..., None]) & (places < (starts + sizes)[..., None])  # (B, masks, size)
    return inside.any(dim=1)


def _warped(values: Tensor, lengths: Tensor, greatest: int, bits: Tensor) -> Tensor:
    """Move a random frame of each example by up to `greatest` frames and interpolate linearly; ends stay."""
    last = lengths[:, None] - 1
    reach = ((last - 2) // 2).clamp(0, greatest)  # short examples have less room
    source = reach + 1 + whole_numbers(bits[:, :1], (last - 2 * reach - 1).clamp(min=1))
    target = source - reach + whole_numbers(bits[:, 1:], 2 * reach + 1)
    frames = torch.arange(values.shape[1], device=values.device)
    before = frames * (source / target)
    after = source + (frames - target) * ((last - source) / (last - target).clamp(min=1))
    places = torch.where(frames < target, before, after).clamp(min=0).minimum(last)  # (B, T)
    left = places.long()
    right = (left + 1).minimum(last)
    weight = (places - left)[..., None]
    return _frames_at(values, left) * (1 - weight) + _frames_at(values, right) * weight


def _frames_at(values: Tensor, indices: Tensor) -> Tensor:
    """Return the frames of values (B, T, F) at indices (B, T')."""
    return values.gather(1, indices[..., None].expand(-1, -1, values.shape[2]))
