"""The size of pixels, from what a file says of them and not from the pixels."""

from __future__ import annotations

import io
import math
from pathlib import Path

from segmint.errors import InputError
from segmint.images.decoding import Request, decoding, quiet
from segmint.images.nifti import gzipped_start, nifti_version
from segmint.images.opening_scenes import open_scene
from segmint.images.prepared import ZIP_SIGNATURE, read_prepared
from segmint.images.zarr_folders import is_zarr

_HEADER_BYTES = 540
_GZIP = b"\x1f\x8b"


def read_spacing(path: str | Path) -> tuple[float, ...] | None:
    """Millimeters between the pixels of an image or mask, in the order of its axes as it is read.

    Args:
        path: any file; NIfTI and prepared ones (``.npz``) tell it.

    Returns:
        (H, W), or (D, H, W) of a stack; None where the file tells nothing of use.

    Raises:
        InputError: for a file that cannot be opened, or a damaged one of those two kinds.
    """
    path = Path(path)
    if is_zarr(path):
        with open_scene(path) as scene:
            return scene.spacing
    try:
        with path.open("rb") as handle:
            start = handle.read(_HEADER_BYTES)
    except OSError as error:
        raise InputError(
            f"{path} cannot be opened ({error.strerror}), accepted is an image or a mask: check "
            "the path"
        ) from error
    if start.startswith(ZIP_SIGNATURE):
        return read_prepared(path).spacing
    if start.startswith(_GZIP):
        start = gzipped_start(path)
    version = nifti_version(start)
    return None if version is None else _nifti_spacing(path, start, version)


def _nifti_spacing(path: Path, start: bytes, version: int) -> tuple[float, ...] | None:
    import nibabel

    kind = nibabel.Nifti1Header if version == 1 else nibabel.Nifti2Header
    request = Request(path=path, pages="stack", max_pixels=0)
    with decoding(request, "NIfTI"), quiet("nibabel.global"):
        header = kind.from_fileobj(io.BytesIO(start), check=False)  # type: ignore[no-untyped-call]
        shape = header.get_data_shape()
        steps = tuple(float(step) for step in header.get_zooms()[:3])
    if len(steps) == 3:
        # Slices come first, and a single one has no axis.
        steps = (steps[2], *steps[:2]) if shape[2] > 1 else steps[:2]
    return steps if all(0 < step < math.inf for step in steps) else None
