"""An endless stream of training batches that any run can enter at any step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler

from segmint.datasets.cache import CachedSamples, ResizedSamples, check_cache
from segmint.datasets.dataset import Dataset
from segmint.datasets.picture_batches import Parts, PictureBatches, as_batch, pinned
from segmint.datasets.prefetching import prefetched
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.tickets import Tickets
from segmint.datasets.transform_options import TransformOptions
from segmint.datasets.transforms import Transform
from segmint.errors import SegmintError, UsageError
from segmint.objectives.batch import Batch


class TrainingBatches:
    """Batches of augmented pictures by the number of their step.

    Every pass over the samples has an order of its own, and every picture its own random numbers,
    from the seed and its number in the run. So a run that goes on at a step, and one with more
    worker processes, sees the same batches.

    Args:
        dataset: the split to learn from.
        options: crop and augmentation.
        preprocessing: size and normalization.
        batch_size: pictures a step, over all processes.
        seed: of order and augmentation.
        workers: processes that read and augment; 0 leaves it to a thread of this process.
        cache: read all samples now and keep them, decoded and resized, in memory.
        steps_per_epoch: None takes as many as see every sample once.

    Raises:
        UsageError: when the data set is smaller than a batch, or the cache larger than memory.
        InputError: when a sample that goes into the cache cannot be read.
    """

    def __init__(
        self,
        dataset: Dataset,
        options: TransformOptions,
        preprocessing: Preprocessing,
        *,
        batch_size: int,
        seed: int,
        workers: int = 0,
        cache: bool = False,
        steps_per_epoch: int | None = None,
    ) -> None:
        _check(dataset, batch_size=batch_size, workers=workers, steps_per_epoch=steps_per_epoch)
        samples: Sequence[Sample] = ResizedSamples(dataset=dataset, preprocessing=preprocessing)
        if cache:
            check_cache(dataset, options)
            samples = CachedSamples(samples)
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch or -(-len(dataset) // batch_size)
        self.fixed: Mapping[str, Any] = {
            "batch_size": batch_size,
            "images": len(dataset),
            **options.resolved(),
        }
        """What must be the same when a training goes on."""
        self._ignore_index, self._workers = dataset.ignore_index, workers
        self._pictures = PictureBatches(
            samples=samples,
            transform=Transform(
                options=options, preprocessing=preprocessing, ignore_index=dataset.ignore_index
            ),
            tickets=Tickets(samples=len(dataset), batch_size=batch_size, seed=seed),
        )

    def batches(self, first_step: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """This process's share of every batch from a step on, without end.

        Returns:
            Batches with ``image`` (B, C, h, w) float32 in channels-last order, ``mask``
            (B, h, w) int64, ``region`` where one of the pictures has one, and ``names``.

        Raises:
            UsageError: when the batch cannot be divided by the processes.
            InputError: for a sample that cannot be used, when its step comes.
        """
        if self.batch_size % world:
            raise UsageError(
                f"--batch-size is {self.batch_size}, but {world} processes share each batch: pass "
                f"a multiple of {world}"
            )
        pictures = replace(self._pictures, rank=rank, world=world)
        steps = itertools.count(first_step)
        parts = self._by_workers(pictures, steps) if self._workers else _by_thread(pictures, steps)
        return _as_batches(parts, self._ignore_index)

    def _by_workers(
        self, pictures: PictureBatches, steps: Iterator[int]
    ) -> Iterator[Parts | SegmintError]:
        loader: DataLoader[Parts | SegmintError] = DataLoader(
            pictures,  # type: ignore[arg-type]
            batch_size=None,
            sampler=_Steps(steps),
            num_workers=self._workers,
            collate_fn=_unchanged,
            pin_memory=torch.cuda.is_available(),
            # Its own, for the loader would draw from the global one, and the run with it.
            generator=torch.Generator(),
        )
        return iter(loader)


class _Steps(Sampler[int]):
    def __init__(self, steps: Iterator[int]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[int]:
        return self._steps


def _by_thread(pictures: PictureBatches, steps: Iterator[int]) -> Iterator[Parts | SegmintError]:
    if torch.cuda.is_available():
        return prefetched(lambda step: pinned(pictures[step]), steps)
    return prefetched(pictures.__getitem__, steps)


def _as_batches(parts: Iterator[Parts | SegmintError], ignore_index: int) -> Iterator[Batch]:
    try:
        for each in parts:
            yield as_batch(each, ignore_index)
    finally:
        # Threads and worker processes end here, not when a traceback is forgotten.
        del parts


def _unchanged(parts: Any) -> Any:
    return parts


def _check(dataset: Dataset, *, batch_size: int, workers: int, steps_per_epoch: int | None) -> None:
    for name, value, least in (
        ("batch-size", batch_size, 1),
        ("workers", workers, 0),
        ("steps-per-epoch", steps_per_epoch, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"--{name} is {value}, accepted is {least} or more")
    if batch_size > len(dataset):
        raise UsageError(
            f"--batch-size is {batch_size}, but split {dataset.split} of {dataset.name} has "
            f"{len(dataset)} images: pass --batch-size {max(len(dataset), 1)} or less, or add some"
        )
