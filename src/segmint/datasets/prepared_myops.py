"""MyoPS 2020 as ``segmint data prepare myops`` writes it: crops of three MR sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.datasets.dataset import IGNORE_INDEX, Pair
from segmint.datasets.label_map import LabelMap
from segmint.datasets.layout import Layout
from segmint.datasets.listing import files_in, pairs_of
from segmint.datasets.myops_layout import CHANNELS, CLASSES
from segmint.datasets.pair_reader import check_sizes
from segmint.datasets.pixel_files import read_carefully, read_mask_values
from segmint.datasets.prepared_folder import RECORD, SPLITS, image_folder, is_folder, read_record
from segmint.datasets.sample import Sample
from segmint.errors import InputError
from segmint.images.palettes import palette

_LABELS = LabelMap.of(
    {**{number: number for number in range(len(CLASSES))}, IGNORE_INDEX: IGNORE_INDEX},
    len(CLASSES),
)
_SUFFIXES = {"npz": ".npz", "nifti": ".nii.gz"}


class PreparedMyops(Layout):
    """The folder that ``segmint data prepare myops`` made."""

    name = "myops"
    landmarks = (RECORD,)
    protocols = ("surfaces",)

    classes = CLASSES
    palette = palette()[: len(CLASSES)]
    channels = len(CHANNELS)
    channel_names = CHANNELS

    def splits(self) -> tuple[str, ...]:
        """``train`` and ``test``, where they hold an image."""
        return tuple(split for split in SPLITS if self._images(split))

    def pairs(self, split: str) -> tuple[Pair, ...]:
        """The slices of the patients of a split."""
        images = self._images(split)
        masks: Mapping[str, Path] = {}
        if self._file_format == "nifti":
            masks = files_in(self.place / split / "masks", [".nii.gz"])
        return pairs_of(
            list(images),
            images,
            masks,
            source=self.place / split,
            needs_masks=self._file_format == "nifti",
        )

    def reader(self) -> Callable[[Pair], Sample]:
        """Image, mask and region of a crop."""
        return read_crop

    def group_of(self, pair: Pair) -> str:
        """The patient."""
        return pair.name.split("_")[1] if "_" in pair.name else pair.name

    @property
    def _file_format(self) -> str:
        record = read_record(self.place)
        if record is None:
            raise InputError(
                f"{self.place} holds no {RECORD}: prepare the data with 'segmint data prepare'"
            )
        return str(record["format_of_files"])

    def _images(self, split: str) -> dict[str, Path]:
        file_format = self._file_format
        folder = image_folder(self.place, split, file_format)
        return files_in(folder, [_SUFFIXES[file_format]]) if is_folder(folder) else {}


def read_crop(pair: Pair) -> Sample:
    """One crop with its region, from one ``.npz`` file or from three NIfTI files.

    Raises:
        InputError: for a file that cannot be used, naming it.
    """
    image = read_carefully(pair.image)
    if pair.mask is None:
        if image.mask is None or image.class_names != CLASSES:
            raise InputError(
                f"{pair.image} holds the classes {', '.join(image.class_names) or 'of none'}, "
                f"accepted are {', '.join(CLASSES)}: prepare the data again"
            )
        return Sample(
            image=image.pixels,
            mask=image.mask.astype(np.uint8),
            region=image.region,
            name=str(pair.image),
        )
    pixels = image.pixels.reshape(image.pixels.shape[-3:])
    stored = read_mask_values(pair.mask)
    check_sizes(pixels, stored, pair)
    region: NDArray[Any] = read_mask_values(pair.mask.parent.parent / "regions" / pair.mask.name)
    return Sample(
        image=pixels, mask=_LABELS(stored, pair.mask), region=region != 0, name=str(pair.image)
    )
