"""Mean, standard deviation and share of each class over a few images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from segmint.images.class_means import ClassMeans
from segmint.images.image import Image


@dataclass(frozen=True)
class ClassStatistics:
    """Of all pixels of a class in all images taken together."""

    means: ClassMeans
    """Mean of each channel."""

    deviations: ClassMeans
    """Standard deviation (not variance) of each channel, of the population (divided by n)."""

    shares: ClassMeans
    """One column, ``share``: of the pixels that have a class; they add up to 1."""


def class_statistics(images: Iterable[Image]) -> ClassStatistics:
    """The statistics of each class, its pixels pooled over the images.

    Args:
        images: with ``mask`` and names of channels and classes, all the same; every class has a
            pixel in one of them.

    Raises:
        ValueError: when there is no image.
    """
    names: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    pixels, masks = [], []
    for image in images:
        assert image.mask is not None
        names, channels = image.class_names, image.channel_names
        counted = image.mask < len(names)
        pixels.append(image.pixels[counted].astype(np.float64))
        masks.append(image.mask[counted])
    if not masks:
        raise ValueError("no image to take statistics from")
    values, classes = np.concatenate(pixels), np.concatenate(masks)
    groups = [values[classes == number] for number in range(len(names))]
    means = np.array([group.mean(axis=0) for group in groups])
    deviations = np.array([group.std(axis=0) for group in groups])
    shares = np.array([[len(group) / len(values)] for group in groups])
    return ClassStatistics(
        ClassMeans(names=names, channels=channels, means=means),
        ClassMeans(names=names, channels=channels, means=deviations),
        ClassMeans(names=names, channels=("share",), means=shares),
    )
