"""Decoded, resized samples kept in memory, and how much of it they take."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray

from segmint.datasets.available_memory import available_memory, in_gibibytes
from segmint.datasets.channel_statistics import evenly_spread
from segmint.datasets.dataset import Dataset
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.resizing import size_with_shorter_side
from segmint.datasets.sample import Sample
from segmint.datasets.transform_options import TransformOptions
from segmint.errors import UsageError

_IMAGES_TO_ESTIMATE = 8
_SLAB = 2**26
"""Bytes kept together: few enough pieces to be shared one by one with other processes."""
_ALIGNMENT = 16


@dataclass(frozen=True, kw_only=True)
class ResizedSamples(Sequence[Sample]):
    """The samples of a data set at the size of the network, read when they are asked for."""

    dataset: Dataset
    preprocessing: Preprocessing

    def __len__(self) -> int:
        return len(self.dataset)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(len(self))))
        return self.preprocessing.resized(self.dataset[index])


class CachedSamples(Sequence[Sample]):
    """Samples read once, by as many threads as there are processors, and kept as they are.

    Worker processes share the memory of the process that starts them, so it does not grow with
    their number; each of several training processes has its own.

    Args:
        samples: what to keep.

    Raises:
        InputError: when one of them cannot be read.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._shelf = _Shelf()
        self._kept: list[_Kept] = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for sample in _in_order(pool, samples):
                self._kept.append(self._keep(sample))

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(len(self))))
        kept, take = self._kept[index], self._shelf.take
        return Sample(
            image=take(kept.image),
            mask=take(kept.mask),
            region=None if kept.region is None else take(kept.region),
            name=kept.name,
        )

    @property
    def size(self) -> int:
        """Bytes that the samples take."""
        return self._shelf.size

    def _keep(self, sample: Sample) -> _Kept:
        put, region = self._shelf.put, sample.region
        return _Kept(
            image=put(sample.image),
            mask=put(sample.mask),
            region=None if region is None else put(region),
            name=sample.name,
        )


def cache_size(dataset: Dataset, options: TransformOptions) -> int:
    """About how many bytes :class:`CachedSamples` will take, judged by a few images.

    Args:
        dataset: what is to be kept.
        options: of which ``resize`` matters.

    Raises:
        InputError: when one of the images cannot be read.
    """
    numbers = evenly_spread(len(dataset), _IMAGES_TO_ESTIMATE)
    sizes = [_bytes(dataset[number], options.resize) for number in numbers]
    return sum(sizes) * len(dataset) // max(len(sizes), 1)


def cache_sentence(dataset: Dataset, options: TransformOptions) -> str:
    """What a cache holds and takes: ``1464 images, about 0.41 GiB``."""
    return f"{len(dataset)} images, about {in_gibibytes(cache_size(dataset, options))}"


def check_cache(dataset: Dataset, options: TransformOptions) -> None:
    """Refuse a cache that is larger than the memory that is left.

    Raises:
        UsageError: names both sizes and what to do.
    """
    needed, available = cache_size(dataset, options), available_memory()
    if available is not None and needed > available:
        raise UsageError(
            f"a cache of {len(dataset)} images takes about {in_gibibytes(needed)}, but "
            f"{in_gibibytes(available)} of memory are available: leave --cache out or pass a "
            "smaller --resize"
        )


@dataclass(frozen=True)
class _Place:
    """Where an array lies."""

    slab: int
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, kw_only=True)
class _Kept:
    image: _Place
    mask: _Place
    region: _Place | None
    name: str


class _Shelf:
    """Arrays side by side in a few large tensors, which torch shares with other processes."""

    def __init__(self) -> None:
        self._slabs: list[torch.Tensor] = []
        self._end = 0

    @property
    def size(self) -> int:
        return sum(map(len, self._slabs)) - (len(self._slabs[-1]) - self._end if self._slabs else 0)

    def put(self, array: NDArray[Any]) -> _Place:
        if not self._slabs or self._end + array.nbytes > len(self._slabs[-1]):
            self._slabs.append(torch.empty(max(_SLAB, array.nbytes), dtype=torch.uint8))
            self._end = 0
        place = _Place(len(self._slabs) - 1, self._end, array.shape, array.dtype)
        self._view(place)[...] = array
        self._end += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
        return place

    def take(self, place: _Place) -> NDArray[Any]:
        view = self._view(place)
        view.flags.writeable = False
        return view

    def _view(self, place: _Place) -> NDArray[Any]:
        memory = self._slabs[place.slab].numpy()
        return np.ndarray(place.shape, place.dtype, buffer=memory, offset=place.start)


def _in_order(pool: ThreadPoolExecutor, samples: Sequence[Sample]) -> Iterator[Sample]:
    """The samples, a few ahead of who takes them, so that no second copy of all piles up."""
    step = 4 * (os.cpu_count() or 1)
    for first in range(0, len(samples), step):
        yield from pool.map(samples.__getitem__, range(first, min(first + step, len(samples))))


def _bytes(sample: Sample, resize: int) -> int:
    height, width, channels = sample.image.shape
    height, width = size_with_shorter_side(height, width, resize)
    values = channels * sample.image.dtype.itemsize
    masks = 1 if sample.region is None else 2
    return int(height * width * (values + masks))
