"""The LSTM encoder by the name that older checkpoints have in their configs."""

from __future__ import annotations

from seqrec.encoders.recurrent import RecurrentEncoder


class LSTMEncoder(RecurrentEncoder):
    """A RecurrentEncoder of LSTM cells; its options and their defaults stay as they are, for the sake of old configs.

    Args:
        input_size: features of a frame.
        hidden_size: cells of a layer and direction.
        num_layers: stacked layers.
        bidirectional: also read backwards, and put both outputs side by side.
        dropout: share of a layer's outputs zeroed in training; one number, or one for each layer.
        stack_size: neighbouring frames joined to one before the first layer.
        stack_stride: frames from one joined frame to the next.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 256,
        num_layers: int = 3,
        bidirectional: bool = True,
        dropout: float | list[float] = 0.1,
        stack_size: int = 1,
        stack_stride: int = 1,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            stack_size=stack_size,
            stack_stride=stack_stride,
        )
