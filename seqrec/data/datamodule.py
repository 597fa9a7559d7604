"""The data module: train and dev splits, surveyed, batched by frames, dealt to ranks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from lightning.pytorch import LightningDataModule
from lightning.pytorch.accelerators import CUDAAccelerator
from torch.utils.data import DataLoader, Dataset

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import Parts
from seqrec.corpora.parallel import count_workers
from seqrec.data.augmented import AugmentedDataset
from seqrec.data.batching import FrameBatches
from seqrec.data.dataset import ManifestDataset
from seqrec.data.joining import LinePlan, joinable_groups, plan_lines
from seqrec.data.shard_batches import batches_of
from seqrec.data.survey import Survey, survey
from seqrec.errors import UserError
from seqrec.parts import ExampleJoining
from seqrec.sequence import Batch, Example, collate

_STATISTICS_EXAMPLES = 2000  # at most
_MOST_WORKERS = 8  # for a GPU
_BATCHES_AHEAD = 4  # of each worker: batches of long examples take several times as long to read
logger = logging.getLogger(__name__)
Infeasible = Literal["error", "skip"]
Track = Callable[[Iterable[int], str], Iterable[int]]  # shows progress under a title


class SequenceDataModule(LightningDataModule):
    """Batches of a prepared corpus for a recogniser.

    Args:
        folder: holds `manifest-train.jsonl` and `manifest-dev.jsonl`.
        parts: what reads, cuts and tokenises the examples.
        infeasible: what to do with a training target that needs more frames than its example has.
        seed: of the order of examples.
        augmentation: changes training examples; dev is never changed.
        max_frames: frames of a padded batch on one device, at most.
        max_examples: examples of a batch on one device, at most.
        jitter: how far lengths are blurred when batches are mixed, as a fraction.
        num_workers: processes that read ahead; 0: read in the training process; None: on a GPU as many as its share of
            the cores, 8 at most; on a processor 0, since the cores are busy training.
        cache_shards: shards of a distant corpus (`shards=ADDRESS`) kept on this machine for each of its devices, at
            most; examples are mixed within half as many shards.
        track: shows the progress of the look over the data.
    """

    def __init__(
        self,
        folder: Path,
        parts: Parts,
        infeasible: Infeasible,
        seed: int,
        augmentation: AugmentationChain,
        max_frames: int = 8000,
        max_examples: int = 64,
        jitter: float = 0.2,
        num_workers: int | None = None,
        cache_shards: int = 8,
        track: Track = lambda chunks, title: chunks,
    ) -> None:
        super().__init__()
        if (num_workers or 0) < 0 or not 0 <= jitter < 1:
            raise UserError(f"data.num_workers={num_workers}, data.jitter={jitter}: need at least 0, and [0, 1)")
        self.parts = parts
        self.max_frames = max_frames
        self.max_examples = max_examples
        self.jitter = jitter
        self.num_workers = num_workers
        self.infeasible = infeasible
        self.seed = seed
        self.augmentation = augmentation
        self.track = track
        self.train_set, self.dev_set = (
            ManifestDataset(folder / f"manifest-{split}.jsonl", parts.reader, parts.tokenizer, cache_shards)
            for split in ("train", "dev")
        )
        self.train_batches: FrameBatches | None = None
        self._train_frames = self._indices = np.empty(0, np.int32)  # of all examples; the ones trained on
        self._joinable: list[np.ndarray] = []  # sets of those that may be joined with one another
        self._dev_survey: Survey | None = None
        self._done: dict[int, int] = {}

    def train_examples(self) -> Iterator[Example]:
        """Yield training examples for the front-end's statistics: spread over the manifest, or those of first shards.

        Shards are fair mixes each; no more of them are opened than need be.
        """
        count = len(self.train_set)
        step = 1 if self.train_set.shards else -(-count // _STATISTICS_EXAMPLES)
        indices = self.track(range(0, min(count, step * _STATISTICS_EXAMPLES), step), "taking statistics")
        return (self.train_set[index] for index in indices)

    def setup(self, stage: str | None = None) -> None:
        """Survey both splits and decide about infeasible targets, once."""
        if self.train_batches is not None:
            return
        for dataset in (self.train_set, self.dev_set):
            if dataset.shards and self.trainer:
                dataset.shards.cache.limit *= self.trainer.num_devices  # they share the copies
        train = self._survey(self.train_set, "train")
        self._dev_survey = self._survey(self.dev_set, "dev")
        self._warn_of_outliers(train)
        self._train_frames, self._indices = train.frames, _feasible(train, self.infeasible)
        if joining := self.augmentation.joining:
            where = f"augmentation.{self.augmentation.joining_name}"
            indices = self.track(self._indices.tolist(), "looking for words to join")
            self._joinable = joinable_groups(self.train_set, indices, joining, where)
        self.train_batches = self._batch(train.frames, self._indices)
        if len(self._dev_survey.infeasible):
            logger.warning(
                f"dev: {len(self._dev_survey.infeasible)} targets need more frames than their examples have: "
                f"{self._dev_survey.explain()}; they are scored, but left out of the dev loss"
            )

    def resume(self, epoch: int, batches: int) -> None:
        """Leave out the first `batches` of `epoch` on this rank: an interrupted run has done them."""
        self._done = {epoch: batches}

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of the trainer's epoch; asked for anew each epoch, since their number differs."""
        assert self.train_batches is not None
        epoch = self.trainer.current_epoch if self.trainer else 0
        lines = None
        if self.augmentation.joining:
            plan = self._plan_lines(self.augmentation.joining, epoch)
            self.train_batches, lines = self._batch(plan.frames, None), plan.lines
        self.train_batches.set_epoch(epoch, self._done.get(epoch, 0))
        examples = AugmentedDataset(self.train_set, self.augmentation, self.seed, epoch, lines)
        return self._loader(examples, self.train_batches)

    def _plan_lines(self, joining: ExampleJoining, epoch: int) -> LinePlan:
        random = self.augmentation.plan_random(self.seed, epoch)
        return plan_lines(self._joinable, self._indices, self._train_frames, self.max_frames, joining, random)

    def _batch(self, frames: np.ndarray, indices: np.ndarray | None) -> FrameBatches:
        """Return the batches of training examples or lines of `frames`."""
        return batches_of(
            self.train_set,
            frames,
            indices,
            max_frames=self.max_frames,
            max_examples=self.max_examples,
            jitter=self.jitter,
            seed=self.seed,
            rank=self._rank,
            num_ranks=self._num_ranks,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of the dev split, each example once over all ranks."""
        assert self._dev_survey is not None
        if len(self.dev_set) < self._num_ranks:
            raise UserError(
                f"{len(self.dev_set)} dev examples are too few for {self._num_ranks} devices; use fewer devices"
            )
        batches = batches_of(
            self.dev_set,
            self._dev_survey.frames,
            None,
            max_frames=self.max_frames,
            max_examples=self.max_examples,
            shuffle=False,
            rank=self._rank,
            num_ranks=self._num_ranks,
        )
        return self._loader(self.dev_set, batches)

    def _loader(self, dataset: Dataset[Example], batches: FrameBatches) -> DataLoader[Batch]:
        """Return a loader for an epoch; it is not asked for another, so its workers end with it."""
        num_workers = self._count_workers()
        return DataLoader(
            dataset,  # type: ignore[arg-type]  # it holds examples, collate makes the batch
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=num_workers,
            prefetch_factor=_BATCHES_AHEAD if num_workers else None,
            pin_memory=self._is_on_gpu,
        )

    def _count_workers(self) -> int:
        if self.num_workers is not None:
            return self.num_workers
        return default_workers(self.trainer.num_devices) if self.trainer and self._is_on_gpu else 0

    @property
    def _is_on_gpu(self) -> bool:
        return self.trainer is not None and isinstance(self.trainer.accelerator, CUDAAccelerator)

    def _survey(self, dataset: ManifestDataset, name: str) -> Survey:
        return survey(dataset, self.parts.recognizer, lambda chunks: self.track(chunks, f"looking over {name}"))

    def _warn_of_outliers(self, train: Survey) -> None:
        longest = int(np.argmax(train.frames))
        if train.frames[longest] > self.max_frames:
            count = int((train.frames > self.max_frames).sum())
            logger.warning(
                f"train: {count} examples are longer than data.max_frames={self.max_frames} and make batches of their "
                f"own; the longest is `{train.manifest[longest].id}` with {train.frames[longest]} frames"
            )

    @property
    def _rank(self) -> int:
        return self.trainer.global_rank if self.trainer else 0

    @property
    def _num_ranks(self) -> int:
        return self.trainer.world_size if self.trainer else 1


def _feasible(train: Survey, infeasible: Infeasible) -> np.ndarray:
    """Return the indices of examples to train on."""
    count = len(train.infeasible)
    if count and infeasible == "error":
        raise UserError(
            f"train: {count} of {len(train.frames)} targets need more frames than their examples have: "
            f"{train.explain()}; mend the transcripts, lower encoder.stack_stride, encoder.strides or the "
            "front-end's hop, or set ctc.infeasible=skip"
        )
    if count:
        logger.warning(
            f"train: skipping {count} of {len(train.frames)} examples with infeasible targets: {train.explain()}"
        )
    kept = np.setdiff1d(np.arange(len(train.frames)), train.infeasible)
    if not len(kept):
        raise UserError("train: no example is left to train on; check the transcripts and the front-end")
    return kept


def default_workers(num_gpus: int) -> int:
    """Return how many processes read ahead for each of a machine's `num_gpus`: its share of the cores, 8 at most."""
    return min(max(1, count_workers(None) // num_gpus), _MOST_WORKERS)
