"""The recogniser: front-end, encoder and CTC head, from signals to log-probs."""

from __future__ import annotations

from torch import Tensor, nn

from seqrec.parts import Encoder, FrontEnd
from seqrec.sequence import Emissions, Features


class Recognizer(nn.Module):
    """Gives for each frame the log-probability of each of `num_tokens` tokens; nothing in it knows a modality."""

    def __init__(self, frontend: FrontEnd, encoder: Encoder, num_tokens: int) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder
        self.head = nn.Linear(encoder.output_size, num_tokens)

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        """Return T (B,), the frames that enter the encoder."""
        return self.frontend.frame_lengths(signals, signal_lengths)

    def output_lengths(self, frame_lengths: Tensor) -> Tensor:
        """Return T' (B,), the frames that leave the encoder for T (B,) that enter it."""
        return self.encoder.output_lengths(frame_lengths)

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Emissions:
        """Recognise signals (B, N, C) of lengths (B,)."""
        return self.recognise(self.frontend(signals, signal_lengths))

    def recognise(self, features: Features) -> Emissions:
        """Recognise features (B, T, F)."""
        encoded = self.encoder(features)
        log_probs = self.head(encoded.values).float().log_softmax(dim=-1)  # (B, T', H) -> (B, T', V)
        return Emissions(log_probs, encoded.lengths)
