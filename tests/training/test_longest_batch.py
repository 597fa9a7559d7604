"""The longest batch is tried before training, and leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule
from tiny_training import noise, tiny_module, train
from torch import nn
from torch.utils.data import DataLoader

from seqrec.data.batching import FrameBatches
from seqrec.training.longest_batch import longest_batch, try_batch


def test_the_batch_with_the_most_frames_is_found() -> None:
    lengths = np.array([4, 30, 5, 6, 9, 8, 31, 7], np.int32)
    examples = [object()] * len(lengths)
    found = []
    loader = DataLoader(
        examples,
        batch_sampler=FrameBatches(lengths, max_frames=40, seed=1),
        collate_fn=lambda given: found.append(len(given)),
    )
    longest_batch(loader)
    sizes = {len(batch): len(batch) * int(lengths[batch].max()) for batch in loader.batch_sampler}
    assert sizes[found[0]] == max(sizes.values())
    loader.batch_sampler.set_epoch(0, skipped_batches=len(loader.batch_sampler))
    assert longest_batch(loader) is None


def test_it_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    module = tiny_module()
    batch = noise([9, 7], ["ab", "c"])
    train(module, [batch])
    module.recognizer.encoder.add_module("norm", nn.BatchNorm1d(3))
    inner = module.augmentation.features

    def features(frontend: nn.Module, batch: object) -> object:
        found = inner(frontend, batch)
        torch.rand(3)
        module.recognizer.encoder.norm(found.values.flatten(0, 1))  # moves its statistics
        return found

    monkeypatch.setattr(module.augmentation, "features", features)
    module.zero_grad()
    module.train()
    state, random = {name: value.clone() for name, value in module.state_dict().items()}, torch.get_rng_state()
    assert try_batch(module, batch)
    assert torch.get_rng_state().equal(random)
    assert all(value.equal(state[name]) for name, value in module.state_dict().items())
    assert all(weight.grad is None for weight in module.parameters())


def test_too_long_a_batch_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    module, batch = tiny_module(), noise([9, 7], ["ab", "c"])
    train(module, [batch])

    def summed_loss(self: LightningModule, batch: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(type(module), "summed_loss", summed_loss)
    assert not try_batch(module, batch)
    assert "of 2 examples (noise-0 among them) of up to 9 samples or points, does not fit" in caplog.text
    assert "data.max_frames=50 makes smaller batches" in caplog.text
