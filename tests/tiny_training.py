"""A training of a recogniser of a few cells on noise, without files or a command line."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import KEY, Parts
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.ctc.loss import CTCLoss
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.recognizer import Recognizer
from seqrec.sequence import Batch, Example, Features, collate
from seqrec.text.tokens import CharacterTokenizer
from seqrec.training.module import RecognitionTraining
from seqrec.training.schedule import Constant, Schedule

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

SGD = {"_target_": "torch.optim.SGD", "lr": 0.1}
SYMBOLS = "abc"


class Frames(nn.Module):
    """A front-end whose features are the signal's samples."""

    num_channels = num_features = 3
    length_depends_on_content = False

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        return self.normalise(self.extract(signals, signal_lengths))

    def extract(self, signals: Tensor, signal_lengths: Tensor) -> Features:
        return Features(signals, signal_lengths)

    def normalise(self, features: Features) -> Features:
        return features

    def frame_lengths(self, signals: Tensor | None, signal_lengths: Tensor) -> Tensor:
        return signal_lengths


def noise(lengths: list[int], texts: list[str], num_channels: int = 3) -> Batch:
    """A batch of noise of some lengths."""
    random = torch.Generator().manual_seed(len(lengths) + sum(lengths))
    targets = [torch.tensor([SYMBOLS.index(letter) + 1 for letter in text], dtype=torch.int64) for text in texts]
    return collate(
        [
            Example(f"noise-{number}", torch.randn(length, num_channels, generator=random), text, target)
            for number, (length, text, target) in enumerate(zip(lengths, texts, targets, strict=True))
        ]
    )


def tiny_module(
    loss: CTCLoss | None = None,
    schedule: Schedule | None = None,
    optimizer: dict[str, Any] = SGD,
    num_layers: int = 2,
    augmentation: AugmentationChain | None = None,
) -> RecognitionTraining:
    torch.manual_seed(0)
    encoder = LSTMEncoder(3, hidden_size=4, num_layers=num_layers, dropout=0.0)
    parts = Parts(
        {"data": {"max_frames": 100}}, None, Recognizer(Frames(), encoder, 4), CharacterTokenizer(symbols=[*SYMBOLS])
    )  # type: ignore[arg-type]
    chain = augmentation or AugmentationChain()
    return RecognitionTraining(parts, loss or CTCLoss(), GreedyDecoder(), optimizer, schedule or Constant(), 0, chain)


class Scripted(LightningModule):
    """Has the dev scores of a script, an epoch each; its weight is the number of its steps."""

    def __init__(self, **scores: Sequence[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.scores = scores

    def training_step(self, batch: Any) -> Tensor:
        return -self.weight.sum()

    def validation_step(self, batch: Any) -> None:
        self.log_dict({name: each[self.current_epoch] for name, each in self.scores.items()}, batch_size=1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[KEY] = {}


def train(module: LightningModule, batches: list[Batch], *callbacks: Callback, **options: Any) -> Trainer:
    """Train on some batches, and validate on them."""
    trainer = Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=list(callbacks),
        **{"max_epochs": 1, "log_every_n_steps": 1, "enable_checkpointing": False, **options},
    )
    trainer.fit(module, *(DataLoader(batches, batch_size=None) for _ in range(2)))  # type: ignore[arg-type]
    return trainer
