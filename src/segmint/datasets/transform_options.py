"""What images and masks go through before they teach a network, as options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segmint.options import Options, option

AUGMENTATIONS = ("none", "flip", "isbi", "strong")
NORMALIZATIONS = ("dataset", "imagenet", "image", "unit")


LARGEST_SIDE = 65_536


@dataclass(frozen=True, kw_only=True)
class TransformOptions(Options):
    """Size, augmentation and normalization of training images.

    Example:
        >>> TransformOptions.from_mapping(STUDY).crop
        224
    """

    resize: int = option(0, low=0, high=LARGEST_SIDE)
    """Shorter side in pixels to which images are brought first; 0 keeps their size."""
    crop: int = option(256, low=0, high=LARGEST_SIDE)
    """Side in pixels of the random square that is cut out; 0 takes whole images of one size."""
    augmentation: str = option("strong", choices=AUGMENTATIONS)
    """Random changes: none, flip, isbi (small movements), strong (scale, rotation, light, blur)."""
    normalization: str = option("dataset", choices=NORMALIZATIONS)
    """Mean and deviation of the training images, of ImageNet, of each image itself, or unit: none,
    values divided by the largest of their type."""


STUDY: Mapping[str, Any] = {
    "resize": 234,
    "crop": 224,
    "augmentation": "none",
    "normalization": "unit",
}
"""Goncalves, Capozzi, Rebelo and Cardoso, "Deep image segmentation based on mutual information"."""

ISBI: Mapping[str, Any] = {
    "resize": 256,
    "crop": 0,
    "augmentation": "isbi",
    "normalization": "unit",
}
"""The U-Net commonly trained on ISBI 2012: slices halved, moved a little, values from 0 to 1."""
