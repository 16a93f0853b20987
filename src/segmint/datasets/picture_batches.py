"""Pictures of one step put together, in whatever process that happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.datasets.sample import Sample
from segmint.datasets.tickets import Tickets
from segmint.datasets.transforms import Picture, Transform
from segmint.errors import InputError, SegmintError
from segmint.objectives.batch import Batch

Parts = dict[str, Tensor | tuple[str, ...]]
"""``image``, ``mask``, ``names`` and, when one of them has it, ``region``."""


@dataclass(frozen=True, kw_only=True)
class PictureBatches:
    """By the number of a step the pictures of it, or of one process's part of it."""

    samples: Sequence[Sample]
    transform: Transform
    tickets: Tickets
    rank: int = 0
    world: int = 1

    def __getitem__(self, step: int) -> Parts | SegmintError:
        """The pictures, or the error that one of them met.

        An error is returned, for one raised in a worker process loses its class and its sentence.
        """
        tickets = self.tickets.of_step(step, rank=self.rank, world=self.world)
        try:
            return _together([self._picture(ticket) for ticket in tickets])
        except SegmintError as error:
            return error

    def _picture(self, ticket: int) -> Picture:
        sample = self.samples[self.tickets.sample(ticket)]
        return self.transform(sample, self.tickets.rng(ticket))


def as_batch(parts: Parts | SegmintError, ignore_index: int) -> Batch:
    """The batch of its parts.

    Raises:
        SegmintError: when there was one.
    """
    if isinstance(parts, SegmintError):
        # Another one like it: one raised from a name in this frame would keep itself alive, and
        # with it the worker processes.
        raise type(parts)(*parts.args)
    return Batch(**parts, ignore_index=ignore_index)  # type: ignore[arg-type]


def pinned(parts: Parts | SegmintError) -> Parts | SegmintError:
    """The parts where a GPU can fetch them by itself."""
    if isinstance(parts, SegmintError):
        return parts
    return {
        name: part.pin_memory() if isinstance(part, Tensor) else part
        for name, part in parts.items()
    }


def _together(pictures: Sequence[Picture]) -> Parts:
    _check_one_size(pictures)
    count, shape = len(pictures), pictures[0].image.shape
    # Channels last in memory, as networks compute; int64 is what targets of losses are.
    image = np.empty((count, *shape), np.float32)
    mask = np.empty((count, *shape[:2]), np.int64)
    for place, picture in enumerate(pictures):
        image[place], mask[place] = picture.image, picture.mask
    parts: Parts = {
        "image": torch.from_numpy(image).permute(0, 3, 1, 2),
        "mask": torch.from_numpy(mask),
        "names": tuple(picture.name for picture in pictures),
    }
    region = _region(pictures)
    if region is not None:
        parts["region"] = torch.from_numpy(region)
    return parts


def _region(pictures: Sequence[Picture]) -> NDArray[np.bool_] | None:
    if all(picture.region is None for picture in pictures):
        return None
    everywhere = np.ones(pictures[0].mask.shape, np.bool_)
    regions = [everywhere if each.region is None else each.region for each in pictures]
    return np.stack(regions)


def _check_one_size(pictures: Sequence[Picture]) -> None:
    first = pictures[0]
    for picture in pictures[1:]:
        if picture.mask.shape != first.mask.shape:
            sizes = ["x".join(map(str, each.mask.shape)) for each in (first, picture)]
            raise InputError(
                f"{first.name or 'an image'} is {sizes[0]} and {picture.name or 'another'} is "
                f"{sizes[1]}, but all images of a batch must have one size: pass --crop with the "
                "side of a square, or --batch-size 1"
            )
