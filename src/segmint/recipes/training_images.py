"""The images that recipes learn from which need no masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from segmint.errors import InputError, SegmintError
from segmint.images import Image, check_finite, read_image
from segmint.images.channels import check_channel_order
from segmint.recipes.file_options import FileOptions
from segmint.recipes.training_files import training_files


def training_images(
    data: Sequence[str | Path | Image], files: FileOptions, *, say: Callable[[str], None]
) -> list[Image]:
    """The images of a training, checked.

    Args:
        data: files, folders, patterns, lists and tables, as for :func:`training_files`, and images.
        files: how files are found and read.
        say: told what the user should know.

    Raises:
        InputError: for what cannot be read or used, images with other channels than the first, or
            no image at all.
    """
    images = [item for item in data if isinstance(item, Image)]
    paths = [item for item in data if not isinstance(item, Image)]
    images += [_read(path, files) for path in _said(paths, files, say)]
    if not images:
        raise InputError("no image to learn from: give a folder or a list of images")
    for image in images:
        _check(image, images[0])
    return images


def readable_images(
    data: Sequence[str | Path], files: FileOptions, *, say: Callable[[str], None]
) -> tuple[list[Image], list[str]]:
    """The images that can be read, and why the others cannot.

    Args:
        data: as for :func:`training_files`.
        files: how files are found and read.
        say: told what the user should know.

    Raises:
        InputError: when none can be read.
    """
    images: list[Image] = []
    failures: list[str] = []
    for path in _said(data, files, say):
        try:
            image = _read(path, files)
            check_finite(image, image.region, advice="clean them")
        except SegmintError as error:
            failures.append(str(error))
        else:
            images.append(image)
    if not images:
        more = len(failures) - 1
        others = f" ({more} other file{'' if more == 1 else 's'} failed too)" if more else ""
        raise InputError(failures[0] + others)
    return images, failures


def _said(
    data: Sequence[str | Path], files: FileOptions, say: Callable[[str], None]
) -> tuple[Path, ...]:
    """The files; what there is to know of them is said."""
    if not data:
        return ()
    found = training_files(data, files)
    for note in found.notes:
        say(f"note: {note}")
    return found.paths


def _read(path: Path, files: FileOptions) -> Image:
    return read_image(path, pages=files.pages, max_pixels=files.max_pixels)


def _check(image: Image, first: Image) -> None:
    """Refuse what one network cannot learn from."""
    check_finite(image, image.region, advice="clean them")
    check_channel_order(image.channel_names, first.channel_names, str(first.source))
    if image.channels != first.channels:
        raise InputError(
            f"{image.source} has {image.channels} channels and {first.source} {first.channels}, "
            "accepted are images with the same channels: learn from each kind apart"
        )
