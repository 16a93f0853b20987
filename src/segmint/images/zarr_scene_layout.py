"""What the metadata of a Zarr folder say of the image in it; nothing is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segmint.errors import InputError, shortened
from segmint.images.zarr_metadata import (
    ZarrArray,
    damaged_zarr,
    ome_description,
    parts_inside,
    zarr_node,
)

_LETTERS = {"t": "T", "time": "T", "c": "C", "channel": "C", "z": "Z", "y": "Y", "x": "X"}
_BEFORE_NAMES = "TCZYX"
"""Axes of OME-Zarr before version 0.3, which did not name them."""

_MILLIMETERS = {
    "angstrom": 1e-7,
    "nanometer": 1e-6,
    "micrometer": 1e-3,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "meter": 1e3,
}
_ENDLESS = 1e300
_LISTED = 8


@dataclass(frozen=True, kw_only=True)
class ZarrImage:
    """The arrays of one image and what is said of their axes."""

    levels: tuple[ZarrArray, ...]
    """The image, and smaller copies of it."""
    axes: str | None = None
    """A letter an axis; None where they have no names."""
    steps: Mapping[str, float] | None = None
    """Millimeters along axes whose unit is known."""
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def describe_zarr(folder: Path) -> ZarrImage:
    """What image a folder holds.

    Raises:
        InputError: when it holds none or several, or metadata are damaged.
    """
    attributes, array = zarr_node(folder)
    if array is not None:
        return ZarrImage(levels=(array,), axes=_named_axes(array, attributes))
    described = ome_description(attributes)
    if "multiscales" in described:
        return _multiscale(folder, described)
    if "plate" in described or "well" in described:
        raise InputError(
            f"{folder} is a plate of many images, accepted is one image: name one in it, such as "
            f"{folder / 'A' / '1' / '0'}"
        )
    if "bioformats2raw.layout" in described and (folder / "0").is_dir():
        inner = describe_zarr(folder / "0")
        return replace(inner, notes=("first image of the folder read", *inner.notes))
    return _only_array(folder)


def _multiscale(folder: Path, described: Mapping[str, Any]) -> ZarrImage:
    first = _first(folder, described.get("multiscales"), "multiscales")
    datasets = first.get("datasets")
    _first(folder, datasets, "datasets")
    assert isinstance(datasets, list)
    levels = [_array_at(folder, dataset) for dataset in datasets]
    names, units = _axes_of(folder, first, levels[0])
    return ZarrImage(
        levels=tuple(levels),
        axes=names,
        steps=_steps(names, units, _scales(folder, datasets[0], first)),
        channel_names=_channel_names(described),
    )


def _axes_of(
    folder: Path, multiscale: Mapping[str, Any], array: ZarrArray
) -> tuple[str, list[str]]:
    """Letters and units."""
    axes = multiscale.get("axes")
    shape = array.metadata.get("shape")
    if axes is None and isinstance(shape, list) and len(shape) == len(_BEFORE_NAMES):
        return _BEFORE_NAMES, [""] * len(_BEFORE_NAMES)
    if not isinstance(axes, list | None):
        raise damaged_zarr(folder, "has no list of axes in its description")
    described = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes or ()]
    names = [str(axis.get("name")) for axis in described]
    letters = "".join(_LETTERS.get(name.lower(), "?") for name in names)
    if "?" in letters or len(set(letters)) < len(letters) or not {"Y", "X"} <= set(letters):
        raise InputError(
            f"{folder} has the axes {_in_one_line(', '.join(names)) or 'none'}, accepted are y and "
            "x, each once, with any of t, c and z: name its axes so"
        )
    return letters, [str(axis.get("unit", "")) for axis in described]


def _scales(folder: Path, *owners: Mapping[str, Any]) -> list[Any]:
    """What the transformations of the first level and of all levels multiply by."""
    found = []
    for owner in owners:
        transforms = owner.get("coordinateTransformations")
        if not isinstance(transforms, list | None):
            raise damaged_zarr(
                folder, "has no list of coordinateTransformations in its description"
            )
        found += [each for each in transforms or () if isinstance(each, dict)]
    return [each.get("scale") for each in found if each.get("type") == "scale"]


def _steps(names: str, units: Sequence[str], scales: Sequence[Any]) -> Mapping[str, float]:
    steps = {}
    for place, (axis, unit) in enumerate(zip(names, units, strict=True)):
        step = _MILLIMETERS.get(unit, 0.0)
        for scale in scales:
            fits = isinstance(scale, list) and len(scale) == len(names)
            number = scale[place] if fits and scale is not None else 0
            # A whole number may be larger than any float.
            step *= number if isinstance(number, float | int) and abs(number) < _ENDLESS else 0
        if scales and 0 < step < float("inf"):
            steps[axis] = float(step)
    return steps


def _channel_names(described: Mapping[str, Any]) -> tuple[str, ...]:
    display = described.get("omero")
    channels = display.get("channels") if isinstance(display, dict) else None
    if not isinstance(channels, list) or not all(isinstance(each, dict) for each in channels):
        return ()
    names = tuple(str(each.get("label", "")) for each in channels)
    return names if all(names) else ()


def _only_array(folder: Path) -> ZarrImage:
    names = sorted(path.name for path in folder.iterdir() if _holds_array(path))
    if len(names) == 1:
        return describe_zarr(folder / names[0])
    found = ", ".join(names[:_LISTED]) or "none"
    raise InputError(
        f"{folder} is a Zarr group without the description of an image, its arrays are {found}, "
        f"accepted are OME-Zarr images and single arrays: name an array in it, "
        f"such as {folder / (names or ['0'])[0]}"
    )


def _holds_array(path: Path) -> bool:
    if (path / ".zarray").is_file():
        return True
    return (path / "zarr.json").is_file() and zarr_node(path)[1] is not None


def _array_at(folder: Path, dataset: Any) -> ZarrArray:
    path = dataset.get("path") if isinstance(dataset, dict) else None
    parts = parts_inside(path)
    if not parts:
        raise damaged_zarr(folder, f"names {shortened(repr(path))} as the place of an array")
    array = zarr_node(folder.joinpath(*parts))[1]
    if array is None:
        raise damaged_zarr(folder, f"has no array in {shortened(str(path))}")
    return array


def _named_axes(array: ZarrArray, attributes: Mapping[str, Any]) -> str | None:
    """Letters of an array that names its axes as OME does, else nothing."""
    names = array.metadata.get("dimension_names", attributes.get("_ARRAY_DIMENSIONS"))
    if not isinstance(names, list):
        return None
    letters = "".join(_LETTERS.get(str(name).lower(), "?") for name in names)
    complete = "?" not in letters and len(set(letters)) == len(letters)
    return letters if complete and {"Y", "X"} <= set(letters) else None


def _first(folder: Path, listed: Any, name: str) -> dict[str, Any]:
    if isinstance(listed, list) and listed and all(isinstance(each, dict) for each in listed):
        found: dict[str, Any] = listed[0]
        return found
    raise damaged_zarr(folder, f"has no usable {name!r} in its description")


def _in_one_line(text: str) -> str:
    return shortened("".join(letter if letter.isprintable() else "?" for letter in text))
