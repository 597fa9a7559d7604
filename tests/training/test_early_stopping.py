"""Early stopping on a run whose dev CER cannot fall, whole and resumed, and on scripted scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_training import SGD, Scripted, noise, tiny_module, train

from seqrec.training.early_stopping import EarlyStopping

BATCHES = [noise([9, 7], ["ab", "c"])]
STILL = {**SGD, "lr": 0.0}


def test_it_stops_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    trainer = train(tiny_module(optimizer=STILL), BATCHES, EarlyStopping(patience=2), max_epochs=9)
    assert trainer.current_epoch == 3
    (said,) = caplog.messages
    assert "dev CER has not fallen below" in said
    assert "for 2 epochs, so training ends after epoch 3 of 9; callbacks.early_stopping.patience=4 would wait" in said


@pytest.mark.parametrize(
    ("rates", "min_delta", "epochs"),
    [
        ([0.9, 0.9, 0.5, 0.6, 0.4, 0.4, 0.4, 0.1], 0.0, 7),
        ([0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5], 0.0, 8),
        ([0.9, 0.95, 0.94, 0.1], 0.0, 3),
        ([0.9, 0.85, 0.81, 0.1], 0.0, 4),
        ([0.9, 0.85, 0.81, 0.1], 0.1, 3),
        ([0.9, 0.85, 0.79, 0.75, 0.71, 0.1], 0.1, 5),
    ],
)
def test_it_waits_for_what_still_gets_better(
    rates: list[float], min_delta: float, epochs: int, caplog: pytest.LogCaptureFixture
) -> None:
    stopping = EarlyStopping(patience=2, min_delta=min_delta)
    others = [1 - rate for rate in rates]
    script = Scripted(dev_cer=rates, dev_wer=others, dev_loss=others)
    trainer = train(script, BATCHES, stopping, max_epochs=len(rates))
    assert trainer.current_epoch == epochs
    assert bool(caplog.messages) == (epochs < len(rates))


def test_what_has_stopped_stays_stopped(tmp_path: Path) -> None:
    stopped = train(tiny_module(optimizer=STILL), BATCHES, EarlyStopping(patience=2), max_epochs=9)
    stopped.save_checkpoint(tmp_path / "last.ckpt")
    from lightning.pytorch import Trainer
    from torch.utils.data import DataLoader

    again = Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[EarlyStopping(patience=2)], max_epochs=9,
    )  # fmt: skip
    loaders = [DataLoader(BATCHES, batch_size=None) for _ in range(2)]  # type: ignore[arg-type]
    again.fit(tiny_module(optimizer=STILL), *loaders, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert again.global_step == stopped.global_step == 3


def test_epochs_that_are_not_validated_do_not_count() -> None:
    stopping = EarlyStopping(patience=2)
    trainer = train(tiny_module(optimizer=STILL), BATCHES, stopping, max_epochs=9, check_val_every_n_epoch=2)
    assert trainer.current_epoch == 6
