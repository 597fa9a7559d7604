"""The LightningModule: loss, optimiser and metrics around a recogniser, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import KEY, Parts, describe
from seqrec.ctc.loss import CTCLoss, feasible
from seqrec.metrics.rates import ErrorRates
from seqrec.parts import Decoder
from seqrec.sequence import Batch, Emissions, Features, length_mask
from seqrec.training.finite_losses import FiniteLosses, refuse_broken_weights
from seqrec.training.intermediate import IntermediateHead
from seqrec.training.longest_batch import longest_batch, try_batch
from seqrec.training.memory import HalvingModule
from seqrec.training.optimizer import build_optimizer
from seqrec.training.schedule import Schedule

logger = logging.getLogger(__name__)
_DEV_SUMS = 6  # nats, examples they are of, frames of blanks, frames, tokens found, tokens of the references


class RecognitionTraining(HalvingModule):
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
        decoder.spell_with(parts.tokenizer)
        self.optimizer_config = optimizer
        self.schedule = schedule
        self.seed = seed
        self.augmentation = augmentation
        self._begun = perf_counter() - seconds_before
        self.intermediate: IntermediateHead | None = None
        if loss.intermediate_layer is not None:
            self.intermediate = IntermediateHead(parts.recognizer, loss.intermediate_layer)
        self._rates = ErrorRates()
        self._dev_sums = torch.zeros(_DEV_SUMS, dtype=torch.float64)
        self._started = perf_counter()
        self._examples = 0
        self._step_seed = 0
        self._num_infeasible = 0  # of this step
        self._finite = FiniteLosses()
        self._has_named_infeasible = False
        self._batches_done = 0  # of this epoch

    @property
    def seconds(self) -> float:
        """What training has taken, interrupted parts together."""
        return perf_counter() - self._begun

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build the optimiser over the recogniser's weights."""
        return build_optimizer(self.optimizer_config, self.parameters(), self.schedule)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Copy a batch while the device works; from page-locked memory, that is."""
        return batch.to(device, non_blocking=device.type == "cuda")

    def on_train_start(self) -> None:
        """Have a GPU try the longest batch, if it can do so without the others."""
        loader = self.trainer.train_dataloader
        if self.device.type == "cuda" and isinstance(loader, DataLoader) and not self.meets_others_forward:
            batch = longest_batch(loader)
            if batch is not None:
                try_batch(self, batch)

    def on_train_epoch_start(self) -> None:
        """Start the clock."""
        self._started, self._examples = perf_counter(), 0

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Look at the step before, and set this step's randomness and learning rate."""
        self._finite.look()
        step = (self.seed, self.global_step, batch_idx, self.global_rank)
        self._step_seed = hash(step) & 0x7FFFFFFFFFFFFFFF
        self.seed_step()
        epochs = self.trainer.max_epochs or 1
        progress = (self.current_epoch + batch_idx / max(self.trainer.num_training_batches, 1)) / epochs
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group.setdefault("peak_lr", group["lr"])
            group["lr"] = group["peak_lr"] * self.schedule.factor(progress, self.global_step)

    def seed_step(self) -> None:
        """Set this step's randomness, and begin its count of infeasible targets afresh."""
        torch.manual_seed(self._step_seed)
        self._num_infeasible = 0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean negative log-likelihood of the batch's targets, in nats an example."""
        loss = self.forward_in_memory(batch)
        self._examples += len(batch)
        self._batches_done = batch_idx + 1
        return loss

    def batch_loss(self, batch: Batch, count: int | None = None) -> Tensor:
        """Return the summed losses of `batch` divided by `count`, or by the examples whose targets fit their frames.

        Augmentation may shorten an example so far that its target no longer fits: it is left out, and named once.
        """
        features = self.augmentation.features(self.recognizer.frontend, batch)
        emissions, losses = self._losses(features, batch)
        self._finite.add(batch.ids, losses, self._where())
        fits = self.loss.fits(emissions, batch.targets, batch.target_lengths)
        num_fitting = int(fits.sum())
        if num_fitting < len(batch):
            self._name_infeasible(batch, fits)
        self._num_infeasible += len(batch) - num_fitting  # halves of a batch add up
        return (losses.sum() / max(num_fitting if count is None else count, 1)).float()

    def summed_loss(self, batch: Batch) -> Tensor:
        """Return the sum of the losses of `batch`, and look at nothing else."""
        features = self.augmentation.features(self.recognizer.frontend, batch)
        return self._losses(features, batch)[1].sum()

    def _losses(self, features: Features, batch: Batch) -> tuple[Emissions, Tensor]:
        """Return the emissions, and each example's loss (B,), 0 where its target does not fit."""
        target = (batch.targets, batch.target_lengths)
        if self.intermediate is None:
            emissions = self.recognizer.recognise(features)
            return emissions, self.loss.of_feasible(emissions, *target)
        emissions, middle = self.intermediate(self.recognizer, features)
        weight = self.loss.intermediate_weight
        last = self.loss.of_feasible(emissions, *target)
        return emissions, (1 - weight) * last + weight * self.loss.of_feasible(middle, *target)

    def num_counted(self, batch: Batch) -> int:
        """Return the number of examples whose targets fit their frames."""
        frames = self.recognizer.frame_lengths(batch.signals, batch.signal_lengths)
        lengths = self.recognizer.output_lengths(frames)
        return int(feasible(lengths, batch.targets, batch.target_lengths).sum())

    def smaller_batches(self) -> str:
        """Return the option that makes batches half as large."""
        return f"data.max_frames={self.parts.config['data'].get('max_frames', 8000) // 2}"

    def on_after_backward(self) -> None:
        """Log the step's loss, known for certain only now, and the speed.

        A number becomes a tensor of the CPU; Lightning would bring it to the GPU, and wait for that.
        """
        assert self._batch is not None
        speed = self._examples * self.trainer.world_size / (perf_counter() - self._started)
        self.log("examples_per_second", torch.tensor(speed), prog_bar=True)
        self.log("train_loss", self.step_loss, batch_size=len(self._batch), prog_bar=True)
        self.log("infeasible", torch.tensor(float(self._num_infeasible)))

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log the gradient's norm before clipping, and the learning rate."""
        norms = [weight.grad.norm() for weight in self.parameters() if weight.grad is not None]
        self.log("gradient_norm", torch.stack(norms).norm())
        self.log("learning_rate", torch.tensor(optimizer.param_groups[0]["lr"]))

    def on_validation_epoch_start(self) -> None:
        """Look at the last step of training, and begin a fresh count."""
        self._finite.look()
        self._rates = ErrorRates()
        self._dev_sums = torch.zeros(_DEV_SUMS, dtype=torch.float64, device=self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add the batch's edits, finite losses, blanks and lengths to the count."""
        emissions = self.recognizer(batch.signals, batch.signal_lengths)
        losses = self.loss(emissions, batch.targets, batch.target_lengths)
        finite = ~losses.isposinf()  # infeasible targets were named before training; NaN must show
        found = [candidates[0].tokens for candidates in self.decoder.decode(emissions)]
        valid = length_mask(emissions.lengths, emissions.log_probs.shape[1])
        blanks = (emissions.log_probs.argmax(dim=-1) == 0) & valid
        hypothesis_length = torch.tensor(sum(map(len, found)), device=self.device)
        sums = [losses[finite].sum(), finite.sum(), blanks.sum(), valid.sum(), hypothesis_length]
        self._dev_sums += torch.stack([each.double() for each in [*sums, batch.target_lengths.sum()]])
        tokenizer = self.parts.tokenizer
        references = [tokenizer.scored(text) for text in batch.texts]
        self._rates += ErrorRates.of(references, [tokenizer.scored(tokenizer.decode(tokens)) for tokens in found])

    def on_validation_epoch_end(self) -> None:
        """Sum the counts over ranks, then divide: the corpus's rates, however it was shared out."""
        counts = torch.tensor(self._rates.to_counts(), dtype=torch.int64, device=self.device)
        rates = ErrorRates.from_counts(self._sum_over_ranks(counts).tolist())
        loss, examples, blanks, frames, found, labels = self._sum_over_ranks(self._dev_sums).tolist()
        values = {"dev_loss": loss / max(examples, 1), "dev_wer": rates.wer, "dev_cer": rates.cer}
        self.log_dict(values, prog_bar=True)
        self.log_dict({"blank_ratio": blanks / max(frames, 1), "length_ratio": found / max(labels, 1)})
        self.schedule.observe(rates.cer)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put config, symbols and the place in the data beside the weights: a checkpoint is complete."""
        self._finite.look()
        refuse_broken_weights(self.parameters(), self._where())
        place = {"epoch": self.current_epoch, "batches": self._batches_done, "seconds": self.seconds}
        checkpoint[KEY] = {**describe(self.parts.config, self.parts.symbols), "place": place}
        checkpoint["schedule"] = self.schedule.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the schedule where it was."""
        if checkpoint.get("schedule"):
            self.schedule.load_state_dict(checkpoint["schedule"])

    def _name_infeasible(self, batch: Batch, fits: Tensor) -> None:
        """Say once which examples have become too short."""
        if self._has_named_infeasible:
            return
        self._has_named_infeasible = True
        short = [id for id, fit in zip(batch.ids, fits.tolist(), strict=True) if not fit]
        logger.warning(
            f"train: augmentation has left {len(short)} of {len(batch)} examples of step {self.global_step} with fewer "
            f"frames than their targets need (`{short[0]}` among them); such examples are left out of their step and "
            "counted as `infeasible` in metrics.csv; less perturbation or a lower stride of the encoder keeps them"
        )

    def _where(self) -> str:
        return f"epoch {self.current_epoch + 1}, step {self.global_step}"

    def _sum_over_ranks(self, values: Tensor) -> Tensor:
        total = self.trainer.strategy.reduce(values, reduce_op="sum")
        assert isinstance(total, Tensor)
        return total
