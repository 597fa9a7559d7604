"""The chain: what its parts are given, and what alone their random numbers depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from seqrec.augmentation.chain import AugmentationChain
from seqrec.augmentation.spec_augment import SpecAugment
from seqrec.errors import UserError
from seqrec.sequence import Batch, Example, Features, collate
from seqrec.speech.augmentation.gain import Gain
from seqrec.speech.logmel import LogMel

RATE = 8000


@dataclass
class Draw:
    """Puts a random number behind the signal."""

    acts_on: Literal["signal"] = "signal"
    num_channels = 1

    def __call__(self, signal: Tensor, random: np.random.Generator) -> Tensor:
        return torch.cat([signal, torch.full((1, 1), random.random())])


@dataclass
class Seen:
    """Adds 1 to the features' valid frames, and keeps what it saw."""

    before_normalisation: bool = False
    acts_on: Literal["features"] = "features"
    means: list[float] = field(default_factory=list)
    seeds: list[list[int]] = field(default_factory=list)

    def __call__(self, features: Features, seeds: Tensor) -> Features:
        self.means.append(float(features.values.mean()))
        self.seeds.append(seeds.tolist())
        return Features(features.values + 1, features.lengths)


@dataclass
class Join:
    """Puts signals one behind another, and a random number behind them."""

    by: str = "writer"
    max_words: int = 3
    probability: float = 1.0
    acts_on: Literal["examples"] = "examples"

    def __call__(self, signals: Sequence[Tensor], random: np.random.Generator) -> Tensor:
        return torch.cat([*signals, torch.full((1, 1), random.random())])


def example(id: str = "a", count: int = 2000) -> Example:
    signal = 0.1 * torch.randn(count, 1, generator=torch.Generator().manual_seed(count))
    return Example(id=id, signal=signal, text="", targets=torch.zeros(0, dtype=torch.int64))


def drawn(chain: AugmentationChain, id: str = "a", seed: int = 0, epoch: int = 0) -> list[float]:
    return chain.augment(example(id), seed, epoch).signal[2000:, 0].tolist()


def batch_of(chain: AugmentationChain, *examples: Example) -> Batch:
    return collate([chain.augment(each, 0, 0) for each in examples])


def test_numbers_depend_on_seed_epoch_example_and_name() -> None:
    chain = AugmentationChain({"one": Draw(), "two": Draw()})
    base = drawn(chain)
    assert drawn(chain) == base
    numbers = [*base, *drawn(chain, "b"), *drawn(chain, seed=1), *drawn(chain, epoch=1)]
    assert len(set(numbers)) == len(numbers) == 8


def test_numbers_do_not_depend_on_the_other_parts() -> None:
    one, two = drawn(AugmentationChain({"one": Draw(), "two": Draw()}))
    assert drawn(AugmentationChain({"two": Draw(), "one": Draw()})) == [two, one]  # they act in the config's order
    assert drawn(AugmentationChain({"spec": SpecAugment(), "two": Draw()})) == [two]


def test_without_parts_an_example_and_its_features_stay() -> None:
    chain, frontend = AugmentationChain(), LogMel(RATE, num_mels=20, low_hz=50.0)
    same = chain.augment(example(), 0, 0)
    assert same.signal.equal(example().signal)
    assert same.seed == 0
    batch = batch_of(chain, example(), example("b", 900))
    assert chain.features(frontend, batch).values.equal(frontend(batch.signals, batch.signal_lengths).values)


def test_the_example_itself_is_not_changed() -> None:
    original = example()
    before = original.signal.clone()
    AugmentationChain({"gain": Gain(6, 6), "spec": SpecAugment()}).augment(original, 0, 0)
    assert original.signal.equal(before)
    assert original.seed == 0


def test_feature_parts_act_before_and_after_normalisation() -> None:
    before, after = Seen(before_normalisation=True), Seen()
    chain, frontend = AugmentationChain({"after": after, "before": before}), LogMel(RATE, num_mels=20, low_hz=50.0)
    batch = batch_of(chain, example())
    found = chain.features(frontend, batch)
    assert before.means[0] < -1  # log energies of soft noise
    assert after.means[0] == pytest.approx(0, abs=1e-4)
    torch.testing.assert_close(found.values, frontend(batch.signals, batch.signal_lengths).values + 1)
    assert before.seeds != after.seeds


def test_feature_seeds_are_the_examples_own() -> None:
    part = Seen()
    chain, frontend = AugmentationChain({"seen": part}), LogMel(RATE, num_mels=20, low_hz=50.0)
    for examples in ([example()], [example("b"), example()], [example("a", 500)]):
        chain.features(frontend, batch_of(chain, *examples))
    (alone,), (other, together), (shorter,) = part.seeds
    assert alone == together == shorter != other
    assert chain.augment(example(), 0, 1).seed != chain.augment(example(), 0, 0).seed


def test_an_example_gets_the_same_masks_in_any_batch() -> None:
    chain = AugmentationChain({"gain": Gain(), "spec": SpecAugment(frequency_mask_size=8)})
    frontend = LogMel(RATE, num_mels=20, low_hz=50.0)
    alone = chain.features(frontend, batch_of(chain, example())).values[0]
    together = chain.features(frontend, batch_of(chain, example("b", 9000), example())).values[1]
    torch.testing.assert_close(together[: len(alone)], alone, atol=1e-5, rtol=0)
    assert not together[len(alone) :].any()
    assert (alone == 0).any()


def test_one_part_joins_by_numbers_of_its_own() -> None:
    chain = AugmentationChain({"draw": Draw(), "join": Join()})
    signals = [example().signal, example("b", 500).signal]
    lines = [chain.join(signals, id, seed, epoch) for id, seed, epoch in [("l", 0, 0), ("l", 0, 0), ("m", 0, 0)]]
    assert lines[0][:-1].equal(torch.cat(signals))
    assert lines[0].equal(lines[1])
    assert not lines[0].equal(lines[2])
    plans = [chain.plan_random(seed, epoch).random() for seed, epoch in [(0, 0), (0, 1), (1, 0), (0, 0)]]
    assert len(set(plans)) == 3
    assert plans[0] == plans[3]
    with pytest.raises(UserError, match="`join` and `again` both join"):
        AugmentationChain({"join": Join(), "again": Join()})


def test_built_from_a_config() -> None:
    gain: dict[str, Any] = {"_target_": "seqrec.speech.augmentation.gain.Gain", "low_db": 6.0}
    chain = AugmentationChain.build({"gain": gain, "left_out": None}, 1)
    louder = chain.augment(example(), 0, 0).signal
    torch.testing.assert_close(louder, example().signal * 10**0.3)  # exactly 6 dB: the greatest is 6 too


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"gain": True}, "augmentation.gain=True is no part"),
        ({"gain": {"_target_": "seqrec.speech.augmentation.gain.Gain", "low_db": 7.0}}, "augmentation.gain: low_db=7"),
        ({"gain": {"_target_": "seqrec.speech.augmentation.gain.Gian"}}, r"augmentation.gain._target_=.*Gian"),
        (
            {"noise": {"_target_": "seqrec.speech.augmentation.noise.AdditiveNoise", "folder": "/gone"}},
            "augmentation.noise: folder=/gone: no such folder",
        ),
    ],
)
def test_mistakes_name_the_part(config: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        AugmentationChain.build(config, 1)


def test_an_augmentation_of_another_modality_is_refused() -> None:
    config = {"scale": {"_target_": "seqrec.ink.augmentation.geometry.Scale"}}
    with pytest.raises(UserError, match=r"augmentation\.scale changes signals of 6 channels, but the reader gives 1"):
        AugmentationChain.build(config, 1)
