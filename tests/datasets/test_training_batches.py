from __future__ import annotations

import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from segmint.datasets.dataset import Dataset
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.training_batches import TrainingBatches
from segmint.datasets.transform_options import AUGMENTATIONS, TransformOptions
from segmint.errors import InputError, UsageError
from segmint.objectives.batch import Batch

DatasetOf = Callable[..., Dataset]
SAMPLES = 7


def samples(channels: int = 3) -> list[Sample]:
    """Seven images of several sizes."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(SAMPLES):
        shape = (30 + 5 * number, 50 - number)
        image = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
        mask = rng.integers(0, 4, shape, dtype=np.uint8)
        made.append(Sample(image=image, mask=mask, name=f"{number}.png"))
    return made


def batches(
    dataset: Dataset,
    *,
    augmentation: str = "strong",
    crop: int = 24,
    batch_size: int = 4,
    seed: int = 3,
    workers: int = 0,
    cache: bool = False,
    steps_per_epoch: int | None = None,
) -> TrainingBatches:
    options = TransformOptions(resize=28, crop=crop, augmentation=augmentation)
    return TrainingBatches(
        dataset,
        options,
        Preprocessing.measured(dataset, options),
        batch_size=batch_size,
        seed=seed,
        workers=workers,
        cache=cache,
        steps_per_epoch=steps_per_epoch,
    )


def some(
    source: TrainingBatches, count: int, *, first: int = 0, rank: int = 0, world: int = 1
) -> list[Batch]:
    stream = source.batches(first, rank=rank, world=world)
    taken = list(islice(stream, count))
    stream.close()
    return taken


def everywhere(batch: Batch) -> torch.Tensor:
    """The region, written out."""
    assert batch.mask is not None
    return torch.ones_like(batch.mask, dtype=torch.bool) if batch.region is None else batch.region


def assert_same(found: list[Batch], expected: list[Batch]) -> None:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert one.names == other.names
        assert one.mask is not None
        assert other.mask is not None
        assert torch.equal(one.image, other.image)
        assert torch.equal(one.mask, other.mask)
        assert torch.equal(everywhere(one), everywhere(other))


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_what_a_batch_holds(dataset_of: DatasetOf, channels: int) -> None:
    (batch,) = some(batches(dataset_of(samples(channels))), 1)
    assert batch.image.shape == (4, channels, 24, 24)
    assert batch.image.dtype == torch.float32
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert batch.mask is not None
    assert batch.mask.shape == (4, 24, 24)
    assert batch.mask.dtype == torch.int64
    assert set(batch.mask.unique().tolist()) <= {0, 1, 2, 3, 255}
    assert len(batch.names) == 4
    assert batch.ignore_index == 255


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cache", [False, True])
def test_worker_processes_change_nothing(dataset_of: DatasetOf, workers: int, cache: bool) -> None:
    dataset = dataset_of(samples())
    expected = some(batches(dataset), 6)
    before = torch.random.get_rng_state()
    found = some(batches(dataset, workers=workers, cache=cache), 6)
    assert_same(found, expected)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_a_run_that_goes_on_sees_the_same(dataset_of: DatasetOf, augmentation: str) -> None:
    dataset = dataset_of(samples())
    whole = some(batches(dataset, augmentation=augmentation), 7)
    rest = some(batches(dataset, augmentation=augmentation, cache=True), 3, first=4)
    assert_same(rest, whole[4:])


@pytest.mark.parametrize("world", [2, 4])
def test_the_parts_of_the_processes_are_the_batch(dataset_of: DatasetOf, world: int) -> None:
    dataset = dataset_of(samples())
    whole = some(batches(dataset), 4)
    parts = [some(batches(dataset), 4, rank=rank, world=world) for rank in range(world)]
    joined = [
        Batch(
            image=torch.cat([each.image for each in step]),
            mask=torch.cat([each.mask for each in step]),
            region=torch.cat([everywhere(each) for each in step]),
            names=tuple(name for each in step for name in each.names),
        )
        for step in zip(*parts, strict=True)
    ]
    assert_same(joined, whole)


def test_a_pass_sees_every_image_once(dataset_of: DatasetOf) -> None:
    names = [name for batch in some(batches(dataset_of(samples())), 7) for name in batch.names]
    passes = [names[first : first + SAMPLES] for first in range(0, 28, SAMPLES)]
    assert all(sorted(each) == [f"{k}.png" for k in range(SAMPLES)] for each in passes)
    assert len({tuple(each) for each in passes}) == 4


def test_another_seed_is_another_run(dataset_of: DatasetOf) -> None:
    dataset = dataset_of(samples())
    (one,), (other,) = (some(batches(dataset, seed=seed), 1) for seed in (0, 1))
    assert not torch.equal(one.image, other.image)


def test_what_is_needed_elsewhere_can_be_pickled(dataset_of: DatasetOf) -> None:
    source = batches(dataset_of(samples()), cache=True)
    again = pickle.loads(pickle.dumps(source))  # noqa: S301
    assert_same(some(again, 2), some(source, 2))


def test_an_epoch_sees_all_data_unless_told(dataset_of: DatasetOf) -> None:
    dataset = dataset_of(samples())
    assert batches(dataset).steps_per_epoch == 2
    assert batches(dataset, batch_size=7).steps_per_epoch == 1
    assert batches(dataset, steps_per_epoch=300).steps_per_epoch == 300


def test_a_region_of_one_image_is_one_of_the_batch(dataset_of: DatasetOf) -> None:
    several = [replace(each, region=None) for each in samples()]
    region = np.zeros(several[0].mask.shape, np.bool_)
    several[0] = replace(several[0], region=region)
    for batch in some(batches(dataset_of(several), augmentation="none"), 4):
        if "0.png" not in batch.names:
            assert batch.region is None
            continue
        assert batch.region is not None
        whole = [bool(each.all()) for each in batch.region]
        assert whole == [name != "0.png" for name in batch.names]


def test_pixels_that_are_all_ignored_are_no_obstacle(dataset_of: DatasetOf) -> None:
    several = [replace(each, mask=np.full_like(each.mask, 255)) for each in samples()]
    (batch,) = some(batches(dataset_of(several)), 1)
    assert batch.mask is not None
    assert torch.all(batch.mask == 255)


def test_a_batch_larger_than_the_data_set_is_refused(dataset_of: DatasetOf) -> None:
    message = r"--batch-size is 8, but split train of held has 7 images: pass --batch-size 7"
    with pytest.raises(UsageError, match=message):
        batches(dataset_of(samples()), batch_size=8)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"batch_size": 0}, "--batch-size is 0, accepted is 1 or more"),
        ({"workers": -1}, "--workers is -1, accepted is 0 or more"),
        ({"steps_per_epoch": 0}, "--steps-per-epoch is 0, accepted is 1 or more"),
    ],
)
def test_numbers_out_of_range_are_refused(
    dataset_of: DatasetOf, numbers: dict[str, int], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        batches(dataset_of(samples()), **numbers)


def test_a_batch_that_cannot_be_shared_is_refused(dataset_of: DatasetOf) -> None:
    with pytest.raises(UsageError, match="--batch-size is 4, but 3 processes share"):
        batches(dataset_of(samples())).batches(0, world=3)


@pytest.mark.parametrize("workers", [0, 1])
def test_whole_images_must_have_one_size(dataset_of: DatasetOf, workers: int) -> None:
    source = batches(dataset_of(samples()), crop=0, augmentation="none", workers=workers)
    message = r"\.png is .*x28 and \d\.png is .*, but all images of a batch must have one size"
    with pytest.raises(InputError, match=message):
        some(source, 1)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_cannot_be_used_is_named(dataset_of: DatasetOf, workers: int) -> None:
    several = [replace(each, image=each.image.astype(np.float32)) for each in samples()]
    dataset = dataset_of(several)
    source = batches(dataset, workers=workers)
    several[5].image[0, 0] = np.nan
    with pytest.raises(InputError, match=r"^5\.png: image holds 3 values that are NaN"):
        some(source, 2)


@pytest.mark.parametrize("workers", [0, 2])
def test_nothing_goes_on_after_the_end(dataset_of: DatasetOf, workers: int) -> None:
    before = set(threading.enumerate())
    some(batches(dataset_of(samples()), workers=workers), 2)
    assert not multiprocessing.active_children()
    with pytest.raises(InputError, match="one size"):
        some(batches(dataset_of(samples()), crop=0, workers=workers), 1)
    # Also while somebody still looks at the error.
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)  # the threads of a loader end a moment after it
    assert not multiprocessing.active_children()
    assert not set(threading.enumerate()) - before  # others' may have ended meanwhile
