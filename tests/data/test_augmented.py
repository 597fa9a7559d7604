"""Training examples as an epoch sees them: augmented, reproducible, and never dev."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from data.ink_corpus import data_of, signals_of, words

from seqrec.data.dataset import ManifestDataset
from seqrec.ink.augmentation.displacement import ElasticWarp, Jitter
from seqrec.ink.augmentation.geometry import LinearMap, Rotate
from seqrec.ink.augmentation.time import TimeWarp
from seqrec.ink.reader import InkReader
from seqrec.text.tokens import CharacterTokenizer

STRONG = {
    "linear_map": LinearMap(0.3),
    "rotate": Rotate(45),
    "elastic": ElasticWarp(0.2),
    "jitter": Jitter(0.05),
    "time_warp": TimeWarp(1.0, 0.5),
}


def raw(folder: Path, split: str) -> dict[str, np.ndarray]:
    dataset = ManifestDataset(folder / f"manifest-{split}.jsonl", InkReader(), CharacterTokenizer(" ab"))
    return {example.id: example.signal.numpy() for example in (dataset[i] for i in range(len(dataset)))}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[id], second[id], equal_nan=True) for id in second)


def test_dev_is_never_augmented(tmp_path: Path) -> None:
    data = data_of(tmp_path, words(20), STRONG)
    for _ in range(2):
        assert same(signals_of(list(data.val_dataloader())), raw(tmp_path, "dev"))


def test_each_epoch_sees_every_example_otherwise(tmp_path: Path) -> None:
    first, second, again = (
        signals_of(data_of(tmp_path, words(20), STRONG, epoch=epoch).batches()) for epoch in (0, 1, 0)
    )
    plain = raw(tmp_path, "train")
    assert first.keys() == second.keys() == plain.keys()
    assert same(first, again)
    for one, other in ((first, second), (first, plain), (second, plain)):
        assert sum(np.array_equal(one[id], other[id], equal_nan=True) for id in plain) == 0
    another_seed = signals_of(data_of(tmp_path, words(20), STRONG, seed=1).batches())
    assert not same(first, another_seed)


def test_what_else_is_in_the_batch_does_not_matter(tmp_path: Path) -> None:
    together, alone = (
        signals_of(data_of(tmp_path, words(20), STRONG, max_examples=most).batches()) for most in (64, 1)
    )
    assert same(together, alone)
    fewer = signals_of(data_of(tmp_path, words(20)[::2], STRONG).batches())
    assert same(fewer, {id: together[id] for id in fewer})


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers_draw_the_same(tmp_path: Path) -> None:
    none, two = (data_of(tmp_path, words(20), STRONG, num_workers=count, max_frames=600) for count in (0, 2))
    batches = none.batches()
    assert len(batches) > 3
    assert same(signals_of(two.batches()), signals_of(batches))
