"""What each kind of part must offer; a class that does so, and a YAML file that names it, is all a new part takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from seqrec.manifest import Row
from seqrec.sequence import Emissions, Features


class Reader(Protocol):
    """Turns a source into a signal (N, C) float32; each modality has one."""

    num_channels: int  # C
    extensions: tuple[str, ...]  # of the files `load` takes, lower case, with the dot

    def signal_length(self, row: Row) -> int:
        """Return N of a manifest's row, without opening its source."""
        ...

    def read(self, row: Row, folder: Path) -> Tensor:
        """Read a manifest's row; `folder` is the manifest's."""
        ...

    def load(self, source: Any, **options: Any) -> Tensor:
        """Read a path, an array, or the modality's own object."""
        ...


class FrontEnd(Protocol):
    """Turns signals (B, N, C) into features (B, T, F); an nn.Module."""

    num_channels: int  # C, as its reader gives
    num_features: int  # F
    length_depends_on_content: bool  # whether `frame_lengths` must see the signals

    def __call__(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Compute the features of a batch."""
        ...

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without computing the features."""
        ...

    def fit(self, signals: Iterable[Tensor]) -> None:
        """Take statistics from the training signals (N, C); most front-ends need none and look at none."""
        ...


class Encoder(Protocol):
    """Turns features (B, T, F) into (B, T', H), each example alone; an nn.Module built with `input_size` F."""

    output_size: int  # H

    def __call__(self, features: Features) -> Features:
        """Encode a batch, zero in the padding."""
        ...

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return T' (B,) for T (B,)."""
        ...


class Decoder(Protocol):
    """Turns log-probs into tokens."""

    def decode(self, emissions: Emissions) -> list[list[int]]:
        """Return the tokens of each example, without blanks."""
        ...
