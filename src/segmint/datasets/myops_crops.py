"""From the volumes of one MyoPS patient to crops, and why a slice gives none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.datasets.crops import Corner, crop_corner, standardized, take_crop
from segmint.datasets.myops_files import Patient
from segmint.datasets.myops_layout import CHANNELS, CLASSES, LABEL_VALUES
from segmint.datasets.volumes import write_volume
from segmint.images.image import Image
from segmint.images.prepared import UNCOUNTED, write_prepared

NORMALIZATION = "z-score of the crop"


@dataclass(frozen=True, kw_only=True, eq=False)
class Crop:
    """One slice: an image of it, or the reason why there is none."""

    slice_index: int
    counts: tuple[int, ...]
    """Pixels of each class."""
    reason: str = ""
    image: Image | None = None
    corner: Corner = (0, 0)


def crops_of(patient: Patient, *, size: int, all_classes: bool) -> Iterator[Crop]:
    """Every slice of a patient, in order.

    Args:
        patient: its volumes.
        size: side of a crop in pixels.
        all_classes: slices in which a class is missing give no crop.
    """
    for index, labels in enumerate(patient.labels):
        mask = _class_numbers(labels)
        region = mask != UNCOUNTED
        if not region.any():
            yield Crop(slice_index=index, counts=(0,) * len(CLASSES), reason="no class")
            continue
        corner = crop_corner(region, size)
        mask = take_crop(mask, corner, size, UNCOUNTED)
        counts = tuple(int(np.count_nonzero(mask == number)) for number in range(len(CLASSES)))
        channels = [standardized(patient.channels[c][index], corner, size) for c in CHANNELS]
        reason = _reason(counts, channels, all_classes)
        image = None if reason else _image(patient, channels, mask)
        yield Crop(slice_index=index, counts=counts, reason=reason, image=image, corner=corner)


def write_crop(paths: tuple[Path, ...], crop: Crop, patient: Patient) -> None:
    """Write a crop to one ``.npz``, or to three NIfTI files: image, mask and region.

    Raises:
        OutputError: when a file cannot be written.
    """
    assert crop.image is not None
    if len(paths) == 1:
        write_prepared(
            paths[0],
            crop.image,
            patient=str(patient.number),
            slice_index=crop.slice_index,
            sources=patient.sources,
            corner=crop.corner,
            normalization=NORMALIZATION,
        )
        return
    assert crop.image.mask is not None and crop.image.region is not None
    affine = patient.affine.copy()
    affine[:, 3] = affine @ (*crop.corner, crop.slice_index, 1)
    arrays = (crop.image.pixels, crop.image.mask.astype(np.uint8), crop.image.region)
    for path, array in zip(paths, arrays, strict=True):
        stored = array.astype(np.uint8) if array.dtype == np.bool_ else array
        write_volume(path, stored[:, :, np.newaxis], affine)


def _class_numbers(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    mask = np.full(labels.shape, UNCOUNTED, np.uint8)
    for number, name in enumerate(CLASSES):
        mask[labels == LABEL_VALUES[name]] = number
    return mask


def _reason(counts: tuple[int, ...], channels: list[Any], all_classes: bool) -> str:
    missing = [name for name, count in zip(CLASSES, counts, strict=True) if not count]
    if missing and all_classes:
        return f"no {', no '.join(missing)}"
    flat = [name for name, values in zip(CHANNELS, channels, strict=True) if not values.any()]
    return f"one value throughout {', '.join(flat)}" if flat else ""


def _image(
    patient: Patient, channels: list[npt.NDArray[np.float32]], mask: npt.NDArray[np.uint8]
) -> Image:
    return Image(
        pixels=np.stack(channels, axis=-1),
        spacing=patient.spacing,
        region=mask != UNCOUNTED,
        mask=mask.astype(np.int32),
        channel_names=CHANNELS,
        class_names=CLASSES,
    )
