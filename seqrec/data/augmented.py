"""Training examples as an epoch sees them: joined to lines, then changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from seqrec.augmentation.chain import AugmentationChain
from seqrec.data.dataset import ManifestDataset
from seqrec.data.joining import SEPARATOR
from seqrec.sequence import Example


class AugmentedDataset(Dataset[Example]):
    """The examples of `dataset`, changed by `augmentation` as (seed, epoch, id of the example) decide.

    Args:
        dataset: the training split.
        augmentation: what changes its examples.
        seed: of the run.
        epoch: that the examples are for.
        lines: the indices of the examples of each line, which is one item; None: each example is one, in order.
    """

    def __init__(
        self,
        dataset: ManifestDataset,
        augmentation: AugmentationChain,
        seed: int,
        epoch: int,
        lines: Sequence[np.ndarray] | None = None,
    ) -> None:
        self.dataset = dataset
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = epoch
        self.lines = lines

    def __len__(self) -> int:
        return len(self.dataset if self.lines is None else self.lines)

    def __getitem__(self, number: int) -> Example:
        indices = [number] if self.lines is None else self.lines[number].tolist()
        examples = [self.dataset[index] for index in indices]
        example = examples[0] if len(examples) == 1 else self._join(examples)
        return self.augmentation.augment(example, self.seed, self.epoch)

    def _join(self, examples: Sequence[Example]) -> Example:
        id = "+".join(example.id for example in examples)
        text = SEPARATOR.join(example.text for example in examples)
        signal = self.augmentation.join([example.signal for example in examples], id, self.seed, self.epoch)
        return Example(id, signal, text, torch.tensor(self.dataset.tokenizer.encode(text, id), dtype=torch.int64))
