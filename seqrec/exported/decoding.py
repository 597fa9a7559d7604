"""From log-probs as NumPy arrays to text: the decoders that can do without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from seqrec.errors import UserError
from seqrec.parts import Tokenizer
from seqrec.share import build
from seqrec.transcript import Candidate


@runtime_checkable
class ArrayDecoder(Protocol):
    """A decoder that also takes NumPy arrays: greedy, beam, beam_lm."""

    def spell_with(self, tokenizer: Tokenizer) -> None:
        """Learn what tokens mean, before anything is decoded."""
        ...

    def decode_arrays(self, examples: Sequence[np.ndarray], threads: int = 1) -> list[list[Candidate]]:
        """Return the n-best candidates of each example's log-probs (T', V), the best first."""
        ...


def build_decoder(part: Mapping[str, Any], tokenizer: Tokenizer) -> ArrayDecoder:
    """Construct the decoder that a config names, for the tokens of a model.

    Raises:
        UserError: it has no such options, or needs torch.
    """
    decoder = build(part, "decoder")
    if not isinstance(decoder, ArrayDecoder):
        raise UserError(
            f"the decoder {part['_target_']} takes no arrays (it has no `decode_arrays`); give decoder=greedy or beam, "
            "or transcribe with the run and --engine onnx"
        )
    decoder.spell_with(tokenizer)
    return decoder
