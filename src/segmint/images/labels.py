"""Label files: every id comes back as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.choices import MAX_PIXELS
from segmint.images.decoding import Request
from segmint.images.image import Image
from segmint.images.nifti import write_nifti_labels
from segmint.images.palettes import palette
from segmint.images.raster import read_palette_indices
from segmint.images.reading import read_image
from segmint.images.zarr_labels import is_zarr, read_zarr_labels
from segmint.runs import atomic_path

OUTSIDE = -1
"""The label of a pixel outside the region.

In a file it is the greatest value of the stored type: 255, 65535 or 4294967295.
"""

_STORED_TYPES: tuple[type[np.unsignedinteger[Any]], ...] = (np.uint8, np.uint16, np.uint32)
_LARGEST_ID = np.iinfo(np.int32).max


def write_labels(
    stem: Path,
    labels: npt.NDArray[np.integer[Any]],
    *,
    like: Image | None = None,
    colors: npt.NDArray[np.uint8] | None = None,
) -> Path:
    """Write labels without loss, whole or not at all, and so that they can be looked at.

    ========================  =====================================================
    labels                    file
    ========================  =====================================================
    (H, W), ids to 254        ``.png``, 8-bit, ids as values, colored by a palette
    (H, W), ids to 65534      ``.png``, 16-bit grey
    (H, W), larger ids        ``.tif``, 32-bit, zlib
    (D, H, W)                 ``.tif``, 8, 16 or 32-bit pages, zlib
    read from NIfTI           ``.nii.gz``, axes and affine of the image
    ========================  =====================================================

    Args:
        stem: path of the file without its suffix.
        labels: integers, 0 or more, and ``OUTSIDE`` (-1) outside the region.
        like: the image the labels belong to; decides only whether NIfTI is written.
        colors: uint8 (K, 3) of ids 0 to K - 1, for the palette; the fixed one when not given.

    Returns:
        The path of the file.

    Raises:
        InputError: for labels that are not integers, below -1, beyond int32, or not of the shape
            of ``like``.
        OutputError: when the file cannot be written.
    """
    _check(labels, like)
    stored = _stored(labels)
    if like is not None and like.affine is not None:
        path = stem.with_name(f"{stem.name}.nii.gz")
        write_nifti_labels(path, stored, like)
    elif stored.ndim == 3 or stored.dtype == np.uint32:
        path = stem.with_name(f"{stem.name}.tif")
        _write_tiff(path, stored)
    else:
        path = stem.with_name(f"{stem.name}.png")
        _write_png(path, stored, colors)
    return path


def read_labels(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.int32]:
    """Read a label file that segmint wrote, also one of a scene: ``labels.tif``, ``labels.zarr``.

    Returns:
        (H, W) or (D, H, W), ``OUTSIDE`` (-1) where it was; a stack of a single slice comes back as
        that slice, (H, W).

    Raises:
        InputError: when the file is missing, damaged or not a label file.
    """
    path = Path(path)
    stored = None
    if is_zarr(path):
        stored = read_zarr_labels(path, max_pixels=max_pixels)
        stored = stored[0] if len(stored) == 1 and stored.ndim == 3 else stored
    elif path.is_file():
        # Ids are the values of a palette picture; the reader of photos would give its colors.
        stored = read_palette_indices(Request(path=path, pages="first", max_pixels=max_pixels))
    if stored is None:
        pixels = read_image(path, pages="stack", max_pixels=max_pixels).pixels
        if pixels.shape[-1] != 1 or pixels.dtype not in _STORED_TYPES:
            raise InputError(
                f"{path} holds {pixels.shape[-1]} channels of {pixels.dtype}, accepted are label "
                "files of 8, 16 or 32-bit ids: pass a file that segmint wrote"
            )
        stored = pixels[..., 0]
    labels = stored.astype(np.int64)
    labels[stored == np.iinfo(stored.dtype).max] = OUTSIDE
    return labels.astype(np.int32)


def stored_type(high: int) -> np.dtype[Any]:
    """The smallest unsigned type for ids up to ``high`` and one value more for ``OUTSIDE``.

    Example:
        >>> stored_type(254), stored_type(255)
        (dtype('uint8'), dtype('uint16'))
    """
    return np.dtype(next(each for each in _STORED_TYPES if high < np.iinfo(each).max))


def _check(labels: npt.NDArray[Any], like: Image | None) -> None:
    if labels.dtype.kind not in "ui" or labels.ndim not in (2, 3) or labels.size == 0:
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}, accepted are integers (H, W) or "
            "(D, H, W): convert them"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < OUTSIDE or high > _LARGEST_ID:
        raise InputError(
            f"labels go from {low} to {high}, accepted are -1 to {_LARGEST_ID}: renumber them"
        )
    if like is not None and labels.shape != like.pixels.shape[:-1]:
        raise InputError(
            f"labels have shape {labels.shape} and the image {like.pixels.shape[:-1]}, accepted is "
            "one label a pixel: pass the image they were made from"
        )


def _stored(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Labels in the smallest unsigned type that leaves its greatest value for ``OUTSIDE``."""
    smallest = stored_type(int(labels.max()))
    return np.where(labels == OUTSIDE, np.iinfo(smallest).max, labels).astype(smallest)


def _write_png(path: Path, stored: npt.NDArray[Any], colors: npt.NDArray[np.uint8] | None) -> None:
    from PIL import Image as Pillow

    picture = Pillow.fromarray(stored)
    if stored.dtype == np.uint8:
        table = palette().copy()
        if colors is not None:
            table[: len(colors[:255])] = colors[:255]
        picture.putpalette(table.tobytes())
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")


def _write_tiff(path: Path, stored: npt.NDArray[Any]) -> None:
    import tifffile

    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            stored,
            photometric="minisblack",
            compression="zlib",
            predictor=True,
            metadata={"axes": "ZYX" if stored.ndim == 3 else "YX"},
        )
