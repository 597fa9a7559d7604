"""What happens inside a step, on a tiny recogniser without a Trainer's help where it can be done without."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from tiny import Seqrec, tiny_options
from tiny_training import SGD, SYMBOLS, noise, tiny_module, train
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from seqrec.augmentation.chain import AugmentationChain
from seqrec.augmentation.spec_augment import SpecAugment
from seqrec.checkpoint import Parts, read_checkpoint
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.ctc.loss import CTCLoss, feasible
from seqrec.encoders.conv1d_bilstm import Conv1dEncoder
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.encoders.recurrent_layer import RecurrentLayer
from seqrec.errors import UserError
from seqrec.evaluation import evaluate
from seqrec.recognizer import Recognizer
from seqrec.sequence import Batch, Features
from seqrec.speech.logmel import LogMel
from seqrec.text.tokens import CharacterTokenizer
from seqrec.training import finite_losses
from seqrec.training.finite_losses import FiniteLosses
from seqrec.training.module import RecognitionTraining
from seqrec.training.schedule import Constant
from seqrec.transcriber import load


@pytest.mark.parametrize(
    "option", ["trainer.precision=bf16-mixed", "data.num_workers=1", "trainer.accumulate_grad_batches=2"]
)
def test_trainings_of_other_kinds_end(option: str, seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=2"]
    outcome = seqrec("train", "synth/ink", *words, option, f"hydra.run.dir={tmp_path}/run")
    assert outcome.code == 0, outcome.err
    weights = read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")["state_dict"]
    assert all(weight.isfinite().all() for weight in weights.values())


def test_workers_change_nothing(seqrec: Seqrec, ink_run: Path, tmp_path: Path) -> None:
    words = [*tiny_options("synth/ink", ink_run.parent / "data"), "trainer.max_epochs=2", "data.num_workers=2"]
    assert seqrec("train", "synth/ink", *words, f"hydra.run.dir={tmp_path}/run").code == 0
    first, second = (
        read_checkpoint(run / "checkpoints/last.ckpt")["state_dict"] for run in (ink_run, tmp_path / "run")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_best_checkpoint_has_the_least_dev_cer(ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-dev.jsonl")
    best, last = (evaluate(load(ink_run / f"checkpoints/{name}.ckpt"), manifest).rates.cer for name in ("best", "last"))
    assert best <= last


@pytest.mark.parametrize("max_frames", [300, 5000])
def test_evaluation_does_not_depend_on_the_batches(max_frames: int, ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("synth_ink*/manifest-train.jsonl")
    transcriber = load(ink_run)
    found = evaluate(transcriber, manifest, max_frames=max_frames)
    alone = evaluate(transcriber, manifest, max_examples=1)
    assert found.hypotheses == alone.hypotheses
    assert found.rates == alone.rates


def test_examples_whose_targets_do_not_fit_are_left_out_of_the_mean(caplog: pytest.LogCaptureFixture) -> None:
    module = tiny_module()
    fitting = noise([9, 3, 8], ["ab", "ab", "abc"])
    mixed = noise([9, 3, 8], ["ab", "aabb", "abc"])
    losses = module.loss(
        module.recognizer.recognise(module.recognizer.frontend(mixed.signals, mixed.signal_lengths)),
        mixed.targets,
        mixed.target_lengths,
    )
    assert losses.isposinf().tolist() == [False, True, False]
    torch.testing.assert_close(module.batch_loss(mixed).double(), losses[[0, 2]].mean())
    trainer = train(module, [mixed, mixed, fitting])
    assert trainer.callback_metrics["train_loss"].isfinite()
    (said,) = caplog.messages
    assert "1 of 3 examples of step 0 with fewer frames than their targets need (`noise-1` among them)" in said


def test_a_batch_where_nothing_fits_moves_nothing() -> None:
    module = tiny_module()
    before = [weight.clone() for weight in module.parameters()]
    trainer = train(module, [noise([1, 2], ["ab", "aa"])])
    assert all(torch.equal(*pair) for pair in zip(before, module.parameters(), strict=True))
    assert trainer.callback_metrics["infeasible"] == 2
    assert trainer.callback_metrics["train_loss"] == trainer.callback_metrics["gradient_norm"] == 0


def test_a_loss_that_is_no_number_names_its_example() -> None:
    batch = noise([9, 8], ["ab", "abc"])
    batch.signals[1, 2] = torch.nan
    with pytest.raises(UserError, match=r"1 of 2 examples is infinite or no number in epoch 1, step 0: noise-1; lower"):
        train(tiny_module(), [batch])


class NoWaiting(TorchDispatchMode):
    """Refuses what would make a program wait for a GPU that holds some tensors, and all that is computed of them.

    That is reading their numbers, or taking a shape from them.
    """

    REFUSED = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "_unique2", "equal")

    def __init__(self, on_gpu: Iterable[Tensor]) -> None:
        super().__init__()
        self.on_gpu = {each.untyped_storage()._cdata: each for each in on_gpu}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = (one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor))
        touched = any(one.untyped_storage()._cdata in self.on_gpu for one in inputs)
        assert not (touched and func.__name__.split(".")[0] in self.REFUSED), func
        outcome = func(*args, **(kwargs or {}))
        for one in tree_leaves(outcome) if touched else ():
            if isinstance(one, Tensor):
                self.on_gpu[one.untyped_storage()._cdata] = one
        return outcome


def speech_module() -> RecognitionTraining:
    """Log-mel, SpecAugment and convolutions before recurrent layers of a few cells."""
    torch.manual_seed(0)
    frontend = LogMel(1000, num_mels=5, dither=0.01)
    encoder = Conv1dEncoder(5, channels=(3, 4), strides=(2, 1), hidden_size=4, num_layers=2, conv_dropout=0.1)
    parts = Parts({}, None, Recognizer(frontend, encoder, 4), CharacterTokenizer(symbols=[*SYMBOLS]))  # type: ignore[arg-type]
    chain = AugmentationChain({"mask": SpecAugment(1, 2, 1, 9), "warp": SpecAugment(time_warp=3)})
    return RecognitionTraining(parts, CTCLoss(intermediate_layer=1), GreedyDecoder(), SGD, Constant(), 0, chain)


def stacking_module() -> RecognitionTraining:
    module = tiny_module()
    module.recognizer.encoder = LSTMEncoder(3, hidden_size=4, num_layers=2, stack_size=3, stack_stride=2)
    return module


CASES = {
    "plain": (tiny_module, lambda: noise([9, 7, 8], ["ab", "aabb", "abc"])),
    "intermediate": (
        lambda: tiny_module(CTCLoss(intermediate_layer=1)),
        lambda: noise([9, 7, 8], ["ab", "aabb", "abc"]),
    ),
    "stacked": (stacking_module, lambda: noise([9, 7, 8], ["ab", "aabb", "abc"])),
    "speech": (speech_module, lambda: noise([200, 90, 141], ["ab", "aabb", "abc"], num_channels=1)),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[RecognitionTraining, Batch]:
    """A module whose losses nobody looks at, and a batch."""
    module, batch = (make() for make in CASES[request.param])
    monkeypatch.setattr(module._finite, "add", lambda ids, losses, where: None)
    return module, batch


def test_no_step_reads_what_a_gpu_computes(case: tuple[RecognitionTraining, Batch]) -> None:
    """Losses are looked at later, lengths and targets are on the CPU as well; all else stays unread."""
    module, batch = case
    on_gpu = [batch.signals, batch.seeds, *module.parameters(), *module.buffers()]
    with NoWaiting(on_gpu):
        module.batch_loss(batch).backward()
    with pytest.raises(AssertionError, match="_local_scalar_dense"), NoWaiting(on_gpu):
        float(module.batch_loss(batch))


@pytest.mark.parametrize("way", ["run_packed", "run_flipped"])
def test_no_step_fetches_what_lies_elsewhere(
    way: str, case: tuple[RecognitionTraining, Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tensors of the device `meta` have no numbers, so that a step that would fetch one fails."""
    module, batch = case
    lengths = module.recognizer.output_lengths(module.recognizer.frame_lengths(batch.signals, batch.signal_lengths))
    fetched = []

    def ctc_loss(log_probs: Tensor, targets: Tensor, *of_cpu: Tensor, **options: Any) -> Tensor:
        """Stand for torch's, which knows no tensors without numbers."""
        fetched.append(of_cpu)
        return log_probs.sum((0, 2))

    monkeypatch.setattr(functional, "ctc_loss", ctc_loss)
    monkeypatch.setattr(torch, "autocast", lambda *args, **options: nullcontext())  # it does not know `meta`
    monkeypatch.setattr(RecurrentLayer, "run_flipped", getattr(RecurrentLayer, way))
    module.to("meta").batch_loss(batch.to("meta")).backward()
    assert fetched
    labels = batch.target_lengths.where(feasible(lengths, batch.targets, batch.target_lengths), 0)
    for of_frames, of_labels in fetched:
        assert of_frames.equal(lengths)
        assert of_labels.equal(labels)


def add_as_a_gpu_does(noted: FiniteLosses, ids: list[str], losses: Tensor, where: str) -> None:
    copied: Any = SimpleNamespace(synchronize=lambda: None)
    noted._pending.append(finite_losses._Pending(ids, losses.detach().isfinite(), where, copied))


@pytest.mark.parametrize("steps_to_a_checkpoint", [1, 2])
def test_what_has_diverged_is_never_kept(
    steps_to_a_checkpoint: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A checkpoint falls due right behind the step that has spoiled the weights, or a step later."""
    monkeypatch.setattr(FiniteLosses, "add", add_as_a_gpu_does)
    good = noise([9, 8], ["ab", "abc"])
    bad = noise([9, 7], ["ab", "abc"])
    bad.ids[:] = ["fine", "broken"]
    bad.signals[1, 2] = torch.nan
    keeper = ModelCheckpoint(tmp_path, "last", every_n_train_steps=steps_to_a_checkpoint, enable_version_counter=False)
    with pytest.raises(UserError, match="1 of 2 examples is infinite or no number in epoch 1, step 2: broken; lower"):
        train(tiny_module(), [good, good, bad, good, good], keeper, enable_checkpointing=True)
    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert kept["global_step"] == 2
    assert all(weight.isfinite().all() for weight in kept["state_dict"].values())


def test_weights_that_another_device_has_spoiled_are_not_kept() -> None:
    module = tiny_module()
    train(module, [noise([9, 8], ["ab", "abc"])])
    module.on_save_checkpoint({})
    module.recognizer.head.bias.data[1] = torch.inf
    with pytest.raises(UserError, match="weights are infinite or no numbers in epoch 2, step 1: the run has diverged"):
        module.on_save_checkpoint({})


def test_dev_tells_blanks_and_lengths() -> None:
    module, batch = tiny_module(), noise([9, 7, 8], ["ab", "c", "abc"])
    trainer = train(module, [batch])
    path = [
        log_probs[:length].argmax(-1).tolist()
        for log_probs, length in zip(
            module.recognizer(batch.signals, batch.signal_lengths).log_probs, [9, 7, 8], strict=True
        )
    ]
    collapsed = [
        [token for token, before in zip(row, [0, *row], strict=False) if token not in (0, before)] for row in path
    ]
    blanks = sum(row.count(0) for row in path)
    assert trainer.callback_metrics["blank_ratio"] == pytest.approx(blanks / 24)
    assert trainer.callback_metrics["length_ratio"] == pytest.approx(sum(map(len, collapsed)) / 6)


class Spoil:
    """Leaves nothing of the features."""

    acts_on: Literal["features"] = "features"
    before_normalisation = False

    def __call__(self, features: Features, seeds: Tensor) -> Features:
        return Features(torch.zeros_like(features.values), features.lengths)


def test_dev_is_scored_without_augmentation() -> None:
    batch, still = noise([9, 7, 8], ["ab", "c", "abc"]), {**SGD, "lr": 0.0}
    plain, spoiled = (
        train(tiny_module(optimizer=still, augmentation=chain), [batch]).callback_metrics
        for chain in (AugmentationChain(), AugmentationChain({"spoil": Spoil()}))
    )
    assert abs(spoiled["train_loss"] - plain["train_loss"]) > 0.01
    assert spoiled["dev_loss"] == plain["dev_loss"]


def mean_gradients(module: RecognitionTraining, batches: list[Batch]) -> list[Tensor]:
    """The gradient of each weight, by hand: a mean over batches of means over examples."""
    losses = [
        module.loss(module.recognizer(batch.signals, batch.signal_lengths), batch.targets, batch.target_lengths).mean()
        for batch in batches
    ]
    return list(torch.autograd.grad(torch.stack(losses).mean(), list(module.parameters())))


TWO_BATCHES = [noise([9, 7, 8], ["ab", "c", "abc"]), noise([4], ["a"])]


@pytest.mark.parametrize("count", [1, 2])
def test_a_step_goes_down_the_mean_of_its_batches_gradients(count: int) -> None:
    module, batches = tiny_module(), TWO_BATCHES[:count]
    gradients = mean_gradients(module, batches)
    expected = [weight - SGD["lr"] * gradient for weight, gradient in zip(module.parameters(), gradients, strict=True)]
    train(module, batches, accumulate_grad_batches=count)
    for weight, value in zip(module.parameters(), expected, strict=True):
        torch.testing.assert_close(weight, value)


@pytest.mark.parametrize("count", [1, 2])
def test_the_gradients_norm_is_logged_as_it_was_before_clipping(count: int) -> None:
    module, batches = tiny_module(), TWO_BATCHES[:count]
    before = [weight.detach().clone() for weight in module.parameters()]
    norm = torch.cat([gradient.flatten() for gradient in mean_gradients(module, batches)]).norm()
    assert norm > 0.1
    trainer = train(module, batches, accumulate_grad_batches=count, gradient_clip_val=0.1)
    torch.testing.assert_close(trainer.callback_metrics["gradient_norm"], norm)
    moves = [(weight.detach() - old).flatten() for weight, old in zip(module.parameters(), before, strict=True)]
    assert float(torch.cat(moves).norm()) == pytest.approx(SGD["lr"] * 0.1, rel=1e-3)
