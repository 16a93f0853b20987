"""One sample from an image file and a mask file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.datasets.pixel_files import read_mask_values, read_pixels
from segmint.datasets.sample import Sample
from segmint.errors import InputError


@dataclass(frozen=True, kw_only=True)
class PairReader:
    """Reads the image and the mask of a pair, and brings the mask to class numbers."""

    labels: Callable[[NDArray[Any], Path], NDArray[np.uint8]]
    """``labels(stored, path)``: the classes of a mask as its file stores it."""
    channels: int

    def __call__(self, pair: Pair) -> Sample:
        """Read one pair.

        Raises:
            InputError: for a file that cannot be used, naming it.
        """
        image = with_channels(read_pixels(pair.image), self.channels, pair.image)
        if pair.mask is None:
            return Sample(image=image, mask=unknown(image), name=str(pair.image))
        stored = read_mask_values(pair.mask)
        check_sizes(image, stored, pair)
        return Sample(image=image, mask=self.labels(stored, pair.mask), name=str(pair.image))


def with_channels(image: NDArray[Any], channels: int, path: Path) -> NDArray[Any]:
    """The image with as many channels as its data set has; grey is repeated to color.

    Raises:
        InputError: when it has other channels.
    """
    if image.shape[-1] == channels:
        return image
    if image.shape[-1] == 1 and channels == 3:
        return np.repeat(image, 3, axis=-1)
    instead = ""
    if (image.shape[-1], channels) == (3, 1):
        instead = ", or have grey ones read as color (--dataset-options channels=3 of folder)"
    raise InputError(
        f"{path} has {image.shape[-1]} channels and its data set has {channels}: save all images "
        f"with the same channels{instead}"
    )


def unknown(image: NDArray[Any]) -> NDArray[np.uint8]:
    """The mask of an image without truth: nothing counts."""
    return np.full(image.shape[:2], IGNORE_INDEX, np.uint8)


def check_sizes(image: NDArray[Any], mask: NDArray[Any], pair: Pair) -> None:
    """Refuse a mask of another size than its image."""
    if image.shape[:2] != mask.shape[:2]:
        raise InputError(
            f"image {pair.image} is {_size(image)} pixels and its mask {pair.mask} is "
            f"{_size(mask)}: save both in one size, the mask without smoothing"
        )


def _size(array: NDArray[Any]) -> str:
    """Width and height, as viewers say it."""
    return f"{array.shape[1]} x {array.shape[0]}"
