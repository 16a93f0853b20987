"""Volumes written as NIfTI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.images.decoding import quiet
from segmint.runs import atomic_path


def write_volume(path: Path, volume: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> None:
    """Write an array as NIfTI, whole or not at all.

    Args:
        path: ends with ``.nii`` or ``.nii.gz``.
        volume: (H, W, slices) or (H, W, slices, C) of any type that NIfTI knows.
        affine: (4, 4) from row, column and slice to millimeters.

    Raises:
        OutputError: when the file cannot be written.
    """
    import nibabel

    header = nibabel.Nifti1Header()  # type: ignore[no-untyped-call]
    header.set_data_dtype(volume.dtype)  # type: ignore[no-untyped-call]
    header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    file = nibabel.Nifti1Image(volume, affine, header)  # type: ignore[no-untyped-call]
    with atomic_path(path) as temporary, quiet("nibabel.global"):
        nibabel.save(file, temporary)
