"""The images that a command is given."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.cli.inputs import InputOptions
from segmint.engines.collection import open_collection
from segmint.engines.item import Item
from segmint.engines.part import Part
from segmint.errors import UsageError
from segmint.images import collect_images, result_names

if TYPE_CHECKING:
    from segmint.engines.collection import Collection

_SHORTEST_COMMON_NAME = 3


def collect(
    images: Sequence[str],
    options: InputOptions,
    channels: Sequence[str] = (),
    *,
    part: str | None = None,
) -> Collection | list[Item]:
    """The images that were named, or the one whose channels were.

    Raises:
        UsageError: when nothing was named, or both.
        InputError: for a missing file, a folder without images or a faulty table.
    """
    if not channels:
        parted = None if part is None else Part.parse(part)
        return open_collection(
            _named(images, options), recursive=options.recursive, part=parted, results=options.out
        )
    if images:
        raise UsageError(
            f"--channels names the files of one image, so {images[0]} is one too many: give either"
        )
    files = channel_files(channels, options)
    return [Item(number=0, image=str(files[0]), name=_common_name(files))]


def channel_files(channels: Sequence[str], options: InputOptions) -> list[Path]:
    """The files that are the channels of one image.

    Raises:
        UsageError: when a file is named twice.
        InputError: for a missing file or a folder without images.
    """
    named = _named(channels, options)
    if len({Path(name).resolve() for name in named}) < len(named):
        raise UsageError("--channels names a file twice: name one file for each channel")
    return collect_images(named, recursive=options.recursive)


def _named(images: Sequence[str], options: InputOptions) -> list[str]:
    """What was named, in the folder that relative names are looked up in."""
    if "" in images:
        raise UsageError("an image name is empty: give files, folders or patterns like '*.png'")
    base = Path(options.path) if options.path is not None else None
    named = [str(base / image) if base is not None else image for image in images]
    if not named and base is not None:
        named = [str(base)]
    if not named:
        raise UsageError("no image was named: give files, folders or patterns like 'scans/*.png'")
    return named


def _common_name(channels: Sequence[Path]) -> str:
    """What the names of the files begin with alike; where that is too short, their folder."""
    names = result_names(channels)
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = "".join(letters[0] for letters in alike).rstrip("-_ .")
    if len(shared) >= _SHORTEST_COMMON_NAME:
        return shared
    folders = {path.parent for path in channels}
    return (folders.pop().name or names[0]) if len(folders) == 1 else names[0]
