"""The LightningModule: loss, optimiser and metrics around a recogniser, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any, Protocol

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import KEY, Parts, describe
from seqrec.ctc.loss import CTCLoss
from seqrec.errors import UserError
from seqrec.metrics.rates import ErrorRates
from seqrec.parts import Decoder
from seqrec.sequence import Batch, Emissions
from seqrec.share import build


class Schedule(Protocol):
    """Says how the learning rate changes."""

    def factor(self, progress: float) -> float:
        """Return what the learning rate is multiplied by at `progress` in [0, 1]."""
        ...


class RecognitionTraining(LightningModule):
    """Trains the recogniser of `parts` by CTC and scores it on the dev split.

    Randomness inside a step, such as dropout, is drawn from (seed, step, rank), so that a resumed run draws the same.

    Args:
        parts: the recogniser with its tokenizer and config.
        loss: what is minimised.
        decoder: turns log-probs into tokens for the dev score.
        optimizer: the `_target_` and options of a torch optimiser.
        schedule: how its learning rate changes.
        seed: of the randomness inside steps.
        augmentation: changes the features of training batches.
        seconds_before: what an interrupted run has spent already.
    """

    def __init__(
        self,
        parts: Parts,
        loss: CTCLoss,
        decoder: Decoder,
        optimizer: Mapping[str, Any],
        schedule: Schedule,
        seed: int,
        augmentation: AugmentationChain,
        seconds_before: float = 0.0,
    ) -> None:
        super().__init__()
        self.parts = parts
        self.recognizer = parts.recognizer
        self.loss = loss
        self.decoder = decoder
        self.optimizer_config = optimizer
        self.schedule = schedule
        self.seed = seed
        self.augmentation = augmentation
        self._begun = perf_counter() - seconds_before
        self._rates = ErrorRates()
        self._dev_loss = torch.zeros(2, dtype=torch.float64)  # sum of nats, examples
        self._started = perf_counter()
        self._examples = 0
        self._batches_done = 0  # of this epoch

    @property
    def seconds(self) -> float:
        """What training has taken, interrupted parts together."""
        return perf_counter() - self._begun

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build the optimiser over the recogniser's weights."""
        return build(self.optimizer_config, "optimizer", params=self.recognizer.parameters())

    def on_train_epoch_start(self) -> None:
        """Start the clock."""
        self._started, self._examples = perf_counter(), 0

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set this step's randomness and learning rate."""
        torch.manual_seed(hash((self.seed, self.global_step, batch_idx, self.global_rank)) & 0x7FFFFFFFFFFFFFFF)
        epochs = self.trainer.max_epochs or 1
        progress = (self.current_epoch + batch_idx / max(self.trainer.num_training_batches, 1)) / epochs
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group.setdefault("peak_lr", group["lr"])
            group["lr"] = group["peak_lr"] * self.schedule.factor(progress)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean negative log-likelihood of the batch's targets, in nats an example."""
        features = self.augmentation.features(self.recognizer.frontend, batch)
        emissions = self.recognizer.recognise(features)
        losses = self.loss(emissions, batch.targets, batch.target_lengths)
        if not losses.isfinite().all():
            raise self._diverged(batch, losses)
        loss = losses.mean().float()
        self._examples += len(batch)
        self._batches_done = batch_idx + 1
        speed = self._examples * self.trainer.world_size / (perf_counter() - self._started)
        self.log("examples_per_second", speed, prog_bar=True)
        self.log("train_loss", loss, batch_size=len(batch), prog_bar=True)
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log the gradient's norm before clipping, and the learning rate."""
        norms = [weight.grad.norm() for weight in self.recognizer.parameters() if weight.grad is not None]
        self.log("gradient_norm", torch.stack(norms).norm())
        self.log("learning_rate", optimizer.param_groups[0]["lr"])

    def on_validation_epoch_start(self) -> None:
        """Begin a fresh count."""
        self._rates = ErrorRates()
        self._dev_loss = torch.zeros(2, dtype=torch.float64, device=self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch's edits and finite losses to the count."""
        emissions = self.recognizer(batch.signals, batch.signal_lengths)
        losses = self.loss(emissions, batch.targets, batch.target_lengths)
        finite = ~losses.isposinf()  # infeasible targets were named before training; NaN must show
        self._dev_loss += torch.stack([losses[finite].sum(), finite.sum()])
        self._rates += ErrorRates.of(
            [self.parts.tokenizer.scored(text) for text in batch.texts], self._texts(emissions)
        )

    def on_validation_epoch_end(self) -> None:
        """Sum the counts over ranks, then divide: the corpus's rates, however it was shared out."""
        counts = torch.tensor(self._rates.to_counts(), dtype=torch.int64, device=self.device)
        rates = ErrorRates.from_counts(self._sum_over_ranks(counts).tolist())
        loss, examples = self._sum_over_ranks(self._dev_loss).tolist()
        values = {"dev_loss": loss / max(examples, 1), "dev_wer": rates.wer, "dev_cer": rates.cer}
        self.log_dict(values, prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put config, symbols and the place in the data beside the weights: a checkpoint is complete."""
        place = {"epoch": self.current_epoch, "batches": self._batches_done, "seconds": self.seconds}
        checkpoint[KEY] = {**describe(self.parts.config, self.parts.tokenizer.symbols), "place": place}

    def _diverged(self, batch: Batch, losses: Tensor) -> UserError:
        bad = [id for id, finite in zip(batch.ids, losses.isfinite().tolist(), strict=True) if not finite]
        return UserError(
            f"the loss of {len(bad)} of {len(batch)} examples is infinite or no number in epoch "
            f"{self.current_epoch + 1}, step {self.global_step}: {', '.join(bad[:3])}; lower optimizer.lr or "
            "trainer.gradient_clip_val, or look at these examples; the last checkpoint is kept"
        )

    def _sum_over_ranks(self, values: Tensor) -> Tensor:
        total = self.trainer.strategy.reduce(values, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total

    def _texts(self, emissions: Emissions) -> list[str]:
        tokenizer = self.parts.tokenizer
        return [tokenizer.scored(tokenizer.decode(tokens)) for tokens in self.decoder.decode(emissions)]
