"""What each kind of part must offer; a class that does so, and a YAML file that names it, is all a new part takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:  # torch takes seconds to import, and what recognises with an exported model does without
    from torch import Tensor

    from seqrec.manifest import Manifest, Row
    from seqrec.sequence import Emissions, Features
    from seqrec.text.tokens import Symbol
    from seqrec.transcript import Candidate

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with an example, though it can be read."""

    name: str  # the same for every example that has it, such as "clipped"
    severity: Severity
    value: str  # what this source shows of it, with its unit
    mend: str


@dataclass(frozen=True)
class Inspection:
    """What a look into a source tells."""

    length: int  # N of its signal
    seconds: float | None  # None: not known
    digest: int  # 64 bits of its content; the same for the same signal
    traits: Mapping[str, str] = field(default_factory=dict)  # what the sources of a corpus should share, such as rates
    problems: tuple[Problem, ...] = ()


class Reader(Protocol):
    """Turns a source into a signal (N, C) float32; each modality has one."""

    source_key: str  # of a row: where its source stands
    length_unit: str  # of N, in the plural
    num_channels: int  # C
    extensions: tuple[str, ...]  # of the files `load` takes, lower case, with the dot
    caches_signals: bool  # whether signals parsed from a manifest's rows are kept beside it

    def signal_length(self, row: Row) -> int:
        """Return N of a manifest's row, without opening its source."""
        ...

    def signal_lengths(self, manifest: Manifest, rows: slice) -> np.ndarray:
        """Return N (rows,) int64 of some rows of a manifest, at once."""
        ...

    def read(self, row: Row, folder: Path, data: bytes | None = None) -> Tensor:
        """Read a manifest's row; `folder` is the manifest's, `data` the content of the row's file, if at hand."""
        ...

    def load(self, source: Any, **options: Any) -> Tensor:
        """Read a path, an array, or the modality's own object."""
        ...

    def inspect(self, row: Row, folder: Path, data: bytes | None = None) -> Inspection:
        """Look into the source of a manifest's row; what `read` refuses is refused in the same words."""
        ...

    def draw(self, signal: Tensor, axes: Any) -> None:
        """Draw a signal (N, C) into Matplotlib's axes."""
        ...


class SignalAugmentation(Protocol):
    """Changes a training signal; `random` alone decides how."""

    acts_on: Literal["signal"]
    num_channels: int  # C

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        """Return another signal (N', C) with the same text; `signal` (N, C) stays as it is."""
        ...


class FeatureAugmentation(Protocol):
    """Changes the features of a training batch; each example's seed alone decides how."""

    acts_on: Literal["features"]
    before_normalisation: bool

    def __call__(self, features: Features, seeds: Tensor) -> Features:
        """Return other features of the same shape; `seeds` (B,) int64 are one an example."""
        ...


class ExampleJoining(Protocol):
    """Joins training examples of one word each to lines, planned anew each epoch."""

    acts_on: Literal["examples"]
    num_channels: int  # C
    by: str  # key of a manifest's rows; examples with the same value of it may be joined
    max_words: int  # examples of a line, at most
    probability: float  # how often an example begins a line, rather than staying alone

    def __call__(self, signals: Sequence[Tensor], random: np.random.Generator) -> Tensor:
        """Return one signal (N, C) of several, in their order; they stay as they are."""
        ...


class FrontEnd(Protocol):
    """Turns signals (B, N, C) into features (B, T, F); an nn.Module."""

    num_channels: int  # C, as its reader gives
    num_features: int  # F
    length_depends_on_content: bool  # whether `frame_lengths` must see the signals

    def __call__(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Compute the features of a batch: `extract`, then `normalise`."""
        ...

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        """Compute the features of a batch before they are normalised."""
        ...

    def normalise(self, features: Features) -> Features:
        """Normalise features, zero in the padding."""
        ...

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,) of each signal, without computing the features."""
        ...

    def frame_positions(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return the borders (B, T + 1) float64 between frames, in samples or points."""
        ...

    def pauses(self, signals: Tensor, signal_lengths: Tensor) -> list[Tensor]:
        """Return each signal's pauses (K, 2) int64: first sample or point, and one behind the last."""
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

    def layer_outputs(self, features: Features) -> list[Features]:
        """Return the outputs of each recurrent layer, the last being what a call returns; for intermediate CTC."""
        ...

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return T' (B,) for T (B,)."""
        ...


class Tokenizer(Protocol):
    """Turns text into the numbers a recogniser gives out, and back; token 0 is the blank."""

    symbols: tuple[str, ...]  # of tokens 1, 2, ...
    spellings: tuple[str, ...]  # what tokens 1, 2, ... add to the text, spaces between words included
    unknown: Literal["error", "drop"]  # what `encode` does with a symbol that has no token

    def __len__(self) -> int:
        """Count the tokens, the blank among them."""
        ...

    def normalise(self, text: str) -> str:
        """Return `text` as it is counted and trained on."""
        ...

    def alphabet(self, texts: Iterable[str]) -> tuple[Symbol, ...]:
        """Return what `symbols` of the constructor should be, taken from the training texts."""
        ...

    def encode(self, text: str, id: str) -> list[int]:
        """Return the tokens of the text of example `id`; a stranger among its symbols is an error, or left out."""
        ...

    def strangers(self, text: str) -> list[str]:
        """Return the symbols of `text` that have no token, sorted."""
        ...

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens, none of which is the blank."""
        ...

    def scored(self, text: str) -> str:
        """Return `text` as references and hypotheses are compared."""
        ...


class Decoder(Protocol):
    """Turns log-probs into tokens; never looks at padded frames."""

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Learn what tokens mean, before anything is decoded; a decoder that only compares log-probs need not."""
        ...

    def decode(self, emissions: Emissions) -> list[list[Candidate]]:
        """Return the n-best candidates of each example, at least one, the best first."""
        ...
