from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from segmint.datasets.dataset import Dataset
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.validation_images import ValidationImages
from segmint.errors import InputError

DatasetOf = Callable[..., Dataset]

PREPROCESSING = Preprocessing(resize=16, mean=(0.5, 0.5), deviation=(0.25, 0.5))


def samples() -> list[Sample]:
    """Five images of several sizes, every other one with a region."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(5):
        shape = (20 + number, 31)
        region = rng.random(shape) < 0.5 if number % 2 else None
        image = rng.random((*shape, 2), np.float32)
        mask = rng.integers(0, 4, shape, dtype=np.uint8)
        mask.flags.writeable = False
        made.append(Sample(image=image, mask=mask, region=region, name=f"{number}.png"))
    return made


def test_masks_have_their_native_size(dataset_of: DatasetOf) -> None:
    several = samples()
    images = ValidationImages(dataset_of(several), PREPROCESSING)
    assert len(images) == 5
    found = list(images.batches())
    for batch, sample in zip(found, several, strict=True):
        assert batch.names == (sample.name,)
        assert torch.equal(batch.image, PREPROCESSING.tensor(sample.image))
        assert min(batch.image.shape[2:]) == 16
        assert batch.mask is not None
        assert batch.mask.dtype == torch.int64
        assert np.array_equal(batch.mask[0], sample.mask)
        assert (batch.region is None) == (sample.region is None)
        if batch.region is not None:
            assert np.array_equal(batch.region[0], sample.region)


@pytest.mark.parametrize("world", [2, 3, 7])
def test_processes_take_turns(dataset_of: DatasetOf, world: int) -> None:
    images = ValidationImages(dataset_of(samples()), PREPROCESSING)
    parts = [
        [batch.names[0] for batch in images.batches(rank=rank, world=world)]
        for rank in range(world)
    ]
    assert sorted(name for part in parts for name in part) == [f"{k}.png" for k in range(5)]
    assert parts[1] == [f"{k}.png" for k in range(1, 5, world)]


def test_an_image_that_cannot_be_used_is_named(dataset_of: DatasetOf) -> None:
    several = samples()
    several[3].image[2, 2] = np.inf
    images = ValidationImages(dataset_of(several), PREPROCESSING)
    with pytest.raises(InputError, match=r"^3\.png: image holds 2 values"):
        list(images.batches())
