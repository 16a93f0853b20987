"""NIfTI volumes, plain or gzipped, with their scaling, spacing and affine."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.decoding import Pixels, Request, check_pixel_count, decoding, quiet
from segmint.images.image import Image
from segmint.runs import atomic_path

_HEADER_SIZES = {348: 1, 540: 2}
_HEADER_BYTES = 540
_BYTE_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


def nifti_version(start: bytes) -> int | None:
    """1 or 2 for the first 348 bytes or more of a single-file NIfTI, else nothing."""
    for order in _BYTE_ORDERS:
        size = int.from_bytes(start[:4], order)
        version = _HEADER_SIZES.get(size)
        magic = start[344:347] if version == 1 else start[4:7]
        if version and magic == f"n+{version}".encode():
            return version
    return None


def gzipped_start(path: Path) -> bytes:
    """The first bytes inside a gzip file; empty when it is damaged."""
    try:
        with gzip.open(path) as handle:
            return handle.read(_HEADER_BYTES)
    except (OSError, EOFError, ValueError, zlib.error):
        return b""


def read_nifti(request: Request, version: int, *, gzipped: bool) -> Image:
    """A volume as a stack along its last spatial axis; a fourth axis becomes channels.

    Rows are the first axis of the file and columns the second, so slice ``k`` is
    ``volume[:, :, k]`` as every NIfTI tool counts.

    Raises:
        InputError: when it is damaged, larger than the limit, or not made of real numbers.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    kind: Any = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    opener: Any = gzip.open if gzipped else open
    with decoding(request, "NIfTI"), quiet("nibabel.global"), opener(request.path, "rb") as handle:
        try:
            file = kind.from_stream(handle)
            shape = checked_shape(request, file)
            array = scaled_values(request, file)
        except (ImageFileError, HeaderDataError) as error:
            raise ValueError("header") from error
        _read_to_the_end(handle)
    spatial = shape[:3]
    notes: tuple[str, ...] = ()
    if array.dtype != file.get_data_dtype() and array.dtype.names is None:
        notes = (f"{file.get_data_dtype()} values scaled as the header says",)
    pixels = _stacked(array.reshape(*spatial, *(1,) * (3 - len(spatial)), -1))
    spacing = tuple(float(step) for step in file.header.get_zooms()[: len(spatial)])
    if pixels.ndim == 4:
        notes = (*notes, f"{spatial[2]} slices along the last axis read as a stack")
        spacing = (spacing[2], *spacing[:2])
    return Image(
        pixels=pixels,
        source=request.path,
        spacing=spacing if pixels.ndim == 4 else spacing[:2],
        affine=checked_affine(request, file),
        volume_shape=spatial,
        notes=notes,
    )


def write_nifti_labels(path: Path, stored: Pixels, like: Image) -> None:
    """Write labels (H, W) or (D, H, W) in the axis order and with the affine of ``like``."""
    import nibabel

    volume = stored if stored.ndim == 2 else np.moveaxis(stored, 0, -1)
    volume = volume.reshape(like.volume_shape or volume.shape)
    with atomic_path(path) as temporary, quiet("nibabel.global"):
        nibabel.save(nibabel.Nifti1Image(volume, like.affine), temporary)  # type: ignore[no-untyped-call]


def write_nifti_maps(
    path: Path, maps: npt.NDArray[np.float32], like: Image, *, single: bool
) -> None:
    """Write maps (K, H, W) or (K, D, H, W) along a fourth axis, with the affine of ``like``.

    Args:
        path: the file.
        maps: float32; with ``single``, one map without the axis K, which gets no fourth axis.
        like: the image the maps belong to, read from NIfTI.
        single: there is one map.
    """
    import nibabel

    volumes = maps if single else np.moveaxis(maps, 0, -1)
    if like.is_stack:
        volumes = np.moveaxis(volumes, 0, 2)
    spatial = like.volume_shape or volumes.shape[: 3 if like.is_stack else 2]
    shape = spatial if single else (*spatial, *(1,) * (3 - len(spatial)), len(maps))
    file = nibabel.Nifti1Image(volumes.reshape(shape), like.affine)  # type: ignore[no-untyped-call]
    with atomic_path(path) as temporary, quiet("nibabel.global"):
        nibabel.save(file, temporary)


def checked_affine(request: Request, file: Any) -> Any:
    """Affine (4, 4) of a volume.

    Raises:
        InputError: when it places no voxel.
    """
    affine = np.asarray(file.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        raise InputError(
            f"{request.path} has an affine that places no voxel (flat, infinite or NaN), accepted "
            "is an invertible 4x4 matrix: mend its header"
        )
    return affine


def checked_shape(request: Request, file: Any) -> tuple[int, ...]:
    """Shape of a volume as it is stored.

    Raises:
        InputError: when it is no volume with channels, or larger than the limit.
    """
    shape = tuple(int(length) for length in file.shape)
    extra = [length for length in shape[3:] if length > 1]
    if len(shape) < 2 or len(extra) > 1 or 0 in shape:
        raise InputError(
            f"{request.path} is a NIfTI of shape {shape}, accepted are 2, 3 or 4 axes: "
            "save the part you need as a volume of its own"
        )
    check_pixel_count(request, shape[:3], extra[0] if extra else 1)
    return shape


def scaled_values(request: Request, file: Any, index: tuple[Any, ...] | None = None) -> Pixels:
    """Numbers of a volume as its header scales them; all of them, or those of an index.

    Raises:
        InputError: when they are not real numbers.
    """
    stored = np.dtype(file.get_data_dtype())
    if stored.names is not None and set(stored.names) <= set("RGBA"):
        raw = _stored_values(file, index)
        return np.stack([raw[name] for name in "RGB"], axis=-1)
    if stored.kind not in "uif":
        raise InputError(
            f"{request.path} is a NIfTI of {stored}, accepted are real numbers: "
            "save its magnitude or its parts"
        )
    values = _stored_values(file, index)
    if (file.dataobj.slope, file.dataobj.inter) == (1.0, 0.0):
        return values.astype(stored.newbyteorder("="), copy=False)
    # float32 holds every step of a scaled 16-bit value.
    return values.astype(np.float32, copy=False) if stored.itemsize <= 2 else values


def _stored_values(file: Any, index: tuple[Any, ...] | None) -> Pixels:
    return np.asarray(file.dataobj if index is None else file.dataobj[index])


def _read_to_the_end(handle: Any) -> None:
    # gzip checks its sum at the end of the stream, which a reader that stops early never sees.
    while handle.read(1 << 20):
        pass


def _stacked(volume: Pixels) -> Pixels:
    """(X, Y, Z, C) as (Z, X, Y, C), or (X, Y, C) when there is one slice."""
    pixels = np.moveaxis(volume, 2, 0)
    return np.ascontiguousarray(pixels if len(pixels) > 1 else pixels[0])
