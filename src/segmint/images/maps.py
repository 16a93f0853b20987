"""Maps of floating-point numbers, one a component: probabilities and what they leave open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.image import Image
from segmint.images.nifti import write_nifti_maps
from segmint.runs import atomic_path

Maps = npt.NDArray[np.float32]

LARGEST_CLASSIC_TIFF = 4_000_000_000
"""Bytes; a TIFF with more needs 64-bit offsets, which ImageJ's own format does not have."""

ZLIB_LEVEL = 1
"""Noise in the last bits of a float does not compress: higher levels take longer for nothing."""


def entropy_of(probabilities: npt.NDArray[Any]) -> Maps:
    """How undecided each pixel is, in bits: ``-sum_k p_k log2 p_k`` (Shannon, 1948).

    Args:
        probabilities: (K, ...), 0 to 1, that sum to 1 along the first axis, or all 0 outside the
            region.

    Returns:
        float32 (...), 0 where one component is certain and outside the region, at most log2 K.

    Example:
        >>> entropy_of(np.array([[0.5, 1.0, 0.0], [0.5, 0.0, 0.0]])).tolist()
        [1.0, 0.0, 0.0]
    """
    entropy = np.zeros(probabilities.shape[1:], dtype=np.float32)
    for share in probabilities:
        logarithm = np.zeros(share.shape, dtype=np.float32)
        np.log2(share, out=logarithm, where=share > 0, casting="same_kind")
        entropy -= (share * logarithm).astype(np.float32, copy=False)
    # A share that rounding lifts above 1 makes the sum negative.
    return np.maximum(entropy, 0, out=entropy)


def write_maps(
    stem: Path,
    maps: Maps,
    *,
    like: Image | None = None,
    names: Sequence[str] = (),
    single: bool = False,
) -> Path:
    """Write maps without loss, whole or not at all.

    =============================  ==========================================================
    maps                           file
    =============================  ==========================================================
    read from NIfTI                ``.nii.gz``, axes and affine of the image, maps along the
                                   fourth axis
    other                          ``.tif``, 32-bit, zlib, axes CYX or ZCYX, names as ImageJ
                                   labels of the pages
    other, more than 4 GB          ``.tif`` with 64-bit offsets (BigTIFF), names as OME channels
    =============================  ==========================================================

    Args:
        stem: path of the file without its suffix.
        maps: float32 (K, H, W), or (K, D, H, W) for a stack.
        like: the image the maps belong to; decides only whether NIfTI is written.
        names: one a map; "component 0" and so on when not given. NIfTI has no place for them.
        single: there is one map without the axis K, (H, W) or (D, H, W).

    Returns:
        The path of the file.

    Raises:
        InputError: for maps that are not float32, have another number of axes, are not of the
            shape of ``like``, or have another number of names.
        OutputError: when the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     maps = np.zeros((3, 4, 5), np.float32)
        ...     write_maps(Path(folder) / "probabilities", maps).name
        'probabilities.tif'
    """
    _check(maps, like, single=single)
    names = _checked_names(names, 1 if single else len(maps))
    if like is not None and like.affine is not None:
        path = stem.with_name(f"{stem.name}.nii.gz")
        write_nifti_maps(path, maps, like, single=single)
    else:
        path = stem.with_name(f"{stem.name}.tif")
        _write_tiff(path, maps, names, single=single)
    return path


def _check(maps: Maps, like: Image | None, *, single: bool) -> None:
    accepted = "(H, W) or (D, H, W)" if single else "(K, H, W) or (K, D, H, W)"
    axes = (2, 3) if single else (3, 4)
    if maps.dtype != np.float32 or maps.ndim not in axes or maps.size == 0:
        raise InputError(
            f"maps are {maps.dtype} of shape {maps.shape}, accepted are float32 {accepted}: "
            "convert them"
        )
    shape = maps.shape if single else maps.shape[1:]
    if like is not None and shape != like.pixels.shape[:-1]:
        raise InputError(
            f"maps have shape {shape} and the image {like.pixels.shape[:-1]}, accepted is one "
            "value a pixel: pass the image they were made from"
        )


def _checked_names(names: Sequence[str], count: int) -> list[str]:
    if not names:
        return [f"component {index}" for index in range(count)]
    if len(names) != count:
        raise InputError(
            f"{len(names)} names are given for {count} maps, accepted is one a map: "
            "name all of them or none"
        )
    return list(names)


def _write_tiff(path: Path, maps: Maps, names: list[str], *, single: bool) -> None:
    """Write page by page, the maps of a slice one after the other, as ImageJ counts them."""
    import tifffile

    stack = maps.ndim == (3 if single else 4)
    ordered = np.moveaxis(maps, 0, 1) if stack and not single else maps
    axes = ("Z" if stack else "") + ("" if single else "C") + "YX"
    slices = len(ordered) if stack else 1
    large = maps.nbytes > LARGEST_CLASSIC_TIFF
    # Without an axis of samples, ImageJ's writer takes a picture one pixel wide for samples.
    samples = "" if large else "S"
    named = {"Channel": {"Name": names}} if large else {"Labels": names * slices}
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            (ordered[index] for index in np.ndindex(ordered.shape[:-2])),
            shape=(*ordered.shape, *(1 for _ in samples)),
            dtype=np.float32,
            imagej=not large,
            ome=large,
            bigtiff=large,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": ZLIB_LEVEL},
            metadata={"axes": axes + samples, **named},
        )
