"""Prepared images: a crop with its region, mask and names in one ``.npz`` file, without pickle.

The file is a zip of plain arrays, so that any NumPy reads it: ``format``, ``image`` (H, W, C)
float32, ``region`` (H, W) bool, ``mask`` (H, W) uint8 with the number of a class inside the region
and 255 elsewhere, ``spacing`` (2,) in millimeters, and the strings ``channels`` (C,), ``classes``
(K,), ``patient``, ``slice``, ``sources``, ``corner`` and ``normalization``.
"""

from __future__ import annotations

import math
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.choices import MAX_PIXELS
from segmint.images.class_means import check_name_characters
from segmint.images.decoding import Request, check_pixel_count, damaged, decoding
from segmint.images.image import Image, check_finite
from segmint.runs import atomic_path

FORMAT = "segmint prepared 1"
"""What ``format`` holds; another number is another layout of the file."""

ZIP_SIGNATURE = b"PK\x03\x04"
UNCOUNTED = 255
"""Value of the mask where nothing counts."""

MOST_CLASSES = UNCOUNTED

_LONGEST_TEXT = 1 << 20
_ADVICE = "prepare the data again with 'segmint data prepare'"


@dataclass(frozen=True, kw_only=True)
class _Key:
    kinds: str
    """Accepted ``dtype.kind``."""
    axes: str
    """One letter an axis; the same letter is the same length."""
    dtype: type[np.generic] | None = None
    """The one accepted type."""


_KEYS: Mapping[str, _Key] = {
    "image": _Key(kinds="f", axes="HWC", dtype=np.float32),
    "region": _Key(kinds="b", axes="HW", dtype=np.bool_),
    "mask": _Key(kinds="u", axes="HW", dtype=np.uint8),
    "spacing": _Key(kinds="f", axes="2"),
    "channels": _Key(kinds="U", axes="C"),
    "classes": _Key(kinds="U", axes="K"),
    "patient": _Key(kinds="U", axes=""),
    "slice": _Key(kinds="iu", axes=""),
    "sources": _Key(kinds="U", axes="S"),
    "corner": _Key(kinds="iu", axes="2"),
    "normalization": _Key(kinds="U", axes=""),
}


def write_prepared(
    path: Path,
    image: Image,
    *,
    patient: str = "",
    slice_index: int = 0,
    sources: Sequence[str] = (),
    corner: tuple[int, int] = (0, 0),
    normalization: str = "none",
) -> None:
    """Write one crop, whole or not at all.

    Args:
        path: ends with ``.npz``.
        image: ``pixels`` (H, W, C) of finite numbers, with ``region``, ``mask``, ``channel_names``
            and ``class_names``; a missing ``spacing`` is 1 mm.
        patient: whose image it is.
        slice_index: which slice of the volume, from 0.
        sources: names of the files it was made from.
        corner: row and column of the crop in the slice; negative where it was padded.
        normalization: what was done to the values of a channel.

    Raises:
        InputError: for parts that are missing, do not fit, or hold what cannot be written.
        OutputError: when the file cannot be written.
    """
    arrays = _arrays(path, image)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            format=np.array(FORMAT),
            **arrays,
            patient=np.array(patient, np.str_),
            slice=np.array(slice_index, np.int64),
            sources=np.array(list(sources), np.str_),
            corner=np.array(corner, np.int64),
            normalization=np.array(normalization, np.str_),
        )


def read_prepared(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read what :func:`write_prepared` wrote. Nothing in the file can run.

    Args:
        path: the ``.npz`` file.
        max_pixels: larger images are refused by their header, before they are decoded; four
            channels count as one pixel.

    Returns:
        ``pixels`` float32 (H, W, C), ``region`` and ``mask`` (H, W), ``spacing`` and the names;
        patient, slice, corner and normalization as a sentence in ``notes``.

    Raises:
        InputError: when it is no prepared file, one of another version, damaged, or larger than
            the limit.
    """
    request = Request(path=Path(path), pages="auto", max_pixels=max_pixels)
    with decoding(request, "prepared"):
        try:
            with request.path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
                _check_format(request, archive)
                arrays = _read_arrays(request, archive)
        except zipfile.BadZipFile as error:
            raise damaged(request, "NumPy archive") from error
    image = Image(
        pixels=arrays["image"],
        source=request.path,
        spacing=tuple(float(step) for step in arrays["spacing"]),
        region=arrays["region"],
        mask=arrays["mask"].astype(np.int32),
        channel_names=tuple(arrays["channels"].tolist()),
        class_names=tuple(arrays["classes"].tolist()),
        notes=(_note(arrays),),
    )
    _check_values(path, image)
    return image


def _arrays(path: Path, image: Image) -> dict[str, Any]:
    if image.region is None or image.mask is None or image.pixels.ndim != 3:
        raise InputError(
            f"{path} cannot be written from an image without a region and a mask, or with slices: "
            "give pixels (H, W, C), region and mask"
        )
    spacing = image.spacing or (1.0, 1.0)
    fitting = image.region.shape == image.mask.shape == image.pixels.shape[:2]
    if not fitting or len(image.channel_names) != image.channels or len(spacing) != 2:
        raise InputError(
            f"{path} cannot be written: pixels {image.pixels.shape}, region {image.region.shape}, "
            f"mask {image.mask.shape}, {len(image.channel_names)} channel names and spacing "
            f"{spacing} do not fit; give one region and mask value for each pixel, one name for "
            "each channel and two steps"
        )
    _check_values(path, image)
    return {
        "image": image.pixels.astype(np.float32),
        "region": image.region.astype(np.bool_),
        "mask": image.mask.astype(np.uint8),
        "spacing": np.array(spacing, np.float64),
        "channels": np.array(image.channel_names, np.str_),
        "classes": np.array(image.class_names, np.str_),
    }


def _check_values(path: str | Path, image: Image) -> None:
    """Finite pixels, and a class inside the region and 255 outside.

    Raises:
        InputError: says what else there is.
    """
    assert image.region is not None and image.mask is not None
    check_finite(image, advice=_ADVICE)
    check_name_characters(path, "class", image.class_names)
    check_name_characters(path, "channel", image.channel_names)
    classes = len(image.class_names)
    if classes > MOST_CLASSES:
        raise InputError(f"{path} has {classes} classes, accepted are at most {MOST_CLASSES}")
    known = (image.mask >= 0) & (image.mask < classes)
    wrong = (image.mask != UNCOUNTED) & ~(known & image.region)
    if wrong.any():
        raise InputError(
            f"{path} holds {np.count_nonzero(wrong)} mask values such as {image.mask[wrong][0]}, "
            f"accepted are the {classes} classes from 0 inside the region and {UNCOUNTED} "
            f"elsewhere: {_ADVICE}"
        )
    assert image.spacing is None or len(image.spacing) == 2
    if image.spacing is not None and not all(0 < step < np.inf for step in image.spacing):
        raise InputError(
            f"{path} has the spacing {image.spacing}, accepted are millimeters above 0: {_ADVICE}"
        )


def _check_format(request: Request, archive: zipfile.ZipFile) -> None:
    if "format.npy" not in archive.namelist():
        raise InputError(
            f"{request.path} is a zip or NumPy archive but no prepared image, accepted are .npz "
            "files that 'segmint data prepare' wrote: name one of them, or save one array as .npy"
        )
    found = _read(request, archive, "format", _Key(kinds="U", axes=""), {})
    if found != FORMAT:
        raise InputError(
            f"{request.path} is of the format {str(found)[:40]!r}, accepted is {FORMAT!r}: "
            f"{_ADVICE}"
        )


def _read_arrays(request: Request, archive: zipfile.ZipFile) -> dict[str, npt.NDArray[Any]]:
    names, lengths = archive.namelist(), {"2": 2}
    missing = [name for name in _KEYS if f"{name}.npy" not in names]
    if missing:
        raise InputError(
            f"{request.path} lacks {', '.join(missing)}, a prepared image holds "
            f"{', '.join(_KEYS)}: {_ADVICE}"
        )
    return {name: _read(request, archive, name, key, lengths) for name, key in _KEYS.items()}


def _read(
    request: Request, archive: zipfile.ZipFile, name: str, key: _Key, lengths: dict[str, int]
) -> npt.NDArray[Any]:
    """One array, decoded only after its header says what is accepted."""
    with archive.open(f"{name}.npy") as handle:
        shape, fortran_order, dtype = _header(handle)
        _check_header(request, name, key, shape, dtype, lengths)
        size = dtype.itemsize * math.prod(shape)
        data = handle.read(size)
        # The check sum is compared at the end of the member.
        if len(data) != size or handle.read(1):
            raise ValueError("length")
    if dtype.kind == "U":
        _check_code_points(data, dtype)
    array = np.frombuffer(data, dtype) if size else np.zeros(math.prod(shape), dtype)
    ordered = array.reshape(shape, order="F" if fortran_order else "C")
    return np.array(ordered, dtype.newbyteorder("="), order="C")


def _check_code_points(data: bytes, dtype: np.dtype[Any]) -> None:
    """Refuse numbers that stand for no character, of which a string cannot be made or shown."""
    points = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    if (points > sys.maxunicode).any() or ((points >= 0xD800) & (points <= 0xDFFF)).any():
        raise ValueError("code point")


def _header(handle: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    # Later versions hold headers of up to 4 GiB, which a small zip can pretend to have.
    if np.lib.format.read_magic(handle) != (1, 0):
        raise ValueError("version of the array")
    return np.lib.format.read_array_header_1_0(handle)


def _check_header(
    request: Request,
    name: str,
    key: _Key,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    lengths: dict[str, int],
) -> None:
    """Refuse objects, other types, other shapes and what is too large, by the header alone."""
    if dtype.hasobject:
        raise InputError(
            f"{request.path} holds pickled objects in {name}, which could run code and are never "
            f"loaded, accepted are plain arrays: {_ADVICE}"
        )
    accepted = np.dtype(key.dtype).name if key.dtype else {"U": "text"}.get(key.kinds, "numbers")
    same_type = dtype.kind in key.kinds and (key.dtype is None or dtype == key.dtype)
    same_axes = len(shape) == len(key.axes) and all(
        lengths.setdefault(axis, length) == length
        for axis, length in zip(key.axes, shape, strict=True)
    )
    if not (same_type and same_axes) or (name == "image" and 0 in shape):
        axes = ", ".join(f"{axis}={lengths.get(axis, '?')}" for axis in key.axes) or "one value"
        raise InputError(
            f"{request.path} holds {name} as {dtype} of shape {shape}, accepted is {accepted} "
            f"({axes}): {_ADVICE}"
        )
    if name == "image":
        check_pixel_count(request, shape[:2], shape[2])
    elif key.kinds == "U" and max(dtype.itemsize, 4) * math.prod(shape) > _LONGEST_TEXT:
        raise InputError(
            f"{request.path} holds more than {_LONGEST_TEXT} bytes of text in {name}: {_ADVICE}"
        )


def _note(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    row, column = arrays["corner"].tolist()
    return (
        f"prepared: patient {arrays['patient']}, slice {arrays['slice']}, crop from row {row}, "
        f"column {column}, normalization {arrays['normalization']}"
    )
