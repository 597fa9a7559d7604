"""What an epoch costs in time and memory: a few real training steps, in a process of their own, and a projection."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqrec.augmentation.chain import AugmentationChain
from seqrec.benchmark.machine import peak_bytes
from seqrec.checkpoint import Parts, build_parts
from seqrec.ctc.loss import CTCLoss
from seqrec.data.augmented import AugmentedDataset
from seqrec.data.datamodule import default_workers
from seqrec.data.dataset import ManifestDataset
from seqrec.sequence import collate
from seqrec.share import build

if TYPE_CHECKING:
    from seqrec.sequence import Batch
    from seqrec.text.tokens import Symbol

_SPREAD = 8  # batches measured, evenly from the longest to the shortest


@dataclass(frozen=True)
class Trial:
    """What is measured."""

    config: Mapping[str, Any]
    symbols: tuple[Symbol, ...]
    manifest: Path
    batches: Sequence[Sequence[int]]  # rows; the largest batch first, to be measured for its memory
    seconds: float  # to stop after, when each batch has had its turn or not


@dataclass(frozen=True)
class Measured:
    """What a trial gave."""

    device: str
    frames: int  # padded, of all steps timed
    steps: int
    step_seconds: float  # of all steps timed
    read_seconds: float
    forward_share: float  # of a step's time, that scoring takes
    peak_bytes: int | None  # of memory in the largest batch; None: not known on this system
    is_finite: bool  # whether every loss was


@dataclass(frozen=True)
class Cost:
    """An estimate for this recipe on this machine."""

    device: str
    seconds_per_epoch: float  # training, reading and the look at dev
    epochs: int
    peak_bytes: int | None
    steps: int  # measured
    frames: int  # measured
    epoch_frames: int  # padded, of an epoch

    @property
    def how(self) -> str:
        """How the estimate was made."""
        return (
            f"estimated from {self.steps} training steps over {self.frames} padded frames on this machine, of "
            f"{self.epoch_frames} in an epoch; memory is that of a process that trains on its largest batch, Lightning "
            "(some 0.3 GiB of main memory) aside"
        )


def representative(padded: np.ndarray) -> list[int]:
    """Return the batches to measure: the one of most frames first, then some evenly spread over all sizes."""
    order = np.argsort(-padded, kind="stable")
    spread = order[np.linspace(0, len(order) - 1, min(_SPREAD, len(order))).round().astype(int)]
    middle = [int(spread[i]) for i in _middle_out(len(spread))]
    return [int(order[0]), *middle]


def _middle_out(count: int) -> Iterator[int]:
    """Yield 0 to count - 1 so that the first few stand for all: the median before the ends."""
    return iter(sorted(range(count), key=lambda i: (abs(i - (count - 1) / 2), i)))


def measure_apart(trial: Trial) -> Measured | None:
    """Run a trial in a process of its own, so that its memory is its own; None where the system ended it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        try:
            return pool.submit(measure, trial).result()
        except BrokenProcessPool:
            return None


def project(measured: Measured, epoch_frames: int, dev_frames: int, config: Mapping[str, Any]) -> Cost:
    """Extrapolate a trial to an epoch, frame by frame."""
    step = measured.step_seconds / measured.frames  # seconds a frame
    read = measured.read_seconds / measured.frames
    workers = config["data"].get("num_workers")
    if workers is None:
        workers = default_workers(1) if _wants_gpu(config) else 0
    train = max(step, read / workers) if workers else step + read
    score = max(step * measured.forward_share, read / workers) if workers else step * measured.forward_share + read
    return Cost(
        device=measured.device,
        seconds_per_epoch=train * epoch_frames + score * dev_frames,
        epochs=int(config["trainer"].get("max_epochs") or 1),
        peak_bytes=measured.peak_bytes,
        steps=measured.steps,
        frames=measured.frames,
        epoch_frames=epoch_frames,
    )


def measure(trial: Trial) -> Measured:
    """Train on the batches of a trial, again and again until its time is over."""
    torch.manual_seed(trial.config["seed"])
    parts = build_parts(trial.config, trial.symbols)
    plain = ManifestDataset(trial.manifest, parts.reader, parts.tokenizer)
    chain = AugmentationChain.build(trial.config.get("augmentation") or {}, parts.reader.num_channels)
    dataset = AugmentedDataset(plain, chain, trial.config["seed"], epoch=0)
    steps = _Steps(trial.config, parts, chain)
    started = perf_counter()
    steps.train(_read(dataset, trial.batches[0]))  # the first step, and the largest batch, is for memory alone
    peak = peak_bytes(steps.device)
    frames, count, step_seconds, read_seconds, forward_seconds = 0, 0, 0.0, 0.0, 0.0
    for rows in cycle(trial.batches[1:] or trial.batches):
        begun = perf_counter()
        batch = _read(dataset, rows)
        read_seconds += perf_counter() - begun
        taken, batch_frames = steps.train(batch)
        step_seconds += taken
        forward_seconds += steps.score(batch)
        frames += batch_frames
        count += 1
        if perf_counter() - started > trial.seconds or count >= 4 * len(trial.batches):
            break
    return Measured(
        device=_device_name(steps.device),
        frames=frames,
        steps=count,
        step_seconds=step_seconds,
        read_seconds=read_seconds,
        forward_share=min(1.0, forward_seconds / step_seconds),  # a busy machine may have stopped in the former
        peak_bytes=peak,
        is_finite=steps.is_finite,
    )


def _read(dataset: AugmentedDataset, rows: Sequence[int]) -> Batch:
    return collate([dataset[row] for row in rows])


class _Steps:
    """Training steps as Lightning takes them: forward, loss, backward, clipping, update."""

    def __init__(self, config: Mapping[str, Any], parts: Parts, augmentation: AugmentationChain) -> None:
        self.augmentation = augmentation
        trainer = config["trainer"]
        self.device = torch.device("cuda" if _wants_gpu(config) else "cpu")
        self.recognizer = parts.recognizer.to(self.device)
        self.loss: CTCLoss = build(config["ctc"], "ctc")
        self.optimizer: torch.optim.Optimizer = build(
            config["optimizer"], "optimizer", params=self.recognizer.parameters()
        )
        self.clip = trainer.get("gradient_clip_val")
        self.is_bf16 = "bf16" in str(trainer.get("precision", ""))
        self.is_finite = True

    def train(self, batch: Batch) -> tuple[float, int]:
        """Take a step; return its seconds and its padded frames."""
        self.recognizer.train()
        begun = self._now()
        batch = batch.to(self.device)
        losses = self._losses(batch)
        losses.mean().float().backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.recognizer.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        taken = self._now() - begun
        self.is_finite &= bool(losses.isfinite().all())
        frames = self.recognizer.frame_lengths(batch.signals, batch.signal_lengths)
        return taken, len(batch) * int(frames.max())

    @torch.no_grad()
    def score(self, batch: Batch) -> float:
        """Compute a loss without learning; return its seconds."""
        self.recognizer.eval()
        begun = self._now()
        self._losses(batch.to(self.device))
        return self._now() - begun

    def _losses(self, batch: Batch) -> torch.Tensor:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.is_bf16):
            features = self.augmentation.features(self.recognizer.frontend, batch)
            emissions = self.recognizer.recognise(features)
            return self.loss.of_feasible(emissions, batch.targets, batch.target_lengths)

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter()


def _wants_gpu(config: Mapping[str, Any]) -> bool:
    accelerator = config["trainer"].get("accelerator", "auto")
    return accelerator in ("gpu", "cuda", "auto") and torch.cuda.is_available()


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"
