"""The latency-controlled BiLSTM against cells stepped chunk by chunk; it sees no further ahead than it says."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ragged import check_padding_invariance, ragged, soil
from torch import Tensor, nn

from seqrec.encoders.lstm import LSTMEncoder
from seqrec.encoders.streaming_chunks import ChunkedBiLSTMEncoder
from seqrec.sequence import Features

LENGTHS = [11, 1, 4, 10, 6]
SIZES = pytest.mark.parametrize(("chunk_size", "right_context"), [(1, 0), (1, 2), (3, 0), (4, 2), (3, 5), (20, 3)])


def cell_of(lstm: nn.LSTM, suffix: str) -> nn.LSTMCell:
    cell = nn.LSTMCell(lstm.input_size, lstm.hidden_size)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(cell, name).data.copy_(getattr(lstm, f"{name}_l0{suffix}"))
    return cell


@torch.no_grad()
def stream(encoder: ChunkedBiLSTMEncoder, frames: Tensor) -> list[Tensor]:
    """Run over the frames (T, F) of one example as they come, with nothing but a cell; return what each layer gives."""
    states = [(torch.zeros(layer.cells.hidden_size),) * 2 for layer in encoder.layers]
    outputs: list[list[Tensor]] = [[] for _ in encoder.layers]
    for begin in range(0, len(frames), encoder.chunk_size):
        seen = list(frames[begin : begin + encoder.chunk_size + encoder.right_context])
        for number, layer in enumerate(encoder.layers):
            ahead, back = cell_of(layer.cells, ""), cell_of(layer.cells, "_reverse")
            forward, backward = [], []
            state = states[number]
            for t, frame in enumerate(seen):
                state = ahead(frame, state)
                forward.append(state[0])
                if t == encoder.chunk_size - 1:
                    states[number] = state
            state = (torch.zeros(layer.cells.hidden_size),) * 2
            for frame in reversed(seen):
                state = back(frame, state)
                backward.insert(0, state[0])
            seen = [torch.cat(both) for both in zip(forward, backward, strict=True)]
            outputs[number] += seen[: encoder.chunk_size]
    return [torch.stack(rows) for rows in outputs]


@SIZES
def test_equal_to_cells_stepped_as_frames_come(chunk_size: int, right_context: int) -> None:
    torch.manual_seed(0)
    encoder = ChunkedBiLSTMEncoder(3, 4, 3, chunk_size=chunk_size, right_context=right_context).eval()
    batch = ragged(LENGTHS, 3)
    found = encoder.layer_outputs(batch)
    for i, length in enumerate(LENGTHS):
        for output, expected in zip(found, stream(encoder, batch.values[i, :length]), strict=True):
            torch.testing.assert_close(output.values[i, :length], expected, atol=1e-6, rtol=0)
    assert found[-1].values.equal(encoder(batch).values)


@SIZES
@pytest.mark.parametrize("stacks", [(1, 1), (3, 2)])
def test_an_example_is_the_same_alone_and_beside_others(
    chunk_size: int, right_context: int, stacks: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    encoder = ChunkedBiLSTMEncoder(3, 4, 2, 0.1, chunk_size, right_context, *stacks).eval()
    check_padding_invariance(encoder, ragged(LENGTHS, 3))


@pytest.mark.parametrize("padding", [1e9, float("nan")])
def test_garbage_in_the_padding_reaches_no_gradient(padding: float) -> None:
    torch.manual_seed(0)
    encoder = ChunkedBiLSTMEncoder(3, 4, 2, dropout=0.0, chunk_size=3, right_context=2)
    batch = ragged(LENGTHS, 3)
    clean, dirty = (
        torch.autograd.grad(encoder(features).values.square().sum(), list(encoder.parameters()))
        for features in (batch, soil(batch, padding))
    )
    for first, second in zip(clean, dirty, strict=True):
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("right_context", [0, 4])
def test_a_chunk_as_long_as_the_input_is_the_plain_bilstm(right_context: int) -> None:
    torch.manual_seed(0)
    plain = LSTMEncoder(3, 4, 3, dropout=0.0)
    encoder = ChunkedBiLSTMEncoder(3, 4, 3, 0.0, chunk_size=max(LENGTHS), right_context=right_context)
    encoder.load_state_dict(plain.state_dict())
    batch = ragged(LENGTHS, 3)
    for found, expected in zip(encoder.layer_outputs(batch), plain.layer_outputs(batch), strict=True):
        torch.testing.assert_close(found.values, expected.values, atol=1e-6, rtol=0)
    gradients = [
        torch.autograd.grad(model(batch).values.square().sum(), list(model.parameters())) for model in (encoder, plain)
    ]
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@given(st.integers(1, 5), st.integers(0, 4), st.sampled_from([(1, 1), (2, 2), (3, 2)]), st.integers(0, 24))
@settings(deadline=None, max_examples=20)
@torch.no_grad()
def test_no_output_changes_with_frames_beyond_the_look_ahead(
    chunk_size: int, right_context: int, stacks: tuple[int, int], changed: int
) -> None:
    torch.manual_seed(0)
    size, stride = stacks
    encoder = ChunkedBiLSTMEncoder(2, 3, 2, 0.1, chunk_size, right_context, size, stride).eval()
    values = ragged([25], 2).values
    other = values.clone()
    other[:, changed:] += 1
    length = torch.tensor([25])
    first, second = (encoder(Features(frames, length)).values[0] for frames in (values, other))
    safe = [t for t in range(len(first)) if t * stride + encoder.lookahead_frames < changed]
    assert first[safe].equal(second[safe])


@torch.no_grad()
def test_the_look_ahead_is_no_longer_than_it_says() -> None:
    """The first frame of a chunk changes with the last frame that it is said to wait for."""
    torch.manual_seed(0)
    encoder = ChunkedBiLSTMEncoder(2, 3, 3, 0.1, 4, 2, 3, 2).eval()
    assert encoder.lookahead_frames == 5 * 2 + 2
    values = ragged([41], 2).values
    other = values.clone()
    other[:, 8 * 2 + encoder.lookahead_frames] += 1  # stacked frame 8 begins the third chunk
    first, second = (encoder(Features(frames, torch.tensor([41]))).values[0] for frames in (values, other))
    assert first[:8].equal(second[:8])
    assert (first[8] - second[8]).abs().max() > 0


def test_bfloat16_is_close_to_float32() -> None:
    torch.manual_seed(0)
    encoder = ChunkedBiLSTMEncoder(8, 16, 3, 0.0, chunk_size=8, right_context=4)
    batch = ragged([40, 22], 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encoder(batch).values.float()
    assert 0 < (rough - encoder(batch).values).abs().max() < 0.03
    rough.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in encoder.parameters())


def test_dropout_of_each_layer_in_training_alone() -> None:
    torch.manual_seed(0)
    encoder = ChunkedBiLSTMEncoder(4, 16, 2, [0.0, 0.75])
    batch = ragged([200, 200], 4)
    first, second = encoder.layer_outputs(batch)
    assert not first.values.eq(0).any()
    assert 0.72 < second.values.eq(0).float().mean() < 0.78
    assert not encoder.eval()(batch).values.eq(0).any()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"chunk_size": 0}, "chunk_size=0"),
        ({"right_context": -1}, "right_context=-1"),
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"dropout": [0.1]}, r"dropout=\[0\.1\]"),
        ({"stack_size": 0}, "stack_size=0"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ChunkedBiLSTMEncoder(3, **options)
