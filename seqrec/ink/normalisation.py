"""Ink brought to level lines, upright letters and equal height, before a front-end sees it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqrec.formats.ink import HEIGHT, STROKE, X, Y
from seqrec.ink.core_zone import core_zone
from seqrec.ink.exact_sums import UNITS, exact_sum, to_units
from seqrec.ink.resampling import FLATTEST, least_and_range, stroke_ends
from seqrec.sequence import length_mask

_ELONGATED = 4.0  # variance along over that across a line: rounder ink has no slope
_STEEPEST = 60  # degrees from the upright: flatter segments say nothing of the slant
_SMOOTHING = 5.0  # degrees, of the angle histogram
_ZONES = 3.0  # heights of the core zone in a writing area: ascenders, core, descenders


class InkNormalisation(nn.Module):
    """Corrects slope, slant and height of inks, after Liwicki & Bunke 2006 and Graves et al. 2009.

    Args:
        slope: turn the ink so that the line of least squared distances to its strokes is level; ink that is not four
            times as variable along that line as across it, or stands upright, stays as it is.
        slant: shear the ink so that the commonest direction of its strokes, within 60 degrees of the upright, by
            length, is upright.
        height: make the writing area three times as high as the core zone between corpus line and baseline.
    """

    def __init__(self, slope: bool = False, slant: bool = False, height: bool = False) -> None:
        super().__init__()
        self.slope = slope
        self.slant = slant
        self.height = height

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Tensor:
        """Return other signals (B, N, 6) float64 of the same points; of anything in the padding."""
        signals = signals.double()
        valid = length_mask(signal_lengths, signals.shape[1])
        if self.slope or self.slant or self.height:
            signals = torch.where(valid[..., None], signals, 0.0)
        if self.slope:
            signals = _level(signals, valid)
        if self.slant:
            signals = _upright(signals, valid)
        return _with_zone_height(signals, valid) if self.height else signals


def _segments(signals: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return dx, dy to each point (B, N) and whether it was drawn, and not just stood at."""
    dx, dy = (functional.pad(signals[..., axis].diff(dim=1), (1, 0)) for axis in (X, Y))
    is_first, _ = stroke_ends(signals[..., STROKE], valid)
    return dx, dy, valid & ~is_first & ((dx != 0) | (dy != 0))


def _with_points(signals: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.cat([torch.stack([x, y], dim=2), signals[..., Y + 1 :]], dim=2)


def _level(signals: Tensor, valid: Tensor) -> Tensor:
    """Turn each ink about its first point by the angle of its principal axis."""
    cos, sin = _axis(signals, valid)
    x, y = signals[..., X] - signals[:, :1, X], signals[..., Y] - signals[:, :1, Y]
    return _with_points(signals, x * cos + y * sin + signals[:, :1, X], y * cos - x * sin + signals[:, :1, Y])


def _axis(signals: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (B, 1) of the line's angle to the level; 1 and 0 where the ink is no line."""
    dx, dy, drawn = _segments(signals, valid)
    weight = (dx * dx + dy * dy).sqrt()
    length = exact_sum(weight, drawn)
    length = torch.where(length > 0, length, 1.0)
    mid_x, mid_y = signals[..., X] - dx / 2, signals[..., Y] - dy / 2
    mid_x = mid_x - exact_sum(weight * mid_x, drawn) / length
    mid_y = mid_y - exact_sum(weight * mid_y, drawn) / length
    # A segment's own spread, d d' / 12, makes the moments those of the drawn line, however it was sampled.
    var_x = exact_sum(weight * (mid_x * mid_x + dx * dx / 12), drawn)
    var_y = exact_sum(weight * (mid_y * mid_y + dy * dy / 12), drawn)
    covariance = exact_sum(weight * (mid_x * mid_y + dx * dy / 12), drawn)
    spread = ((var_x - var_y).square() + 4 * covariance.square()).sqrt()  # of the principal variances
    is_line = (var_x > var_y) & (var_x + var_y + spread > _ELONGATED * (var_x + var_y - spread))
    # Half the angle of (var_x - var_y, 2 covariance) by roots alone, which round alike in all positions.
    spread = torch.where(is_line, spread, 1.0)
    cos = torch.where(is_line, ((1 + (var_x - var_y) / spread) / 2).sqrt(), 1.0)
    return cos, torch.where(is_line, covariance / (spread * cos), 0.0)


def _upright(signals: Tensor, valid: Tensor) -> Tensor:
    """Shear each ink about its first point by its slant."""
    slant = _slant(signals, valid)
    return _with_points(signals, signals[..., X] + slant * (signals[..., Y] - signals[:, :1, Y]), signals[..., Y])


def _slant(signals: Tensor, valid: Tensor) -> Tensor:
    """Return the tangent (B, 1) of the commonest angle from the upright, positive where tops lean to the right."""
    dx, dy, drawn = _segments(signals, valid)
    weight = (dx * dx + dy * dy).sqrt().masked_fill(~drawn, 0.0)
    total = weight.amax(dim=1, keepdim=True)
    edges = torch.tensor(
        [math.tan(math.radians(k + 0.5)) for k in range(-_STEEPEST - 1, _STEEPEST + 1)], dtype=dx.dtype
    )
    leaning = torch.where(dy < 0, dx, -dx) / dy.abs()  # infinite where level
    size = 2 * _STEEPEST + 1
    bins = torch.bucketize(leaning, edges.to(dx.device)) - 1
    bins = bins.masked_fill((bins < 0) | ~drawn, size)  # the last one is left out
    amounts = to_units(weight / torch.where(total > 0, total, 1.0), UNITS)
    histogram = torch.zeros(len(bins), size + 1, dtype=torch.int64, device=bins.device).scatter_add_(1, bins, amounts)
    tangents = torch.tensor([math.tan(math.radians(k)) for k in range(-_STEEPEST, _STEEPEST + 1)], dtype=dx.dtype)
    return tangents.to(dx.device)[_smooth_peak(histogram[:, :size]) + _STEEPEST]


def _smooth_peak(histogram: Tensor) -> Tensor:
    """Return the degrees (B, 1) of the peak of histograms (B, degrees), smoothed; 0 where they are empty."""
    degrees = torch.arange(-_STEEPEST, _STEEPEST + 1, device=histogram.device)
    distance = (degrees[:, None] - degrees).double() / _SMOOTHING
    kernel = (torch.exp(-distance.square() / 2) * 1024).round().long()  # whole numbers: exact sums
    smooth = (histogram[:, :, None] // 1024 * kernel).sum(dim=1)
    # Of equal peaks the one nearest to the upright.
    best = (smooth == smooth.amax(dim=1, keepdim=True)) & (histogram.sum(dim=1, keepdim=True) > 0)
    nearest = degrees.abs().masked_fill(~best, 2 * _STEEPEST).argmin(dim=1)
    return torch.where(best.any(dim=1), degrees[nearest], 0)[:, None]


def _with_zone_height(signals: Tensor, valid: Tensor) -> Tensor:
    corpus_line, baseline = core_zone(signals, valid)
    zone = _ZONES * (baseline - corpus_line)
    zone = torch.maximum(zone, FLATTEST * least_and_range(signals[..., X], valid)[1])
    height = torch.where(zone > 0, zone, signals[:, :1, HEIGHT]).expand_as(valid)
    return torch.cat([signals[..., :HEIGHT], height[..., None]], dim=2)
