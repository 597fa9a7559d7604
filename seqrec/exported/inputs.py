"""What goes into an exported model, and where its frames lie: samples of a recording, or features of an ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seqrec.formats.ink import STROKE
from seqrec.speech.pauses import find_pauses


class Input(Protocol):
    """A source that has been read."""

    @property
    def values(self) -> np.ndarray:
        """Samples (N,) or features (T, F), float32."""
        ...

    @property
    def length(self) -> int:
        """N, the samples or points of the signal."""
        ...

    @property
    def num_frames(self) -> int:
        """T, the frames that enter the encoder."""
        ...

    @property
    def ink(self) -> np.ndarray | None:
        """The signal (N, 6) of an ink; None of a recording."""
        ...

    def frame_positions(self) -> np.ndarray:
        """Return the borders (T + 1,) float64 between these, in samples or points."""
        ...

    def pauses(self) -> np.ndarray:
        """Return the signal's pauses (K, 2) int64: first sample or point, and one behind the last."""
        ...


@dataclass(frozen=True)
class Recording:
    """Samples for a model with the front-end inside."""

    values: np.ndarray  # (N,) float32
    sample_rate: int
    window: int  # samples of a frame
    hop: int  # samples from frame to frame
    ink = None

    @property
    def length(self) -> int:
        """N."""
        return len(self.values)

    @property
    def num_frames(self) -> int:
        """T: windows that lie wholly inside; one, if there is none."""
        return max((self.length - self.window) // self.hop + 1, 1)

    def frame_positions(self) -> np.ndarray:
        """Return the samples (T + 1,) halfway from one window's middle to the next one's, as `LogMel` does."""
        inner = np.arange(1, self.num_frames) * self.hop + (self.window - self.hop) / 2
        return np.concatenate([[0.0], inner, [float(self.length)]])

    def pauses(self) -> np.ndarray:
        """Return where nobody speaks, (K, 2)."""
        return find_pauses(self.values, self.hop, self.sample_rate)


@dataclass(frozen=True)
class InkFeatures:
    """Features of an ink for a model without a front-end."""

    values: np.ndarray  # (T, F) float32
    positions: np.ndarray  # (T + 1,) float64
    ink: np.ndarray  # the signal (N, 6), as of `Ink.to_signal`

    @property
    def length(self) -> int:
        """N."""
        return len(self.ink)

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.values)

    def frame_positions(self) -> np.ndarray:
        """Return the points (T + 1,) between frames."""
        return self.positions

    def pauses(self) -> np.ndarray:
        """Return where the pen was lifted, (K, 2): twice the point after."""
        starts = np.flatnonzero(np.diff(self.ink[:, STROKE])) + 1
        return np.stack([starts, starts], axis=1)
