"""Early stopping on a run whose dev CER cannot fall, whole and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_training import SGD, noise, tiny_module, train

from seqrec.training.early_stopping import EarlyStopping

BATCHES = [noise([9, 7], ["ab", "c"])]
STILL = {**SGD, "lr": 0.0}


def test_it_stops_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    trainer = train(tiny_module(optimizer=STILL), BATCHES, EarlyStopping(patience=2), max_epochs=9)
    assert trainer.current_epoch == 3
    (said,) = caplog.messages
    assert "dev CER has not fallen below" in said
    assert "for 2 epochs, so training ends after epoch 3 of 9; callbacks.early_stopping.patience=4 would wait" in said


def test_what_gets_better_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    trainer = train(tiny_module(optimizer=STILL), BATCHES, EarlyStopping(patience=3), max_epochs=3)
    assert trainer.current_epoch == 3
    assert not caplog.messages


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
