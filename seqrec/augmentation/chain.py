"""The augmentations of a recipe, one after another, each with random numbers of its own.

What is drawn depends on the seed, the epoch, the example's id and the augmentation's name alone: not on the batch, the
rank, the worker or the other augmentations. So a resumed run draws what the uninterrupted one drew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
from torch import Tensor

from seqrec.errors import UserError
from seqrec.parts import ExampleJoining, FeatureAugmentation, FrontEnd, SignalAugmentation
from seqrec.sequence import Batch, Example, Features
from seqrec.share import build

_FEATURES = 0  # draws the seed that feature augmentations get; no name has this check sum

Augmentation = SignalAugmentation | FeatureAugmentation | ExampleJoining


class AugmentationChain:
    """Augmentations by name, in the order of the config; without any, examples stay as they are.

    One part may join examples; it comes first, whatever the order.

    Raises:
        UserError: several parts join examples.
    """

    def __init__(self, parts: Mapping[str, Augmentation] | None = None) -> None:
        self._on_signals: list[tuple[int, SignalAugmentation]] = []
        self._on_features: list[tuple[int, FeatureAugmentation]] = []
        self.joining: ExampleJoining | None = None
        self.joining_name = ""
        for name, part in (parts or {}).items():
            if part.acts_on == "examples":
                if self.joining:
                    raise UserError(f"augmentation: `{self.joining_name}` and `{name}` both join examples; keep one")
                self.joining, self.joining_name = part, name
            elif part.acts_on == "signal":
                self._on_signals.append((crc32(name.encode()), part))
            else:
                self._on_features.append((crc32(name.encode()), part))

    @classmethod
    def build(cls, config: Mapping[str, Any], num_channels: int) -> AugmentationChain:
        """Construct the augmentations that a config names, for signals of `num_channels`; null leaves one out."""
        for name, part in config.items():
            if part is not None and not isinstance(part, Mapping):
                raise UserError(f"augmentation.{name}={part!r} is no part with a _target_; null leaves it out")
        parts = {name: build(part, f"augmentation.{name}") for name, part in config.items() if part is not None}
        for name, part in parts.items():
            if part.acts_on != "features" and part.num_channels != num_channels:
                raise UserError(
                    f"augmentation.{name} changes signals of {part.num_channels} channels, but the reader gives "
                    f"{num_channels}; speech has 1 (augmentation=speech), ink 6 (augmentation=ink)"
                )
        return cls(parts)

    def join(self, signals: Sequence[Tensor], id: str, seed: int, epoch: int) -> Tensor:
        """Return the signal of the line `id` of several examples' `signals`."""
        assert self.joining
        name = crc32(self.joining_name.encode())
        return self.joining(signals, np.random.default_rng((seed, epoch, crc32(id.encode()), name)))

    def plan_random(self, seed: int, epoch: int) -> np.random.Generator:
        """Return what decides which examples of an epoch are joined."""
        return np.random.default_rng((seed, epoch, crc32(self.joining_name.encode())))

    def augment(self, example: Example, seed: int, epoch: int) -> Example:
        """Return `example` with another signal, and the seed that `features` needs."""
        key = (seed, epoch, crc32(example.id.encode()))
        signal = example.signal
        for name, part in self._on_signals:
            signal = part(signal, np.random.default_rng((*key, name)))
        drawn = int(np.random.default_rng((*key, _FEATURES)).integers(2**63)) if self._on_features else 0
        return replace(example, signal=signal, seed=drawn)

    def features(self, frontend: FrontEnd, batch: Batch) -> Features:
        """Compute a training batch's features and change them."""
        if not self._on_features:
            return frontend(batch.signals, batch.signal_lengths)
        features = self._apply(frontend.extract(batch.signals, batch.signal_lengths), batch, True)
        return self._apply(frontend.normalise(features), batch, False)

    def _apply(self, features: Features, batch: Batch, before_normalisation: bool) -> Features:
        for name, part in self._on_features:
            if part.before_normalisation == before_normalisation:
                features = part(features, batch.seeds ^ name)
        return features
