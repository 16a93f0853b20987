"""What every image goes through before the network, in training and in prediction alike."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.channel_statistics import channel_statistics, full_value, mean_and_deviation
from segmint.datasets.dataset import Dataset
from segmint.datasets.resizing import (
    resized_image,
    resized_mask,
    size_with_shorter_side,
    working_type,
)
from segmint.datasets.sample import Sample
from segmint.datasets.transform_options import NORMALIZATIONS, TransformOptions
from segmint.errors import InputError, UsageError
from segmint.images.image import check_finite

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

_LONGEST = 2**16
"""Pixels of a side."""
_LARGEST = sys.float_info.max
"""Larger whole numbers are no floats, and neither infinity nor NaN is at most this."""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Shorter side and normalization, as numbers that are stored with a network.

    An image is divided by the largest value of its type (255 for 8 bits, 1 for floats); of that,
    ``mean`` is subtracted and the rest divided by ``deviation``.

    Example:
        >>> preprocessing = Preprocessing(mean=(0.5,), deviation=(0.25,))
        >>> preprocessing.tensor(np.full((2, 2, 1), 255, np.uint8))[0, 0, 0]
        tensor([2., 2.])
    """

    resize: int = 0
    """Shorter side in pixels; 0 keeps the size."""
    normalization: str = "dataset"
    """Where the numbers come from; with ``image`` each image brings its own."""
    mean: tuple[float, ...]
    """Of each channel."""
    deviation: tuple[float, ...]
    """Of each channel, above 0."""

    @classmethod
    def measured(cls, dataset: Dataset, options: TransformOptions) -> Self:
        """As the options say, measured on the images of a training split where they say so.

        Raises:
            UsageError: for ``imagenet`` with images that do not have three channels.
            InputError: when an image cannot be used.
        """
        channels = dataset.channels
        mean: Sequence[float] = (0.0,) * channels
        deviation: Sequence[float] = (1.0,) * channels
        if options.normalization == "imagenet":
            if channels != len(IMAGENET_MEAN):
                raise UsageError(
                    f"--normalization is imagenet, which has 3 channels, but the images of "
                    f"{dataset.name} have {channels}: pass --normalization dataset"
                )
            mean, deviation = IMAGENET_MEAN, IMAGENET_DEVIATION
        if options.normalization == "dataset":
            statistics = channel_statistics(dataset)
            mean = statistics.means.tolist()
            deviation = _not_zero(statistics.deviations).tolist()
        return cls(
            resize=options.resize,
            normalization=options.normalization,
            mean=tuple(mean),
            deviation=tuple(deviation),
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """What :meth:`as_dict` gave, checked, for it may come from a file.

        Raises:
            InputError: names what is missing, unknown or out of range.
        """
        _check(values)
        numbers = {name: tuple(map(float, values[name])) for name in ("mean", "deviation")}
        return cls(resize=values["resize"], normalization=values["normalization"], **numbers)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for YAML and JSON."""
        return {
            "resize": self.resize,
            "normalization": self.normalization,
            "mean": list(self.mean),
            "deviation": list(self.deviation),
        }

    @property
    def channels(self) -> int:
        """C of the images."""
        return len(self.mean)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which the network sees an image of that size."""
        return size_with_shorter_side(height, width, self.resize)

    def resized(self, sample: Sample) -> Sample:
        """The sample at the size of the network, in its own type.

        Raises:
            InputError: when its parts differ in size, its channels are not those of the network or
                a pixel is not finite.
        """
        shape = sample.image.shape[:2]
        for what, array in (("mask", sample.mask), ("region", sample.region)):
            if array is not None and array.shape != shape:
                raise InputError(
                    f"{what} of {sample.name or 'an image'} is {_by(array.shape)}, its image is "
                    f"{_by(shape)}: both must have one size"
                )
        self._check_image(sample.image, sample.name)
        size = self.size(*shape)
        if size == shape:
            return sample
        region = sample.region
        return replace(
            sample,
            image=resized_image(sample.image, size),
            mask=resized_mask(sample.mask, size),
            region=None if region is None else resized_mask(region, size),
        )

    def normalized(
        self, pixels: NDArray[Any], whole: NDArray[Any] | None = None, *, name: str = ""
    ) -> NDArray[np.float32]:
        """Pixels as the network wants them.

        Args:
            pixels: (h, w, C), values as they are in an image of the type of ``whole``.
            whole: the image that the pixels were taken from, (H, W, C); None when they are it.
            name: of the image, for messages.

        Raises:
            InputError: when a value would be larger than the arithmetic of networks can hold.
        """
        whole = pixels if whole is None else whole
        center, spread = self._center_and_spread(whole)
        height, width, _ = pixels.shape
        # A row at a time: along three channels alone NumPy would need many times as long.
        rows = pixels.reshape(height, -1).astype(working_type(whole.dtype))
        with np.errstate(over="ignore", invalid="ignore"):
            rows -= np.tile(center, width).astype(rows.dtype)
            rows *= np.tile(1 / spread, width).astype(rows.dtype)
            normalized = rows.reshape(pixels.shape).astype(np.float32, copy=False)
        if whole.dtype.kind == "f" and not np.isfinite(normalized).all():
            is_measured = self.normalization == "dataset"
            other = "" if is_measured else ", or learn with --normalization dataset"
            raise InputError(
                f"{name or 'image'} holds values up to {np.abs(whole).max():g}, which are too "
                f"large after normalization: divide the images by a number{other}"
            )
        return normalized

    def tensor(self, image: NDArray[Any], *, name: str = "") -> Tensor:
        """An image as a network wants it for prediction.

        Args:
            image: (H, W, C) in the type and range of its file.
            name: for messages.

        Returns:
            (1, C, h, w) float32 in channels-last order.

        Raises:
            InputError: when the channels are not those of the network or a pixel is not finite.
        """
        import torch

        self._check_image(image, name)
        small = resized_image(image, self.size(*image.shape[:2]))
        return torch.from_numpy(self.normalized(small, name=name)[np.newaxis]).permute(0, 3, 1, 2)

    def _check_image(self, image: NDArray[Any], name: str) -> None:
        if image.ndim != 3 or image.shape[2] != self.channels:
            raise InputError(
                f"{name or 'image'} has shape {image.shape}, accepted is (H, W, {self.channels}): "
                f"all images of a data set and of its network have {self.channels} channels"
            )
        try:
            check_finite(image, advice="clean or remove it")
        except InputError as error:
            raise InputError(f"{name}: {error}" if name else str(error)) from error

    def _center_and_spread(self, whole: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """(C,) each, in the units of the image."""
        if self.normalization == "image":
            center, deviation = mean_and_deviation(whole)
            return center, _not_zero(deviation)
        full = full_value(whole.dtype)
        return np.array(self.mean) * full, np.array(self.deviation) * full


def _not_zero(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """A channel of one value becomes 0, not a division by zero."""
    return np.where(deviations > 0, deviations, 1.0)


def _check(values: Mapping[str, Any]) -> None:
    expected = ("resize", "normalization", "mean", "deviation")
    if set(values) != set(expected):
        raise InputError(
            f"preprocessing has the entries {', '.join(sorted(map(str, values))) or 'none'}, "
            f"accepted are exactly {', '.join(expected)}"
        )
    resize, normalization = values["resize"], values["normalization"]
    mean, deviation = values["mean"], values["deviation"]
    if type(resize) is not int or not 0 <= resize <= _LONGEST:
        raise InputError(
            f"preprocessing: resize is {resize!r}, accepted is a whole number of pixels up to "
            f"{_LONGEST}, or 0"
        )
    if normalization not in NORMALIZATIONS:
        raise InputError(
            f"preprocessing: normalization is {normalization!r}, accepted is one of "
            f"{', '.join(NORMALIZATIONS)}"
        )
    for name, numbers in (("mean", mean), ("deviation", deviation)):
        if not _are_finite(numbers):
            raise InputError(
                f"preprocessing: {name} is {numbers!r}, accepted is a finite number a channel"
            )
    if len(mean) != len(deviation) or min(deviation) <= 0:
        raise InputError(
            f"preprocessing: deviation is {deviation!r}, accepted is a number above 0 for each of "
            f"the {len(mean)} channels of mean"
        )


def _are_finite(numbers: Any) -> bool:
    if not isinstance(numbers, list | tuple) or not numbers:
        return False
    return all(type(each) in (int, float) and abs(each) <= _LARGEST for each in numbers)


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
