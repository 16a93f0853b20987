"""Batches of images with masks, followed by images without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from segmint.datasets.training_batches import TrainingBatches
from segmint.errors import InputError, UsageError
from segmint.objectives.batch import Batch


class JoinedBatches:
    """Joins the batches that two sources have for each step.

    Args:
        labelled: images with masks; an epoch sees all of them.
        unlabelled: images without masks, of the same channels and ``ignore_index``. With a seed of
            its own its crops and changes of light are not those of the images with masks.
    """

    def __init__(self, labelled: TrainingBatches, unlabelled: TrainingBatches) -> None:
        self.steps_per_epoch = labelled.steps_per_epoch
        self.fixed: Mapping[str, Any] = {
            **labelled.fixed,
            "unlabelled_batch_size": unlabelled.batch_size,
            "unlabelled_images": unlabelled.fixed["images"],
        }
        """What must be the same when a training goes on."""
        self._labelled, self._unlabelled = labelled, unlabelled

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """This process's share of every batch from a step on, without end.

        Returns:
            Batches whose last ``without_mask`` images are those without masks, otherwise as those
            of :meth:`TrainingBatches.batches`.

        Raises:
            UsageError: when one of the batches cannot be divided by the processes.
            InputError: for a sample that cannot be used, and for images of unlike size, when their
                step comes.
        """
        count = self._unlabelled.batch_size
        if count % world:
            raise UsageError(
                f"--unlabelled-batch-size is {count}, but {world} processes share each batch: pass "
                f"a multiple of {world}"
            )
        return _in_step(
            self._labelled.batches(first_step, rank=rank, world=world),
            self._unlabelled.batches(first_step, rank=rank, world=world),
        )


def _in_step(labelled: Iterator[Batch], unlabelled: Iterator[Batch]) -> Iterator[Batch]:
    try:
        while True:
            yield _joined(next(labelled), next(unlabelled))
    finally:
        # Threads and worker processes of both end here, not when a traceback is forgotten.
        del labelled, unlabelled


def _joined(labelled: Batch, unlabelled: Batch) -> Batch:
    _check_one_size(labelled, unlabelled)
    assert labelled.mask is not None
    assert unlabelled.mask is not None
    return Batch(
        image=_together(labelled.image, unlabelled.image),
        mask=_together(labelled.mask, unlabelled.mask),
        region=_region(labelled, unlabelled),
        ignore_index=labelled.ignore_index,
        names=(*labelled.names, *unlabelled.names),
        without_mask=len(unlabelled.image),
    )


def _together(one: Tensor, other: Tensor) -> Tensor:
    joined = torch.cat([one, other])
    # What a GPU can fetch by itself stays so.
    return joined.pin_memory() if one.is_pinned() else joined


def _region(labelled: Batch, unlabelled: Batch) -> Tensor | None:
    if labelled.region is None and unlabelled.region is None:
        return None
    return _together(_written_out(labelled), _written_out(unlabelled))


def _written_out(batch: Batch) -> Tensor:
    if batch.region is not None:
        return batch.region
    assert batch.mask is not None
    return torch.ones_like(batch.mask, dtype=torch.bool)


def _check_one_size(labelled: Batch, unlabelled: Batch) -> None:
    sizes = ["x".join(map(str, each.image.shape[-2:])) for each in (labelled, unlabelled)]
    if sizes[0] != sizes[1]:
        raise InputError(
            f"{labelled.names[0]} is {sizes[0]} and {unlabelled.names[0]}, which has no mask, is "
            f"{sizes[1]}, but all images of a batch must have one size: pass --crop with the side "
            "of a square"
        )
