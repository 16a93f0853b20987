from __future__ import annotations

from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from segmint.objectives import Batch
from segmint.solvers.image_batches import EachImage, ImageBatches

CPU = torch.device("cpu")


def numbered(widths: list[int], *, region_of: int | None = None) -> list[Batch]:
    """Images of these widths whose pixels hold their number."""
    return [
        Batch(
            image=torch.full((1, 2, 3, width), float(number)),
            region=torch.zeros(1, 3, width, dtype=torch.bool) if number == region_of else None,
            names=(str(number),),
        )
        for number, width in enumerate(widths)
    ]


def source(images: list[Batch], *, batch_size: int = 2, seed: int = 0, **more) -> ImageBatches:
    return ImageBatches(images, batch_size=batch_size, seed=seed, place=CPU, **more)


def noisy(batch: Batch, generator: torch.Generator) -> Batch:
    return Batch(image=torch.rand(batch.image.shape, generator=generator), names=batch.names)


widths = some.lists(some.integers(1, 4), min_size=1, max_size=12)


@given(widths, some.integers(1, 5), some.integers(0, 9))
def test_every_image_once_an_epoch(widths: list[int], size: int, seed: int) -> None:
    made = source(numbered(widths), batch_size=size, seed=seed)
    stream = made.batches(0)
    for _ in range(2):
        epoch = list(islice(stream, made.steps_per_epoch))
        names = [name for batch in epoch for name in batch.names]
        assert sorted(names, key=int) == [str(number) for number in range(len(widths))]
        for batch in epoch:
            assert 1 <= len(batch.image) == len(batch.names) <= size
            assert batch.image[:, 0, 0, 0].tolist() == [float(name) for name in batch.names]
            assert {widths[int(name)] for name in batch.names} == {batch.image.shape[-1]}


@given(widths, some.integers(1, 4), some.integers(0, 30))
def test_can_be_entered_at_any_step(widths: list[int], size: int, step: int) -> None:
    made = source(numbered(widths), batch_size=size, change=noisy)
    from_start = list(islice(made.batches(0), step, step + 4))
    for one, two in zip(from_start, islice(made.batches(step), 4), strict=True):
        assert one.names == two.names
        assert torch.equal(one.image, two.image)


def test_order_and_chance_change_with_seed_epoch_and_step() -> None:
    made, other = (source(numbered([2] * 8), seed=seed, change=noisy) for seed in (0, 1))
    first = list(islice(made.batches(0), 8))
    orders = [[batch.names for batch in part] for part in (first[:4], first[4:])]
    orders.append([batch.names for batch in islice(other.batches(0), 4)])
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]
    pictures = [batch.image for batch in first] + [next(other.batches(0)).image]
    assert len({float(picture[0, 0, 0, 0]) for picture in pictures}) == 9


def test_the_global_state_stays_as_it_was() -> None:
    before = torch.get_rng_state()
    list(islice(source(numbered([2] * 3), change=noisy).batches(0), 4))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("region_of", [None, 1])
def test_a_region_is_written_out_beside_another(region_of: int | None) -> None:
    batch = next(source(numbered([2, 2], region_of=region_of)).batches(0))
    if region_of is None:
        assert batch.region is None
    else:
        marked = batch.region.all(dim=(1, 2)).tolist()
        assert marked == [name != "1" for name in batch.names]


def test_batches_are_channels_last() -> None:
    batch = next(source(numbered([3, 3, 3])).batches(0))
    assert batch.image.is_contiguous(memory_format=torch.channels_last)


def test_each_image_alone() -> None:
    images = numbered([1, 2, 3])
    assert [batch.names for batch in EachImage(images=images).batches()] == [("0",), ("1",), ("2",)]
    assert [batch.names for batch in EachImage(images=images).batches(rank=1, world=2)] == [("1",)]
