"""Training examples as an epoch sees them."""

from __future__ import annotations

from torch.utils.data import Dataset

from seqrec.augmentation.chain import AugmentationChain
from seqrec.data.dataset import ManifestDataset
from seqrec.sequence import Example


class AugmentedDataset(Dataset[Example]):
    """The examples of `dataset`, changed by `augmentation` as (seed, epoch, id of the example) decide."""

    def __init__(self, dataset: ManifestDataset, augmentation: AugmentationChain, seed: int, epoch: int) -> None:
        self.dataset = dataset
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Example:
        return self.augmentation.augment(self.dataset[index], self.seed, self.epoch)
