"""Mean and standard deviation of each channel over the images of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import Dataset
from segmint.datasets.sample import Sample
from segmint.errors import InputError

MOST_IMAGES = 200
"""So many are looked at, evenly over the data set."""


@dataclass(frozen=True)
class ChannelStatistics:
    """Of all pixels taken together, in units of the largest value of the type of an image."""

    means: NDArray[np.float64]
    """(C,)."""
    deviations: NDArray[np.float64]
    """(C,) of the population (divided by n)."""


def channel_statistics(dataset: Dataset, *, most_images: int = MOST_IMAGES) -> ChannelStatistics:
    """The statistics of the pixels inside the regions; where there is none, of all pixels.

    Args:
        dataset: images of one number of channels, each of a type of its own.
        most_images: look at no more than so many, evenly spread, always the same.

    Raises:
        InputError: for an image of other channels or without finite statistics, or when there is
            no pixel to look at.
    """
    count = 0
    means = squares = np.zeros(dataset.channels)
    for index in evenly_spread(len(dataset), most_images):
        number, mean, deviation = _of_sample(dataset[index], dataset.channels)
        if number == 0:
            continue
        # Chan, Golub and LeVeque (1979): no large sums that cancel.
        total = count + number
        difference = mean - means
        squares = squares + number * (deviation**2 + difference**2 * (count / total))
        means = means + difference * (number / total)
        count = total
    if count == 0:
        raise InputError(
            f"{dataset.name} has no pixels in split {dataset.split} to measure mean and deviation "
            "on: check the split and the regions, or pass --normalization unit"
        )
    return ChannelStatistics(means, np.sqrt(squares / count))


def mean_and_deviation(
    pixels: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel of an image (H, W, C), (C,) each."""
    height, width, channels = pixels.shape
    # A row at a time: along three channels alone NumPy would need many times as long.
    rows = pixels.reshape(height, -1).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = rows.mean(axis=0).reshape(width, channels).mean(axis=0)
        rows -= np.tile(mean, width)
        variance = np.square(rows, out=rows).mean(axis=0).reshape(width, channels).mean(axis=0)
    return mean, np.sqrt(variance)


def evenly_spread(length: int, most: int) -> list[int]:
    """At most so many numbers below a length, in order and evenly spread.

    Example:
        >>> evenly_spread(10, 4), evenly_spread(3, 4)
        ([0, 2, 5, 7], [0, 1, 2])
    """
    if length <= most:
        return list(range(length))
    return [index * length // most for index in range(most)]


def full_value(dtype: np.dtype[Any]) -> float:
    """The largest value of an integer type, 1 for floats: what an image is divided by."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _of_sample(
    sample: Sample, channels: int
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Number of pixels inside the region, mean and deviation of each channel."""
    name = sample.name or "an image"
    if sample.image.shape[2] != channels:
        raise InputError(
            f"{name} has {sample.image.shape[2]} channels, but the data set has {channels}: all "
            "images must have as many"
        )
    inside = sample.image if sample.region is None else sample.image[sample.region][np.newaxis]
    number = inside.shape[0] * inside.shape[1]
    if number == 0:
        return 0, np.zeros(channels), np.zeros(channels)
    full = full_value(inside.dtype)
    mean, deviation = (each / full for each in mean_and_deviation(inside))
    if not np.isfinite([mean, deviation]).all():
        raise InputError(
            f"{name} has no finite mean and deviation, for it holds NaN, infinity or numbers that "
            "are too large: clean or remove it"
        )
    return number, mean, deviation
