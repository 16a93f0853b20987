"""The metadata files of Zarr folders, of formats 2 and 3; whoever wrote them is not trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from segmint.errors import InputError

_MOST_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True)
class ZarrArray:
    """One array, as its metadata describe it."""

    folder: Path
    metadata: Mapping[str, Any]

    @property
    def format(self) -> int:
        """2 or 3."""
        return int(self.metadata["zarr_format"])


def zarr_node(folder: Path) -> tuple[dict[str, Any], ZarrArray | None]:
    """Attributes of a group or an array, and what the latter is.

    Raises:
        InputError: when there are no metadata, or damaged ones.
    """
    third = _json(folder / "zarr.json")
    if third is not None:
        attributes = third.get("attributes")
        array = ZarrArray(folder=folder, metadata=third)
        is_array = third.get("node_type") == "array"
        if is_array and third.get("zarr_format") != 3:
            raise damaged_zarr(folder, "has no usable zarr_format in zarr.json")
        return attributes if isinstance(attributes, dict) else {}, array if is_array else None
    attributes = _json(folder / ".zattrs") or {}
    second = _json(folder / ".zarray")
    if second is not None:
        return attributes, ZarrArray(folder=folder, metadata={**second, "zarr_format": 2})
    if not attributes and not (folder / ".zgroup").is_file():
        raise damaged_zarr(folder, "has no metadata (zarr.json, .zarray or .zgroup)")
    return attributes, None


def ome_description(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What OME-Zarr says in the attributes of a group, of any version."""
    described = attributes.get("ome", attributes)
    return dict(described) if isinstance(described, Mapping) else {}


def parts_inside(path: Any) -> tuple[str, ...]:
    """The parts of a path that metadata name; none where it is not one inside of their folder."""
    parts = PurePosixPath(path).parts if isinstance(path, str) else ()
    is_inside = ".." not in parts and not PurePosixPath(*parts).is_absolute()
    return parts if is_inside and all(part.isprintable() for part in parts) else ()


def damaged_zarr(folder: Path, what: str) -> InputError:
    """The error for a folder whose metadata cannot be used."""
    return InputError(
        f"{folder} {what}, accepted are whole Zarr images and arrays: copy it again or save it anew"
    )


def _json(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise InputError(
            f"{path} cannot be opened ({error.strerror}), accepted is a readable Zarr folder: "
            "check its permissions"
        ) from error
    try:
        found = json.loads(text) if len(text) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise damaged_zarr(path.parent, f"has damaged metadata in {path.name}")
    return found
