"""Whether an exported model computes what torch does: the same batches through both, valid frames compared."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqrec.engine import OnnxRecognizer
from seqrec.errors import UserError
from seqrec.recognizer import Recognizer
from seqrec.sequence import Emissions, Features, length_mask

TOLERANCE = 1e-3  # of log-probs, nats
_MOST_FRAMES = (120, 30, 7, 1)  # of the examples of each batch that is drawn at random
_EXAMPLES = 5  # of such a batch
RANDOM_EXAMPLES = len(_MOST_FRAMES) * _EXAMPLES


@dataclass(frozen=True)
class Parity:
    """How far two engines lie apart on some batches."""

    difference: float = 0.0  # the greatest of a log-prob at a valid frame, nats
    examples: int = 0

    def __add__(self, other: Parity) -> Parity:
        return Parity(max(self.difference, other.difference), self.examples + other.examples)


def compare(
    reference: Emissions,
    found: Emissions,
    names: list[str],
    tolerance: float | None = TOLERANCE,
    rounding: Callable[[], float] = lambda: 0.0,
) -> Parity:
    """Compare the log-probs of a batch at its valid frames.

    Args:
        reference: what torch gives.
        found: what the exported model gives.
        names: of the examples, for messages.
        tolerance: the greatest difference that is no mistake; None: any, as long as log-probs are finite.
        rounding: asked only where that is exceeded: how far torch's own rounding moves `reference`. The model may
            round as far the other way.

    Raises:
        UserError: lengths differ, log-probs are not finite, or lie further apart.
    """
    if found.lengths.tolist() != reference.lengths.tolist():
        raise UserError(
            f"the exported model gives {found.lengths.tolist()} frames for {', '.join(names)}, torch "
            f"{reference.lengths.tolist()}; please report this with the run's config.yaml"
        )
    apart = _apart(reference, found)
    greatest = apart.max().item()  # NaN where one is
    most = torch.inf if tolerance is None else tolerance
    if not greatest < most and not greatest < most + 2 * rounding():
        raise UserError(_complaint(apart, reference, found, names))
    return Parity(greatest, len(names))


def frontend_rounding(recognizer: Recognizer, signals: Tensor, lengths: Tensor) -> float:
    """Return how far the log-probs of signals move when a front-end of speech computes in float64.

    In bands far below the loudest sound, float32 leaves few digits of an energy, in torch's FFT as in a graph.
    """
    exact = deepcopy(recognizer.frontend).double()(signals, lengths)  # type: ignore[attr-defined]
    found = recognizer.recognise(Features(exact.values.float(), exact.lengths))
    return _apart(recognizer(signals, lengths), found).max().item()


def _apart(one: Emissions, other: Emissions) -> Tensor:
    """Return how far log-probs (B, T', V) lie apart, zero in the padding."""
    valid = length_mask(one.lengths, one.log_probs.shape[1])[..., None]
    return (other.log_probs - one.log_probs).abs().masked_fill(~valid, 0.0)


def _complaint(apart: Tensor, reference: Emissions, found: Emissions, names: list[str]) -> str:
    place = apart.nan_to_num(nan=torch.inf).argmax().item()
    example, frame, token = (int(index) for index in torch.unravel_index(torch.tensor(place), apart.shape))
    values = [emissions.log_probs[example, frame, token].item() for emissions in (found, reference)]
    return (
        f"the exported model differs from torch by {apart[example, frame, token]:.2g} at {names[example]}, frame "
        f"{frame}, token {token}: log-prob {values[0]:.6g} instead of {values[1]:.6g}, and {TOLERANCE:g} is borne; "
        "please report this with the run's config.yaml"
    )


@torch.inference_mode()
def random_parity(reference: Recognizer, found: OnnxRecognizer, tolerance: float | None) -> Parity:
    """Compare on ragged batches of noise with NaN in the padding, of what goes into the model: signals or features.

    Args:
        reference: torch's.
        found: the exported one.
        tolerance: as of `compare`, whose errors it raises.
    """
    parity = Parity()
    for most_frames in _MOST_FRAMES:
        if found.input == "signals":
            signals, lengths = _random_signals(reference.frontend, most_frames)
            pair = reference(signals, lengths), found(_spoilt(signals, lengths), lengths)
        else:
            values, lengths = _random_features(reference.frontend.num_features, most_frames)
            spoilt = Features(_spoilt(values, lengths), lengths)
            pair = reference.recognise(Features(values, lengths)), found.recognise(spoilt)
        names = [f"row {row} of a random batch of up to {most_frames} frames" for row in range(_EXAMPLES)]
        parity += compare(*pair, names, tolerance)
    return parity


def _spoilt(values: Tensor, lengths: Tensor) -> Tensor:
    return values.masked_fill(~length_mask(lengths, values.shape[1])[..., None], torch.nan)


def _random_signals(frontend: Any, most_frames: int) -> tuple[Tensor, Tensor]:
    """Return noise (B, N, 1), loud and soft, with lengths (B,), one of them shorter than a window."""
    random = torch.Generator().manual_seed(most_frames)
    frames = torch.randint(1, most_frames + 1, (_EXAMPLES,), generator=random)
    lengths = frontend.window + (frames - 1) * frontend.hop
    lengths[0] = frontend.window // 2
    loudness = 10 ** (-3 * torch.rand(_EXAMPLES, 1, generator=random))
    signals = loudness * torch.randn(_EXAMPLES, int(lengths.max()), generator=random)
    return (signals * length_mask(lengths, signals.shape[1]))[..., None], lengths


def _random_features(num_features: int, most_frames: int) -> tuple[Tensor, Tensor]:
    """Return noise (B, T, F) of variance 1 with lengths (B,)."""
    random = torch.Generator().manual_seed(most_frames)
    lengths = torch.randint(1, most_frames + 1, (_EXAMPLES,), generator=random)
    values = torch.randn(_EXAMPLES, int(lengths.max()), num_features, generator=random)
    return values * length_mask(lengths, values.shape[1])[..., None], lengths
