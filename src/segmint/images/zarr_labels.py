"""Label maps back from OME-Zarr folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError, UsageError
from segmint.images.choices import MAX_PIXELS
from segmint.images.decoding import Request, check_pixel_count

if TYPE_CHECKING:
    import zarr

SUFFIX = ".zarr"

Ids = npt.NDArray[Any]


def read_zarr_labels(path: Path, *, max_pixels: int = MAX_PIXELS) -> Ids:
    """The ids of a label image as they are stored, unsigned (H, W) or (D, H, W).

    Raises:
        InputError: when it is damaged, too large, or no label image.
        UsageError: where Zarr is not installed.
    """
    with _levels(path) as levels:
        request = Request(path=path, pages="stack", max_pixels=max_pixels)
        check_pixel_count(request, levels[0].shape, 1)
        return np.asarray(levels[0][...])


def read_zarr_level(path: Path, longest: int, plane: int = 0) -> Ids:
    """Ids (h, w) of the smallest level of a plane with a side of at least ``longest`` pixels.

    The whole plane where no level is as large.

    Raises:
        InputError: when it is damaged or no label image.
        UsageError: where Zarr is not installed.
    """
    with _levels(path) as levels:
        fitting = [level for level in levels if max(level.shape[-2:]) >= longest]
        level = fitting[-1] if fitting else levels[0]
        return np.asarray(level[...] if level.ndim == 2 else level[plane])


def is_zarr(path: Path) -> bool:
    """Whether it is a folder of that format, by its name."""
    return path.suffix.lower() == SUFFIX and path.is_dir()


def check_zarr() -> None:
    """Refuse to go on where Zarr is not installed.

    Raises:
        UsageError: says how to get it.
    """
    try:
        import zarr  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "Zarr is not installed, which reads and writes .zarr folders: run "
            "pip install 'segmint[bigimage]', or use TIFF"
        ) from error


@contextmanager
def _levels(path: Path) -> Iterator[list[zarr.Array[Any]]]:
    """The levels from the largest to the smallest."""
    check_zarr()
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
        levels = [each for _, each in sorted(group.arrays(), key=lambda item: int(item[0]))]
        if not levels or any(each.dtype.kind != "u" or each.ndim not in (2, 3) for each in levels):
            raise ValueError("no ids")
        yield levels
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{path} is damaged or no label image, accepted are .zarr folders of labels that "
            "segmint wrote: copy it again"
        ) from error
