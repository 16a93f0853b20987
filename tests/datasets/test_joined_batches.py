from __future__ import annotations

import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import cast

import numpy as np
import pytest
import torch

from segmint.datasets.dataset import Dataset
from segmint.datasets.joined_batches import JoinedBatches
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.training_batches import TrainingBatches
from segmint.datasets.transform_options import TransformOptions
from segmint.errors import InputError, UsageError
from segmint.objectives.batch import Batch

DatasetOf = Callable[..., Dataset]


def samples(count: int, *, label: int | None = None, side: int = 20) -> list[Sample]:
    rng = np.random.default_rng(count)
    made = []
    for number in range(count):
        image = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        mask = rng.integers(0, 4, (side, side), dtype=np.uint8)
        if label is not None:
            mask = np.full_like(mask, label)
        made.append(Sample(image=image, mask=mask, name=f"{'m' if label is None else 'u'}{number}"))
    return made


class Pair:
    """Both sources, and what joins them."""

    def __init__(
        self,
        dataset_of: DatasetOf,
        *,
        sizes: tuple[int, int] = (4, 2),
        crop: int = 16,
        augmentation: str = "strong",
        workers: int = 0,
        masked: list[Sample] | None = None,
        unmasked: list[Sample] | None = None,
    ) -> None:
        options = TransformOptions(crop=crop, augmentation=augmentation, normalization="unit")
        masked = samples(7) if masked is None else masked
        unmasked = samples(5, label=255) if unmasked is None else unmasked
        self.labelled, self.unlabelled = (
            TrainingBatches(
                dataset,
                options,
                Preprocessing.measured(dataset, options),
                batch_size=batch_size,
                seed=seed,
                workers=workers,
            )
            for dataset, batch_size, seed in zip(
                map(dataset_of, (masked, unmasked)), sizes, (3, 4), strict=True
            )
        )
        self.joined = JoinedBatches(self.labelled, self.unlabelled)


def some(
    source: JoinedBatches | TrainingBatches,
    count: int,
    *,
    first: int = 0,
    rank: int = 0,
    world: int = 1,
) -> list[Batch]:
    stream = cast(Generator[Batch], source.batches(first, rank=rank, world=world))
    with closing(stream):
        return list(islice(stream, count))


def written_out(batch: Batch) -> torch.Tensor:
    assert batch.mask is not None
    return torch.ones_like(batch.mask, dtype=torch.bool) if batch.region is None else batch.region


def assert_joined(found: list[Batch], labelled: list[Batch], unlabelled: list[Batch]) -> None:
    """Each batch begins with the one part and ends with the other."""
    assert len(found) == len(labelled) == len(unlabelled) > 0
    for batch, one, other in zip(found, labelled, unlabelled, strict=True):
        assert batch.without_mask == len(other.image)
        assert batch.names == (*one.names, *other.names)
        assert batch.mask is not None
        assert one.mask is not None
        assert other.mask is not None
        count = len(one.image)
        for joined, first, second in (
            (batch.image, one.image, other.image),
            (batch.mask, one.mask, other.mask),
            (written_out(batch), written_out(one), written_out(other)),
        ):
            assert joined.dtype == first.dtype
            assert torch.equal(joined[:count], first)
            assert torch.equal(joined[count:], second)


@pytest.mark.parametrize("workers", [0, 1])
def test_both_parts_of_every_step(dataset_of: DatasetOf, workers: int) -> None:
    pair = Pair(dataset_of, workers=workers)
    found = some(pair.joined, 4)
    alone = Pair(dataset_of)
    assert_joined(found, some(alone.labelled, 4), some(alone.unlabelled, 4))
    for batch in found:
        assert batch.image.shape == (6, 3, 16, 16)
        assert batch.image.is_contiguous(memory_format=torch.channels_last)
        assert batch.mask is not None
        assert (batch.mask[4:] == 255).all()
        assert (batch.mask[:4] != 255).any()
        part = batch.masked_part()
        assert part.names == batch.names[:4]
        assert all(name.startswith("m") for name in part.names)
        assert part.image.is_contiguous(memory_format=torch.channels_last)


def test_what_must_stay_when_a_training_goes_on(dataset_of: DatasetOf) -> None:
    pair = Pair(dataset_of)
    told = {"batch_size": 4, "images": 7, "crop": 16, "augmentation": "strong"}
    told |= {"resize": TransformOptions().resize, "normalization": "unit"}
    assert pair.labelled.fixed == told
    assert pair.joined.fixed == {**told, "unlabelled_batch_size": 2, "unlabelled_images": 5}


def test_an_epoch_sees_all_images_with_masks(dataset_of: DatasetOf) -> None:
    assert Pair(dataset_of).joined.steps_per_epoch == 2
    assert Pair(dataset_of, sizes=(1, 5)).joined.steps_per_epoch == 7


@pytest.mark.parametrize("first", [1, 5])
def test_a_run_that_goes_on_sees_the_same(dataset_of: DatasetOf, first: int) -> None:
    pair = Pair(dataset_of)
    rest = some(pair.joined, 2, first=first)
    assert_joined(
        rest, some(pair.labelled, first + 2)[first:], some(pair.unlabelled, first + 2)[first:]
    )


def test_every_process_has_its_share_of_both(dataset_of: DatasetOf) -> None:
    pair = Pair(dataset_of)
    for rank in range(2):
        assert_joined(
            some(pair.joined, 3, rank=rank, world=2),
            some(pair.labelled, 3, rank=rank, world=2),
            some(pair.unlabelled, 3, rank=rank, world=2),
        )


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((3, 2), "--batch-size is 3, but 2 processes share each batch: pass a multiple of 2"),
        ((2, 3), "--unlabelled-batch-size is 3, but 2 processes share each batch: pass a multiple"),
    ],
)
@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_that_cannot_be_shared_is_refused(
    dataset_of: DatasetOf, sizes: tuple[int, int], message: str, workers: int
) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        Pair(dataset_of, sizes=sizes, workers=workers).joined.batches(0, world=2)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("side", ["masked", "unmasked", "both", "none"])
def test_a_region_is_everywhere_where_there_is_none(dataset_of: DatasetOf, side: str) -> None:
    masked, unmasked = samples(4), samples(2, label=255)
    region = np.arange(400).reshape(20, 20) % 3 == 0
    if side in ("masked", "both"):
        masked = [replace(each, region=region) for each in masked]
    if side in ("unmasked", "both"):
        unmasked = [replace(each, region=region) for each in unmasked]
    pair = Pair(dataset_of, crop=0, augmentation="none", masked=masked, unmasked=unmasked)
    (batch,) = some(pair.joined, 1)
    if side == "none":
        assert batch.region is None
        return
    expected = np.ones((6, 20, 20), np.bool_)
    expected[:4] = region if side != "unmasked" else True
    expected[4:] = region if side != "masked" else True
    assert batch.region is not None
    assert np.array_equal(batch.region.numpy(), expected)


def test_what_is_needed_elsewhere_can_be_pickled(dataset_of: DatasetOf) -> None:
    pair = Pair(dataset_of)
    again = pickle.loads(pickle.dumps(pair.joined))  # noqa: S301
    assert_joined(some(again, 2), some(pair.labelled, 2), some(pair.unlabelled, 2))


def test_images_of_unlike_size_are_refused(dataset_of: DatasetOf) -> None:
    pair = Pair(dataset_of, crop=0, augmentation="none", unmasked=samples(3, label=255, side=24))
    message = (
        r"^m\d is 20x20 and u\d, which has no mask, is 24x24, but all images of a batch must have "
        "one size: pass --crop with the side"
    )
    with pytest.raises(InputError, match=message):
        some(pair.joined, 1)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("part", ["masked", "unmasked"])
def test_nothing_goes_on_after_the_end(dataset_of: DatasetOf, workers: int, part: str) -> None:
    before = set(threading.enumerate())
    some(Pair(dataset_of, workers=workers).joined, 2)
    assert not multiprocessing.active_children()
    spoilt = [
        replace(each, image=np.full(each.image.shape, np.nan, np.float32)) for each in samples(4)
    ]
    joined = Pair(dataset_of, workers=workers, **{part: spoilt}).joined  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^m\d: image holds .* NaN"):
        some(joined, 1)
    # Also while somebody still looks at the error.
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)  # the threads of a loader end a moment after it
    assert not multiprocessing.active_children()
    assert not set(threading.enumerate()) - before  # others' may have ended meanwhile
