"""The diagnoses on worked series of numbers, and on one real run that gives out blanks only."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, nan

import pytest
from tiny_training import SGD, noise, tiny_module, train

from seqrec.training.diagnosis import Diagnosis, EpochNumbers


def said(
    train_loss: Sequence[float],
    dev_cer: Sequence[float] | None = None,
    length_ratio: Sequence[float] | None = None,
    dev_loss: Sequence[float] | None = None,
) -> dict[int, list[str]]:
    """Return what is said after each epoch, counted from 1, if anything is."""
    count = len(train_loss)
    series = zip(
        train_loss, dev_loss or train_loss, dev_cer or [0.5] * count, length_ratio or [1.0] * count, strict=True
    )
    diagnosis, found = Diagnosis(), {}
    for number, values in enumerate(series, start=1):
        state = diagnosis.state_dict()
        diagnosis = Diagnosis()
        diagnosis.load_state_dict(state)  # as if resumed after each epoch
        diagnosis._epochs.append(EpochNumbers(*values))
        if sentences := diagnosis.new_sentences(count):
            found[number] = sentences
    return found


def falling(count: int, end: float = 1.0) -> list[float]:
    return [end + 100 * exp(-number / 3) for number in range(count)]


def test_a_healthy_run_hears_nothing() -> None:
    cer = [1.0, 1.0, 1.0, 0.9, 0.6, 0.4, 0.3, 0.28, 0.29, 0.27, 0.28, 0.26, 0.27, 0.25, 0.26]
    assert not said(falling(15), cer, [1.6, 0.0, 0.0, 0.0, 0.1, *[0.9] * 10])
    assert not said([80.0, 60.0, 75.0, 50.0, 90.0, 40.0, 35.0])


def test_a_healthy_end_on_a_plateau_hears_nothing() -> None:
    cer = [*[1.0, 0.5, 0.2, 0.1, 0.05], *[0.051, 0.05, 0.052] * 8]
    assert not said(falling(len(cer)), cer)


def test_blanks_only_is_said_once_and_in_time() -> None:
    assert list(said([100.0] * 30, [1.0] * 30, [1.2, *[0.0] * 29])) == [11]  # noise came out in epoch 1
    found = said([100.0] * 30, [1.0] * 30, [0.0] * 30)
    assert list(found) == [10]
    assert found[10][0].startswith("dev hypotheses have been empty for 10 epochs")
    assert list(said([100.0] * 8, [1.0] * 8, [0.0] * 8)) == [5]


@pytest.mark.parametrize(
    ("losses", "epoch"),
    [([50.0, 20.0, 10.0, 25.0, 31.0, 80.0], 5), ([50.0, 20.0, nan], 3), ([nan, nan], 1)],
)
def test_a_diverging_run(losses: list[float], epoch: int) -> None:
    found = said(losses)
    assert list(found) == [epoch]
    assert found[epoch][0].startswith(f"the run diverges: the training loss of epoch {epoch} is ")


def test_learning_by_heart() -> None:
    cer = [0.9, 0.5, 0.3, *[0.3 + 0.02 * number for number in range(1, 12)]]
    found = said(falling(14, end=0.1), cer)
    assert list(found) == [8]  # the last three of five epochs lie a tenth above the least
    assert found[8][0].startswith("dev CER has risen from 30.00 % in epoch 3 to 36.00 % or more")
    assert not said([10.0] * 14, cer)  # the training loss stands still: something else


def test_a_real_run_of_blanks_only(caplog: pytest.LogCaptureFixture) -> None:
    module = tiny_module(optimizer={**SGD, "lr": 1e-6})
    module.recognizer.head.bias.data[0] = 9.0
    train(module, [noise([9, 7], ["ab", "c"])], Diagnosis(), max_epochs=7)
    (sentence,) = caplog.messages
    assert sentence.startswith("epoch 5: dev hypotheses have been empty for 5 epochs: the recogniser gives out nothing")


def test_a_set_learnt_by_heart_does_not_diverge() -> None:
    assert not said([20.0, 3.0, 0.004, 0.013, 0.9])
    assert list(said([20.0, 3.0, 0.004, 1.1])) == [4]


def test_epochs_that_are_not_validated_are_no_numbers() -> None:
    diagnosis = Diagnosis()
    train(tiny_module(), [noise([9, 7], ["ab", "c"])], diagnosis, max_epochs=4, check_val_every_n_epoch=2)
    assert len(diagnosis.state_dict()["epochs"]) == 2
