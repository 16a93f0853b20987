"""Maps of an answer at the size of its views: probabilities, entropy, uncertainty."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.app.views.pixel_probabilities import PROBABILITIES
from segmint.app.views.view import nearest, view_path
from segmint.errors import InputError
from segmint.runs import atomic_path, write_json

if TYPE_CHECKING:
    from segmint.methods.segmentation import Segmentation

Array = NDArray[Any]

MAPS = "maps.json"
"""What maps there are, with the ends of their scales."""

COLORS = "cividis"
"""Even to the eye, and alike with color blindness (Nunez, Anderton and Renslow, 2018)."""

MOST_BYTES = 512 * 2**20
"""Of one array; larger ones are left out."""

_MOST_CLASSES = 20
"""Up to so many each class has a map; of more those that occur."""

_LEAST_BITS = 0.1
"""Where the scale of the uncertainty ends at the lowest, as in ``uncertainty.png``."""


def write_view_maps(
    views: Path,
    found: Segmentation,
    *,
    turn: Callable[[Array], Array],
    view: tuple[int, int],
    uncertainty: bool = False,
) -> dict[str, Any]:
    """Keep the maps of an answer beside its views, each value that of the nearest pixel.

    Args:
        views: folder of the views of the answer.
        found: the answer.
        turn: makes arrays of the shape of its labels stand upright.
        view: height and width of the views.
        uncertainty: also where its networks disagree.

    Returns:
        The facts ``has_probabilities`` and ``maps``: of each its ``name`` (``entropy``,
        ``uncertainty``, ``class-3``), ``title``, ``unit``, and the ends of its scale, ``low`` and
        ``high``.

    Raises:
        OutputError: when a file cannot be written.
    """
    labels = _slices(turn(found.labels))
    told: list[dict[str, Any]] = []
    has_probabilities = False
    if _fits(labels, view) and found.probabilities is not None:
        planes = [_slices(turn(each)) for each in found.probabilities]
        has_probabilities = _write_shares(views, planes, labels, view)
        told.append(_told("entropy", "Entropy", "bits", math.log2(max(len(planes), 2))))
    if uncertainty and _fits(labels, view) and found.uncertainty is not None:
        top = _write_uncertainty(views, _slices(turn(found.uncertainty)), labels, view)
        told.append(_told("uncertainty", "Disagreement of the networks", "bits", top))
    if has_probabilities:
        told += _of_classes(found, len(planes))
    write_json(views / MAPS, told)
    return {"has_probabilities": has_probabilities, "maps": told}


def draw_map_view(views: Path, kind: str, index: int = 0) -> Path:
    """A map of a slice as a picture, for the eye.

    Args:
        views: folder of the views of the answer.
        kind: ``entropy``, ``uncertainty``, or ``class-3`` for the probability of id 3.
        index: which slice of a stack.

    Returns:
        The file, ``map-KIND-0007.png``.

    Raises:
        InputError: for a map or a slice that there is not.
        OutputError: when it cannot be written.
    """
    from matplotlib import colormaps

    from segmint.images.overlays import save_picture
    from segmint.images.palettes import OUTSIDE_COLOR

    told, values = _map(views, kind, index)
    share = (values - told["low"]) / (told["high"] - told["low"])
    colors = np.asarray(colormaps[COLORS](np.nan_to_num(share), bytes=True))[..., :3]
    inside = np.isfinite(values)[..., np.newaxis]
    path = view_path(views, f"map-{kind}", index)
    save_picture(path, np.where(inside, colors, np.array(OUTSIDE_COLOR, np.uint8)))
    return path


def _fits(labels: Array, view: tuple[int, int], count: int = 1) -> bool:
    return len(labels) * math.prod(view) * count * np.dtype(np.float16).itemsize <= MOST_BYTES


def _write_shares(
    views: Path, planes: Sequence[Array], labels: Array, view: tuple[int, int]
) -> bool:
    """Keep entropy, and probabilities where they are not too large; whether those are there."""
    from segmint.images.maps import entropy_of

    with _array(_file(views, "entropy"), (len(labels), *view)) as bits:
        for index, inside in enumerate(_inside(labels, view)):
            bits[index] = np.where(inside, entropy_of(_shares(planes, index, view)), np.nan)
    if not _fits(labels, view, len(planes)):
        return False
    with _array(views / PROBABILITIES, (len(labels), *view, len(planes))) as kept:
        for index, inside in enumerate(_inside(labels, view)):
            shares = np.where(inside, _shares(planes, index, view), np.nan)
            kept[index] = np.moveaxis(shares, 0, -1)
    return True


def _write_uncertainty(views: Path, values: Array, labels: Array, view: tuple[int, int]) -> float:
    """Keep it; where its scale ends."""
    from segmint.images.map_picture import TOP_PERCENTILE, scale_marks

    counted = values[labels >= 0]
    top = float(np.percentile(counted, TOP_PERCENTILE)) if counted.size else 0.0
    with _array(_file(views, "uncertainty"), (len(labels), *view)) as kept:
        for index, inside in enumerate(_inside(labels, view)):
            kept[index] = np.where(inside, nearest(values[index], view), np.nan)
    return scale_marks(max(top, _LEAST_BITS))[-1]


def _shares(planes: Sequence[Array], index: int, view: tuple[int, int]) -> Array:
    return np.stack([nearest(plane[index], view) for plane in planes])


def _inside(labels: Array, view: tuple[int, int]) -> Iterator[Array]:
    return (nearest(plane, view) >= 0 for plane in labels)


def _slices(array: Array) -> Array:
    return array if array.ndim == 3 else array[np.newaxis]


@contextmanager
def _array(path: Path, shape: tuple[int, ...]) -> Iterator[Array]:
    """Numbers of 16 bits in a file, which is there when all of them are."""
    with atomic_path(path) as temporary:
        stored = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        yield stored
        stored.flush()


def _file(views: Path, kind: str) -> Path:
    return views / f"map-{kind}.npy"


def _of_classes(found: Segmentation, count: int) -> list[dict[str, Any]]:
    occurring = np.unique(found.labels[found.labels >= 0]).tolist()
    ids = range(count) if count <= _MOST_CLASSES else occurring
    return [
        _told(f"class-{each}", found.names.get(each) or f"Component {each}", "probability", 1.0)
        for each in ids
    ]


def _told(name: str, title: str, unit: str, high: float) -> dict[str, Any]:
    return {"name": name, "title": title, "unit": unit, "low": 0.0, "high": high}


def _map(views: Path, kind: str, index: int) -> tuple[Mapping[str, Any], Array]:
    """What is told of a map, and its values (h, w), NaN outside the region."""
    try:
        told = json.loads((views / MAPS).read_text(encoding="utf-8"))
        chosen = next(each for each in told if each["name"] == kind)
        of_class = kind.startswith("class-")
        file = views / PROBABILITIES if of_class else _file(views, kind)
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
        if not 0 <= index < len(stored):
            raise IndexError(index)
    except (OSError, ValueError, EOFError, LookupError, StopIteration) as error:
        raise InputError(
            f"this result has no map {kind!r} of slice {index}: choose one that is offered"
        ) from error
    plane = stored[index, ..., int(kind.removeprefix("class-"))] if of_class else stored[index]
    return chosen, np.array(plane, np.float32)
