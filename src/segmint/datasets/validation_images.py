"""The images of a validation split, one at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from segmint.datasets.dataset import Dataset
from segmint.datasets.prefetching import prefetched
from segmint.datasets.preprocessing import Preprocessing
from segmint.objectives.batch import Batch


class ValidationImages:
    """Whole images as the network wants them, with masks as they are in their files.

    Args:
        dataset: the split to be judged on.
        preprocessing: size and normalization, those of training.
    """

    def __init__(self, dataset: Dataset, preprocessing: Preprocessing) -> None:
        self._dataset, self._preprocessing = dataset, preprocessing

    def __len__(self) -> int:
        return len(self._dataset)

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Every ``world``-th image, from number ``rank`` on.

        Returns:
            Batches of one with ``image`` (1, C, h, w) float32 as the network wants it, and
            ``mask`` (1, H, W) int64 and ``region`` of native size.

        Raises:
            InputError: for a sample that cannot be used, when its turn comes.
        """
        return prefetched(self._batch, range(rank, len(self._dataset), world))

    def _batch(self, index: int) -> Batch:
        sample = self._dataset[index]
        region = sample.region
        return Batch(
            image=self._preprocessing.tensor(sample.image, name=sample.name),
            mask=torch.from_numpy(sample.mask[np.newaxis].astype(np.int64)),
            region=None if region is None else torch.from_numpy(region[np.newaxis].copy()),
            ignore_index=self._dataset.ignore_index,
            names=(sample.name,),
        )
