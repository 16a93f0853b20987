"""Maps of probabilities back from the files that :func:`segmint.images.write_maps` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.reading import read_image

_SUFFIXES = (".tif", ".nii.gz")


def find_maps(stem: Path) -> Path | None:
    """The file of maps of that name without its suffix, or None where there is none."""
    files = (stem.with_name(f"{stem.name}{suffix}") for suffix in _SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def read_maps(path: Path) -> npt.NDArray[np.float32]:
    """Read the maps (K, H, W), or (K, D, H, W) of a stack.

    Raises:
        InputError: for a file that is absent, damaged, or holds no floats.
    """
    pixels = read_image(path).pixels
    if pixels.dtype.kind != "f":
        raise InputError(
            f"{path} holds {pixels.dtype}, accepted are maps of floats: write them once more"
        )
    maps: npt.NDArray[np.float32] = np.moveaxis(pixels, -1, 0).astype(np.float32, copy=False)
    return maps
