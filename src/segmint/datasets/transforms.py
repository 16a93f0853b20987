"""A training picture: a sample moved, cut, normalized and lit at random, image and mask alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.augmentations import draw_placement
from segmint.datasets.dataset import IGNORE_INDEX
from segmint.datasets.photometry import changed_light, sometimes_blurred
from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.sample import Sample
from segmint.datasets.transform_options import TransformOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """What a network learns from: a sample as one batch holds it."""

    image: NDArray[np.float32]
    """(h, w, C) normalized; 0 where nothing is known."""
    mask: NDArray[np.uint8]
    """(h, w) classes; ``ignore_index`` where nothing is known."""
    region: NDArray[np.bool_] | None
    """(h, w) where to look; None is everywhere."""
    name: str


@dataclass(frozen=True, kw_only=True)
class Transform:
    """Random movement, crop, normalization and light of one sample.

    Example:
        >>> options = TransformOptions(crop=8, augmentation="flip", normalization="unit")
        >>> preprocessing = Preprocessing(mean=(0.0,), deviation=(1.0,))
        >>> transform = Transform(options=options, preprocessing=preprocessing)
        >>> sample = Sample(image=np.zeros((9, 12, 1), np.uint8), mask=np.zeros((9, 12), np.uint8))
        >>> transform(sample, np.random.default_rng(0)).image.shape
        (8, 8, 1)
    """

    options: TransformOptions
    preprocessing: Preprocessing
    ignore_index: int = IGNORE_INDEX

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Picture:
        """A picture of a sample that :meth:`Preprocessing.resized` gave; the sample stays."""
        options, shape = self.options, (sample.mask.shape[0], sample.mask.shape[1])
        placement = draw_placement(options.augmentation, shape, options.crop, rng)
        image = self.preprocessing.normalized(
            placement.image(sample.image), sample.image, name=sample.name
        )
        if options.augmentation == "strong":
            image = changed_light(sometimes_blurred(image, rng), rng)
        mask = placement.mask(sample.mask)
        region = None if sample.region is None else placement.mask(sample.region)
        inside = placement.inside
        if inside is not None:
            image[~inside] = 0
            mask = np.where(inside, mask, np.uint8(self.ignore_index))
            region = inside if region is None else region & inside
        return Picture(image=image, mask=mask, region=region, name=sample.name)
