"""Reads the ink of a manifest's row as a signal."""

from __future__ import annotations

from pathlib import Path
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqrec.errors import UserError
from seqrec.formats.ink import NUM_CHANNELS, Ink
from seqrec.formats.ink_files import EXTENSIONS, ink_from_json, parse_ink, read_ink
from seqrec.ink.inspection import draw_ink, inspect_signal

if TYPE_CHECKING:
    from torch import Tensor

    from seqrec.manifest import Manifest, Row
    from seqrec.parts import Inspection


class InkReader:
    """The reader of ink; the columns of its signals (N, 6) are those of `Ink.to_signal`."""

    num_channels = NUM_CHANNELS
    extensions = EXTENSIONS
    source_key = "ink"
    length_unit = "points"
    caches_signals = True  # parsing takes far longer than reading them back, and they are small

    def signal_length(self, row: Row) -> int:
        """Return N of a row of a manifest, from its `num_points` or its inline ink, opening nothing.

        Raises:
            UserError: `num_points` is no positive whole number, or is missing where the ink is a file.
        """
        count = row.fields.get("num_points")
        if count is None and isinstance(row.fields.get("ink"), dict):
            return _read_row(row, Path()).num_points
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise UserError(
                f"example `{row.id}`: `num_points` is {short_repr(count)}, not a count; prepare the corpus again"
            )
        return count

    def signal_lengths(self, manifest: Manifest, rows: slice) -> np.ndarray:
        """Return N (rows,) int64 of some rows of a manifest, as `signal_length` does."""
        lengths = manifest.numbers("num_points", rows).astype(np.int64)
        for index in np.flatnonzero(lengths < 1):
            lengths[index] = self.signal_length(manifest[range(len(manifest))[rows][index]])
        return lengths

    def read(self, row: Row, folder: Path, data: bytes | None = None) -> Tensor:
        """Return the signal (N, 6) float32 of a row: `ink` is inline, a path relative to `folder`, or `data` its file.

        Raises:
            UserError: the ink is missing or malformed; named by the row's id.
        """
        return _to_tensor(_read_row(row, folder, data))

    def inspect(self, row: Row, folder: Path, data: bytes | None = None) -> Inspection:
        """Look into the ink of a row."""
        return inspect_signal(_read_row(row, folder, data).to_signal())

    def draw(self, signal: Tensor, axes: Any) -> None:
        """Draw the strokes of a signal (N, 6) into Matplotlib's axes."""
        draw_ink(signal, axes)

    def load(self, source: str | Path | Ink | np.ndarray | list[Any]) -> Tensor:
        """Return the signal (N, 6) float32 of a file, an ink, a list of strokes, or one stroke as an array (n, 2..4).

        Raises:
            UserError: the source holds no well-formed ink.
        """
        if isinstance(source, Ink):
            return _to_tensor(source)
        if isinstance(source, (str, Path)):
            return _to_tensor(read_ink(Path(source)))
        return _to_tensor(Ink.from_strokes([source] if isinstance(source, np.ndarray) else source))


def _read_row(row: Row, folder: Path, data: bytes | None = None) -> Ink:
    source = row.fields.get("ink")
    try:
        if isinstance(source, dict):
            return ink_from_json(source)
        if isinstance(source, str):
            return read_ink(folder / source) if data is None else parse_ink(data, source)
    except UserError as error:
        raise UserError(f"example `{row.id}`: {error}") from None
    raise UserError(
        f'example `{row.id}`: `ink` is {short_repr(source)}; give a path or {{"strokes": [[[x, y, t], ...], ...]}}'
    )


def _to_tensor(ink: Ink) -> Tensor:
    return torch.from_numpy(ink.to_signal())
