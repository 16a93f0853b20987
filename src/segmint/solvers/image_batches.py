"""Images that lie in memory, as the training loop takes them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from segmint.objectives.batch import Batch
from segmint.solvers.transfer import moved

Change = Callable[[Batch, torch.Generator], Batch]
"""What is made of a batch by chance; the generator is of the processor."""

_ORDER, _CHANGE = 0, 1
"""Streams of random numbers: the order of an epoch, and what happens to one batch."""


class ImageBatches:
    """Every image once an epoch, in random order, in batches of images of one size.

    Both follow from the seed, the epoch and the step alone, so any run can enter at any step.

    Args:
        images: batches of one image each, all with the same C and prior means.
        batch_size: images a step, at most.
        seed: of the order and of changes.
        place: where the batches go, before they are changed.
        change: made to each batch.

    Example:
        >>> images = [Batch(image=torch.zeros(1, 3, 4, width)) for width in (5, 6, 5)]
        >>> source = ImageBatches(images, batch_size=2, seed=0, place=torch.device("cpu"))
        >>> stream = source.batches(0)
        >>> sorted(tuple(next(stream).image.shape) for _ in range(source.steps_per_epoch))
        [(1, 3, 4, 6), (2, 3, 4, 5)]
    """

    def __init__(
        self,
        images: Sequence[Batch],
        *,
        batch_size: int,
        seed: int,
        place: torch.device,
        change: Change | None = None,
    ) -> None:
        self._images = images
        self._batch_size = batch_size
        self._seed = seed
        self._place = place
        self._change = change
        sizes = Counter(image.image.shape for image in images)
        self.steps_per_epoch = sum(-(-count // batch_size) for count in sizes.values())

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Every batch from a step on, without end; of several processes each gets all of it."""
        epoch, done = divmod(first_step, self.steps_per_epoch)
        orders = (self._order(number) for number in itertools.count(epoch))
        rest = itertools.islice(itertools.chain.from_iterable(orders), done, None)
        for step, indices in enumerate(rest, start=first_step):
            yield self._made(step, [self._images[index] for index in indices])

    def _order(self, epoch: int) -> list[list[int]]:
        """Numbers of the images of each batch of an epoch."""
        generator = np.random.default_rng((self._seed, _ORDER, epoch))
        groups: dict[torch.Size, list[int]] = {}
        for index in generator.permutation(len(self._images)).tolist():
            groups.setdefault(self._images[index].image.shape, []).append(index)
        found = [
            group[start : start + self._batch_size]
            for group in groups.values()
            for start in range(0, len(group), self._batch_size)
        ]
        return [found[position] for position in generator.permutation(len(found)).tolist()]

    def _made(self, step: int, images: Sequence[Batch]) -> Batch:
        batch = moved(_joined(images), self._place)
        if self._change is None:
            return batch
        seeds = np.random.SeedSequence((self._seed, _CHANGE, step))
        generator = torch.Generator().manual_seed(int(seeds.generate_state(1)[0]))
        return self._change(batch, generator)


@dataclass(frozen=True, kw_only=True)
class EachImage:
    """The images one by one, to see what a network makes of all of them."""

    images: Sequence[Batch]

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Those of this process."""
        return iter(self.images[rank::world])


def with_region(image: Batch) -> Batch:
    """The image with its region written out where it is everywhere."""
    if image.region is not None:
        return image
    return replace(image, region=torch.ones_like(image.image[:, 0], dtype=torch.bool))


def _joined(images: Sequence[Batch]) -> Batch:
    """Images of one size as one batch."""
    if any(image.region is not None for image in images):
        images = [with_region(image) for image in images]
    regions = [image.region for image in images if image.region is not None]
    return Batch(
        image=torch.cat([image.image for image in images]),
        region=torch.cat(regions) if regions else None,
        prior_means=images[0].prior_means,
        names=tuple(name for image in images for name in image.names),
    )
