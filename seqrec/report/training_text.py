"""The words a recogniser was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from seqrec.manifest import Manifest, Row
from seqrec.parts import Tokenizer

Track = Callable[[Iterable[Row]], Iterable[Row]]  # shows progress over rows


def training_words(manifest: Path, tokenizer: Tokenizer, track: Track = iter) -> frozenset[str] | None:
    """Return the words of a training manifest's texts, normalised; None where the manifest is not at hand."""
    if not manifest.is_file():
        return None
    return frozenset(word for row in track(Manifest(manifest)) for word in tokenizer.normalise(row.text).split())
