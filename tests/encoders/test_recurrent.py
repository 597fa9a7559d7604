"""Recurrent encoders: torch's own stacks, exact beside any padding, with every combination of options."""

from __future__ import annotations

import itertools

import pytest
import torch
import yaml
from ragged import check_padding_invariance, ragged, soil
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqrec.encoders.recurrent import RecurrentEncoder, RecurrentStack
from seqrec.sequence import Features
from seqrec.share import build, share_folder

LENGTHS = [7, 1, 4, 7, 2]
CELLS = ["lstm", "gru", "rnn"]
ALL_CELLS = pytest.mark.parametrize("cell", CELLS)
MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@ALL_CELLS
@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_encoder_is_torchs_stack_with_the_same_weights(cell: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(3, 5, 3, cell, bidirectional).eval()
    theirs = MODULES[cell](3, 5, num_layers=3, bidirectional=bidirectional, batch_first=True)
    for number, layer in enumerate(encoder.layers):
        for name, weight in layer.cells.named_parameters():
            getattr(theirs, name.replace("_l0", f"_l{number}")).data.copy_(weight)
    batch = ragged(LENGTHS, 3)
    packed = pack_padded_sequence(batch.values, batch.lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    torch.testing.assert_close(encoder(batch).values, expected, atol=1e-6, rtol=0)
    assert sum(p.numel() for p in encoder.parameters()) == sum(p.numel() for p in theirs.parameters())


@ALL_CELLS
@pytest.mark.parametrize("bidirectional", [True, False])
def test_an_example_is_the_same_alone_and_beside_others(cell: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    flags = itertools.product([None, 3], [False, True], [False, True], ["concat", "sum"], [(1, 1), (3, 2)])
    for projection, layer_norm, residual, merge, (size, stride) in flags:
        encoder = RecurrentEncoder(
            3,
            4,
            2,
            cell,
            bidirectional,
            projection=projection,
            layer_norm=layer_norm,
            residual=residual,
            merge=merge,
            locked_dropout=True,
            weight_dropout=0.5,
            stack_size=size,
            stack_stride=stride,
        )
        for name, weight in encoder.named_parameters():
            if name.endswith("bias"):
                nn.init.normal_(weight)  # what a bias leaves in the padding must go
        check_padding_invariance(encoder.eval(), ragged(LENGTHS, 3))


@pytest.mark.parametrize(
    ("name", "cell", "output_size"),
    [
        ("lstm", "lstm", 4),
        ("bilstm", "lstm", 8),
        ("gru", "gru", 4),
        ("bigru", "gru", 8),
        ("rnn", "rnn", 4),
        ("birnn", "rnn", 8),
        ("chunked_bilstm", "lstm", 8),
        ("lookahead_lstm", "lstm", 4),
    ],
)
def test_encoders_by_their_names_in_configs(name: str, cell: str, output_size: int) -> None:
    part = yaml.safe_load((share_folder("conf") / "encoder" / f"{name}.yaml").read_text())
    encoder = build({**part, "hidden_size": 4}, "encoder", input_size=3).eval()
    assert encoder.output_size == output_size
    assert [layer.cell for layer in encoder.layers] == [cell] * 3
    check_padding_invariance(encoder, ragged(LENGTHS, 3))


@ALL_CELLS
@pytest.mark.parametrize("padding", [1e9, float("nan")])
def test_garbage_in_the_padding_reaches_no_gradient(cell: str, padding: float) -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(
        3, 4, 2, cell, dropout=0.0, projection=3, layer_norm=True, residual=True, stack_size=2, stack_stride=1
    )
    batch = ragged(LENGTHS, 3)
    clean, dirty = (
        torch.autograd.grad(encoder(features).values.square().sum(), list(encoder.parameters()))
        for features in (batch, soil(batch, padding))
    )
    for first, second in zip(clean, dirty, strict=True):
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


def test_layer_outputs_are_those_of_each_layer_and_the_last_is_the_encoders() -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(3, 4, 3, stack_size=2, stack_stride=2).eval()
    batch = ragged(LENGTHS, 3)
    outputs = encoder.layer_outputs(batch)
    assert len(outputs) == 3
    features = encoder.stacking(batch)
    for layer, output in zip(encoder.layers, outputs, strict=True):
        features = Features(layer(features.values, features.lengths), features.lengths)
        assert output.values.equal(features.values)
        assert output.lengths.equal(encoder.output_lengths(batch.lengths))
    assert outputs[-1].values.equal(encoder(batch).values)


def test_a_residual_layer_adds_its_input_where_sizes_agree() -> None:
    batch = ragged(LENGTHS, 3)
    torch.manual_seed(0)
    stack = RecurrentStack(3, 4, 3, residual=True).eval()
    first, second, third = stack.layer_outputs(batch)
    assert first.values.equal(stack.layers[0](batch.values, batch.lengths))  # 3 features in, 8 out
    for layer, below, above in ((stack.layers[1], first, second), (stack.layers[2], second, third)):
        assert above.values.equal(layer(below.values, below.lengths) + below.values)
    stack = RecurrentStack(3, 4, 1, projection=3, residual=True).eval()
    assert stack(batch).values.equal(stack.layers[0](batch.values, batch.lengths) + batch.values)


def test_dropout_leaves_the_residual_path_alone() -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(4, 2, 1, dropout=0.5, residual=True)
    batch = ragged([500], 4)
    untouched = stack(batch).values.eq(batch.values).float().mean()
    assert 0.45 < untouched < 0.55


def test_dropout_is_each_layers_own_and_for_training_alone() -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(4, 16, num_layers=2, dropout=[0.0, 0.75])
    batch = ragged([200, 200], 4)
    first, second = encoder.layer_outputs(batch)
    assert 0.72 < second.values.eq(0).float().mean() < 0.78
    assert not first.values.eq(0).any()
    assert not encoder.eval()(batch).values.eq(0).any()
    assert [dropout.p for dropout in RecurrentEncoder(4, 16, num_layers=2, dropout=0.3).dropouts] == [0.3, 0.3]


def test_locked_dropout_has_one_mask_for_all_frames_and_one_an_example() -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(4, 50, 1, dropout=0.4, locked_dropout=True)
    batch = ragged([30, 30], 4)
    values = stack(batch).values
    zeros = values.eq(0)
    assert zeros.equal(zeros[:, :1].expand_as(zeros))
    assert 0.25 < zeros[:, 0].float().mean() < 0.55
    assert not zeros[0, 0].equal(zeros[1, 0])
    kept = stack.eval()(batch).values
    torch.testing.assert_close(values[~zeros], kept[~zeros] / 0.6, atol=1e-6, rtol=1e-5)
    assert not kept.eq(0).any()


def test_the_same_seed_gives_the_same_training_pass() -> None:
    encoder = RecurrentEncoder(3, 4, 2, "gru", locked_dropout=True, weight_dropout=0.5)
    batch = ragged(LENGTHS, 3)
    passes: list[Tensor] = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        passes.append(encoder(batch).values)
    assert passes[0].equal(passes[1])
    assert not passes[0].equal(passes[2])


def test_bfloat16_is_close_to_float32_with_everything_on() -> None:
    torch.manual_seed(0)
    for cell in CELLS:
        encoder = RecurrentEncoder(
            8, 16, 3, cell, projection=16, layer_norm=True, residual=True, merge="sum", locked_dropout=True
        ).eval()
        batch = ragged([40, 22], 8)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = encoder(batch).values.float()
        assert 0 < (rough - encoder(batch).values).abs().max() < 0.15  # of residual sums about 3 large


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"dropout": 1.0}, r"dropout=1\.0"),
        ({"dropout": -0.1}, r"dropout=-0\.1"),
        ({"dropout": [0.1]}, r"dropout=\[0\.1\] for 3 layers"),
        ({"projection": -1}, "projection=-1"),
        ({"stack_size": 2, "stack_stride": 3}, "stack_stride=3"),
        ({"stack_size": 0}, "stack_size=0"),
    ],
)
def test_impossible_settings_are_named(options: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        RecurrentEncoder(4, **options)
