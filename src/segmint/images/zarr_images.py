"""The images in a Zarr folder that holds several: plates, series, groups of image groups.

Only metadata are read, and they are not trusted: what they name must lie in the folder, links out
of it are not followed, and depth and count have limits.

Source: OME-Zarr 0.4 and 0.5, https://ngff.openmicroscopy.org (plate, well, bioformats2raw.layout).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from segmint.errors import InputError
from segmint.images.folder_listing import natural_text
from segmint.images.zarr_metadata import ome_description, parts_inside, zarr_node

_MOST_IMAGES = 1_000_000
_MOST_GROUPS = 100_000
"""That are looked into, where a description does not say what they are."""
_DEEPEST = 8
_METADATA = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def zarr_images(folder: str | Path) -> list[str]:
    """The places of the images in a Zarr folder, in the order of its description.

    A place is a path below the folder with ``/`` between its parts. A folder that is one image, or
    of which nothing is known, gives one place, ``""``: what is wrong with it is said when it is
    opened. So it is with a well whose metadata are damaged.

    Args:
        folder: of the image, plate, well or group.

    Raises:
        InputError: when it names a place outside of it, or more images than can be meant.
    """
    root = _Root(Path(folder))
    places: dict[str, None] = {}
    for place in root.images(()):
        places["/".join(place)] = None
        if len(places) > _MOST_IMAGES:
            raise root.too_many(f"{_MOST_IMAGES} images")
    return list(places) or [""]


class _Root:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = folder.resolve()
        self._groups = 0

    def images(self, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Places of images in a group; its own where it is an image or cannot be read."""
        try:
            attributes, array = zarr_node(self._folder.joinpath(*place))
        except InputError:
            yield place
            return
        described = ome_description(attributes)
        if array is not None or "multiscales" in described:
            yield place
        elif isinstance(described.get("plate"), dict):
            for well in self._named(place, described["plate"].get("wells")):
                yield from self._fields(well)
        elif isinstance(described.get("well"), dict):
            yield from self._named(place, described["well"].get("images")) or (place,)
        elif "bioformats2raw.layout" in described:
            series = self._series(place)
            yield from series if len(series) > 1 else (place,)
        else:
            yield from list(self._inside(place)) or (place,)

    def _fields(self, well: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Of a well of a plate."""
        try:
            described = ome_description(zarr_node(self._folder.joinpath(*well))[0]).get("well")
        except InputError:
            return [well]
        images = described.get("images") if isinstance(described, dict) else None
        return self._named(well, images) or [well]

    def _named(self, place: tuple[str, ...], listed: Any) -> list[tuple[str, ...]]:
        """Places that a description names, each as ``{"path": "A/1"}``."""
        entries = listed if isinstance(listed, list) else []
        if len(entries) > _MOST_IMAGES:
            raise self.too_many(f"{_MOST_IMAGES} images")
        return [
            self._checked(place, entry.get("path") if isinstance(entry, Mapping) else None)
            for entry in entries
        ]

    def _series(self, place: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Of a folder that bioformats2raw wrote: as listed, else ``0``, ``1`` and so on."""
        try:
            attributes = zarr_node(self._folder.joinpath(*place, "OME"))[0]
        except InputError:
            attributes = {}
        listed = ome_description(attributes).get("series")
        if isinstance(listed, list) and listed:
            return [self._checked(place, path) for path in listed]
        found: list[tuple[str, ...]] = []
        for number in count():
            if not self._folder.joinpath(*place, str(number)).is_dir():
                return found
            found.append(self._checked(place, str(number)))
            if len(found) > _MOST_IMAGES:
                raise self.too_many(f"{_MOST_IMAGES} images")
        return found

    def _inside(self, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Places of images in the groups of a group that says nothing of itself.

        Arrays that lie in it side by side might be images or copies of one: none is chosen.
        """
        groups = self._groups_in(place)
        if groups is None or len(place) >= _DEEPEST:
            return
        for group in groups:
            yield from self._of_group((*place, group))

    def _of_group(self, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        try:
            attributes, _ = zarr_node(self._folder.joinpath(*place))
        except InputError:
            yield place
            return
        described = ome_description(attributes)
        if isinstance(described.get("labels"), list):
            return
        if set(described) & {"multiscales", "plate", "well", "bioformats2raw.layout"}:
            yield from self.images(place)
        elif self._arrays_in(place) == 1:
            yield place
        else:
            yield from self._inside(place)

    def _groups_in(self, place: tuple[str, ...]) -> list[str] | None:
        """Names of the groups in a group, in natural order; None where it holds arrays, too."""
        groups = []
        for name in self._nodes_in(place):
            if self._is_array((*place, name)):
                return None
            groups.append(name)
        return sorted(groups, key=lambda name: (natural_text(name), name))

    def _arrays_in(self, place: tuple[str, ...]) -> int:
        return sum(self._is_array((*place, name)) for name in self._nodes_in(place))

    def _is_array(self, place: tuple[str, ...]) -> bool:
        try:
            return zarr_node(self._folder.joinpath(*place))[1] is not None
        except InputError:
            return False

    def _nodes_in(self, place: tuple[str, ...]) -> list[str]:
        """Names of the folders with metadata in a folder; links are left out."""
        folder = self._folder.joinpath(*place)
        found = []
        with os.scandir(folder) as entries:
            for entry in entries:
                usable = not entry.name.startswith(".") and entry.name.isprintable()
                if not usable or not entry.is_dir(follow_symlinks=False):
                    continue
                self._groups += 1
                if self._groups > _MOST_GROUPS:
                    raise self.too_many(f"{_MOST_GROUPS} groups that are not described")
                if any((folder / entry.name / mark).is_file() for mark in _METADATA):
                    found.append(entry.name)
        return found

    def _checked(self, place: tuple[str, ...], path: Any) -> tuple[str, ...]:
        """A place that metadata name, if it lies in the folder."""
        parts = parts_inside(path)
        folder = self._folder.joinpath(*place, *parts)
        if not parts or not folder.resolve().is_relative_to(self._real):
            shown = repr(path) if len(repr(path)) < 64 else f"{repr(path)[:64]}..."
            raise InputError(
                f"{self._folder} names {shown} as the place of an image, accepted are folders in "
                "it: copy it again with what its links point to, or save it anew"
            )
        return (*place, *parts)

    def too_many(self, what: str) -> InputError:
        """The error for a folder that would never be done."""
        return InputError(
            f"{self._folder} holds more than {what}, accepted are Zarr images and plates: name "
            "the images in it, one by one or in a table"
        )
