"""Several files as the channels of one image, for example the modalities of a scan."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.errors import InputError
from segmint.images.choices import MAX_PIXELS
from segmint.images.collect import result_names
from segmint.images.decoding import Request, check_pixel_count
from segmint.images.image import Image
from segmint.images.reading import read_image

LARGEST_SHIFT = 0.1
"""How far the corners of two volumes may lie apart, in voxels, so that they count as one grid.

A header that keeps a rotation as a rounded quaternion moves corners by hundredths of a voxel.
"""

_LAST_SEPARATOR = re.compile(r".*[ ._-]", re.DOTALL)


def check_channel_order(
    names: Sequence[str], wanted: Sequence[str], whose: str, *, advice: str = "give them so"
) -> None:
    """Refuse channels that are the wanted ones in another order; names that differ say nothing.

    Args:
        names: of the channels of an image, empty where it has none.
        wanted: in the order that is needed.
        whose: order it is, for the message.
        advice: what to do.

    Raises:
        InputError: names both orders.
    """
    if tuple(names) != tuple(wanted) and sorted(names) == sorted(wanted):
        raise InputError(
            f"image has the channels {', '.join(names)}, those of {whose} are "
            f"{', '.join(wanted)}: {advice}"
        )


def read_channels(
    paths: Sequence[str | Path], *, pages: str = "auto", max_pixels: int = MAX_PIXELS
) -> Image:
    """Read files that show the same place as one image.

    Args:
        paths: files of any format, each with one channel or more; channels keep their order.
        pages: what the pages of a file are, as for ``read_image``.
        max_pixels: larger images are refused; up to four channels of a pixel count as one.

    Returns:
        The image. Channels are called as the files, without what all their names share at the
        start and at the end; ``source`` is the first file, and spacing and affine are those of the
        first file that has them. Integers stay integers. A single file comes back as
        ``read_image`` reads it.

    Raises:
        InputError: when a file cannot be read, is given twice or is a prepared one, or when the
            files differ in size or do not lie on one grid.
        UsageError: for an unknown ``pages`` or a limit below 1.
    """
    files = [Path(paths)] if isinstance(paths, str) else [Path(path) for path in paths]
    _check_files(files)
    images: list[Image] = []
    for path in files:
        image = read_image(path, pages=pages, max_pixels=max_pixels)
        _check_plain(image, path)
        if images:
            _check_same_size(images[0], files[0], image, path)
        images.append(image)
        channels = sum(each.channels for each in images)
        request = Request(path=path, pages=pages, max_pixels=max_pixels)
        check_pixel_count(request, image.pixels.shape[:-1], channels)
    if len(images) == 1:
        return images[0]
    _check_one_grid(images, files)
    names = channel_names(files, [image.channels for image in images])
    placed = next((image for image in images if image.affine is not None), images[0])
    return replace(
        placed,
        pixels=np.concatenate([image.pixels for image in images], axis=-1, dtype=_kind(images)),
        source=files[0],
        spacing=next((image.spacing for image in images if image.spacing is not None), None),
        channel_names=names,
        notes=_notes(images, files, names),
    )


def channel_names(files: Sequence[Path], counts: Sequence[int]) -> tuple[str, ...]:
    """A name for each channel of several files, without what all names share.

    Args:
        files: one or more.
        counts: how many channels each has; several are numbered.

    Example:
        >>> channel_names([Path("scan_7_DE.nii.gz"), Path("scan_7_rgb.png")], [1, 3])
        ('DE', 'rgb_0', 'rgb_1', 'rgb_2')
    """
    names: list[str] = []
    readable = [name.encode("utf-8", "replace").decode() for name in result_names(files)]
    for name, count in zip(_shortened(readable), counts, strict=True):
        names += [name] if count == 1 else [f"{name}_{index}" for index in range(count)]
    return tuple(names) if len(set(names)) == len(names) else tuple(map(str, range(len(names))))


def _shortened(names: list[str]) -> list[str]:
    """Names without the words that all begin with and all end with; words are never cut."""
    start = _shared_words(names)
    rest = [name[len(start) :] for name in names]
    end = _shared_words([name[::-1] for name in rest])
    short = [name[: len(name) - len(end)] for name in rest]
    return short if len(names) > 1 and all(short) else names


def _shared_words(names: Sequence[str]) -> str:
    """What all begin with, up to its last separator."""
    shared = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    found = _LAST_SEPARATOR.match("".join(letters[0] for letters in shared))
    return found.group() if found else ""


def _check_files(files: Sequence[Path]) -> None:
    if not files:
        raise InputError("no file is given, accepted is one or more: name the files of the image")
    for first, second in itertools.combinations(files, 2):
        if first.resolve() == second.resolve():
            raise InputError(
                f"{second} is given twice, accepted is each file once: "
                "name one file for each channel"
            )


def _check_plain(image: Image, path: Path) -> None:
    if image.region is not None or image.mask is not None:
        raise InputError(
            f"{path} is a prepared image with its own region and truth, accepted as channels are "
            "plain images: segment it alone, for it holds all its channels"
        )


def _check_same_size(first: Image, first_path: Path, image: Image, path: Path) -> None:
    if first.pixels.shape[:-1] == image.pixels.shape[:-1]:
        return
    advice = "resample them onto one grid"
    if first.is_stack != image.is_stack:
        advice = "give stacks with stacks only, or take one slice of each with --pages first"
    raise InputError(
        f"{first_path} is {_size(first)} and {path} is {_size(image)}, accepted as channels of one "
        f"image are files of the same size: {advice}"
    )


def _size(image: Image) -> str:
    size = f"{image.height} x {image.width} pixels"
    return f"a stack of {len(image.pixels)} slices of {size}" if image.is_stack else size


def _check_one_grid(images: Sequence[Image], files: Sequence[Path]) -> None:
    """Refuse volumes whose headers place the same voxel at different points of the body."""
    placed = [(image, path) for image, path in zip(images, files, strict=True) if _has_grid(image)]
    if not placed:
        return
    first, first_path = placed[0]
    corners = _corners(first)
    assert first.affine is not None
    voxel = float(np.linalg.norm(first.affine[:3, :3], axis=0).min())
    for image, path in placed[1:]:
        shift = float(np.linalg.norm(_corners(image) - corners, axis=0).max())
        if not shift <= LARGEST_SHIFT * voxel:
            raise InputError(
                f"{first_path} and {path} lie up to {shift:.3g} mm apart by their headers, "
                f"accepted is at most a tenth of a voxel ({LARGEST_SHIFT * voxel:.3g} mm): "
                "resample them onto one grid"
            )


def _has_grid(image: Image) -> bool:
    return image.affine is not None and image.volume_shape is not None


def _corners(image: Image) -> npt.NDArray[np.float64]:
    """(3, 8) millimeters, where the outermost voxels lie."""
    assert image.affine is not None and image.volume_shape is not None
    lengths = (*image.volume_shape, 1, 1)[:3]
    indices = list(itertools.product(*((0, length - 1) for length in lengths)))
    turned: npt.NDArray[np.float64] = image.affine[:3, :3] @ np.transpose(indices)
    return turned + image.affine[:3, 3:]


def _kind(images: Sequence[Image]) -> np.dtype[Any]:
    """The smallest type that holds all values; integers where all are."""
    kinds = [image.pixels.dtype for image in images]
    common = np.result_type(*kinds)
    if common.kind != "f" or any(kind.kind == "f" for kind in kinds):
        return common
    # No integer type holds both uint64 and negative values; values that need both are unknown.
    greatest = max(int(image.pixels.max()) for image in images)
    return np.dtype(np.int64) if greatest <= np.iinfo(np.int64).max else common


def _notes(images: Sequence[Image], files: Sequence[Path], names: Sequence[str]) -> tuple[str, ...]:
    said = list(dict.fromkeys(note for image in images for note in image.notes))
    said.append(f"{len(files)} files read as the channels {', '.join(names)}")
    grid = next((path for image, path in zip(images, files, strict=True) if _has_grid(image)), None)
    bare = [path for image, path in zip(images, files, strict=True) if not _has_grid(image)]
    if grid is not None and bare:
        said.append(
            f"{', '.join(path.name for path in bare)} taken to lie on the grid of {grid.name}, for "
            "only NIfTI says where it lies"
        )
    return tuple(said)
