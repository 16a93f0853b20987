"""Maps of a result that stay true when its components are merged or named by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segmint.app.changes import Changes
from segmint.app.errands.file_links import link_file
from segmint.app.views.maps import MAPS, write_view_maps
from segmint.app.views.pixel_probabilities import PROBABILITIES
from segmint.app.views.view import nearest, values_of
from segmint.errors import OutputError
from segmint.runs import remove, write_json

if TYPE_CHECKING:
    from segmint.images import Image
    from segmint.methods.segmentation import Segmentation

_CLASS = "class-"
_NONE: dict[str, Any] = {"has_probabilities": False, "maps": []}


def maps_of(result: Path) -> Path:
    """Folder beside a result in which its maps, at the size of views, outlive the views."""
    return result.with_name("maps")


def keep_maps(views: Path, result: Path) -> None:
    """Keep the maps of an answer for the changes by hand that follow.

    Args:
        views: of the answer, with what ``write_view_maps`` wrote.
        result: folder of its files; the maps of a former result go.

    Raises:
        OutputError: when they cannot be written.
    """
    remove(maps_of(result))
    _link_maps(views, maps_of(result))


def carry_maps(
    fit: Path, views: Path, image: Image, former: Segmentation, changes: Changes
) -> dict[str, Any]:
    """The maps of a changed result, where those of the method still say something of it.

    A new cut has none. Merged components have the sum of their probabilities.

    Args:
        fit: folder of the result as the method made it.
        views: folder for the maps.
        image: that it was made from.
        former: the result as the method made it.
        changes: what was changed by hand.

    Returns:
        The facts ``has_probabilities`` and ``maps``.

    Raises:
        OutputError: when they cannot be written.
    """
    kept = maps_of(fit)
    if changes.components is not None or not (kept / MAPS).is_file():
        return _NONE
    if changes.merged and (kept / PROBABILITIES).is_file():
        return _merged(kept, views, image, former, changes)
    if changes.merged:
        return _NONE
    _link_maps(kept, views)
    names = changes.applied(former).names
    told = [_renamed(each, names) for each in json.loads((kept / MAPS).read_text("utf-8"))]
    remove(views / MAPS)
    write_json(views / MAPS, told)
    return {"has_probabilities": (kept / PROBABILITIES).is_file(), "maps": told}


def _merged(
    kept: Path, views: Path, image: Image, former: Segmentation, changes: Changes
) -> dict[str, Any]:
    """Those of the result at the size of its views, merged as the whole is."""
    stored = np.load(kept / PROBABILITIES, mmap_mode="r", allow_pickle=False)
    slices, height, width, _ = stored.shape
    planes = [
        nearest(values_of(image, former.labels, index), (height, width)) for index in range(slices)
    ]
    small = replace(
        former,
        labels=np.stack(planes),
        hierarchy=None,
        compute_probabilities=lambda: np.nan_to_num(np.moveaxis(stored, -1, 0).astype(np.float32)),
    )
    found = changes.applied(small)
    return write_view_maps(views, found, turn=lambda array: array, view=(height, width))


def _renamed(told: dict[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    start, _, number = told["name"].partition("-")
    name = names.get(int(number)) if f"{start}-" == _CLASS else None
    return {**told, "title": name} if name else told


def _link_maps(source: Path, target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file in (*source.glob("*.npy"), source / MAPS):
            remove(target / file.name)
            link_file(file, target / file.name)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}; free some space") from error
