"""What the page is told of a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from segmint.app.errands.carried_maps import keep_maps
from segmint.app.views.maps import MOST_BYTES, write_view_maps
from segmint.app.views.view import upright_size, view_size, write_label_view
from segmint.images import Image, color_of, to_hex
from segmint.images.viewing import fullest_slice, upright
from segmint.methods.segmentation import Segmentation
from segmint.regions.ordering import counted_ids


def write_answer(
    segmentation: Segmentation,
    image: Image,
    *,
    views: Path,
    result: Path,
    stopped: int | None = None,
    can_change: bool = True,
) -> dict[str, Any]:
    """Draw what the page shows first of a result, and describe it.

    Args:
        segmentation: of the image.
        image: which.
        views: folder for the views of this answer: the labels of the fullest slice, and of what
            has probabilities these and their maps.
        result: folder whose files are offered.
        stopped: iteration at which the visitor stopped the method.
        can_change: whether components may be merged and named.

    Returns:
        What :func:`answer_facts` says, with ``maps``, ``has_probabilities`` and ``files``.

    Raises:
        OutputError: when a view cannot be written.
    """
    index = shown_slice(segmentation, image)
    write_label_view(views, image, segmentation.labels, index)
    maps = write_view_maps(
        views,
        _with_bounded_maps(segmentation),
        turn=upright(image)[1],
        view=view_size(*upright_size(image)),
        uncertainty=segmentation.uncertainty_map,
    )
    keep_maps(views, result)
    facts = answer_facts(segmentation, image, index=index, stopped=stopped, can_change=can_change)
    return {**facts, **maps, "files": files_in(result)}


def answer_facts(
    segmentation: Segmentation,
    image: Image,
    *,
    index: int | None = None,
    stopped: int | None = None,
    can_change: bool = True,
) -> dict[str, Any]:
    """A result in plain values, for the page.

    Args:
        segmentation: of the image.
        image: which.
        index: slice of a stack that is shown first; the fullest one when not given.
        stopped: iteration at which the visitor stopped the method.
        can_change: whether components may be merged and named.

    Returns:
        ``method``, ``components``, ``seconds``, ``notes`` (without those of the image),
        ``stopped``, ``legend`` (``id``, ``name``, ``color``, ``pixels`` and ``fraction`` of each),
        ``slice``, ``most_components`` (regions of the merge tree, None without one),
        ``can_change``, ``has_probabilities`` and ``maps`` (none so far).
    """
    legend = legend_of(segmentation.labels, segmentation.names, segmentation.colors)
    return {
        "method": segmentation.method,
        "components": len(legend),
        "seconds": round(segmentation.seconds, 3),
        "notes": list(segmentation.notes),
        "stopped": stopped,
        "legend": legend,
        "slice": shown_slice(segmentation, image) if index is None else index,
        "most_components": most_components(segmentation),
        "can_change": can_change,
        "has_probabilities": False,
        "maps": [],
    }


def legend_of(
    labels: npt.NDArray[np.integer[Any]],
    names: Mapping[int, str],
    colors: npt.NDArray[np.uint8] | None = None,
) -> list[dict[str, Any]]:
    """What the page lists of each id that occurs, by increasing id.

    Args:
        labels: of any shape; below 0 lies outside the region.
        names: of some ids.
        colors: (K, 3) of ids; the fixed palette when not given.

    Example:
        >>> [(row["id"], row["pixels"]) for row in legend_of(np.array([0, 2, 2, -1]), {2: "cup"})]
        [(0, 1), (2, 2)]
    """
    ids, counts = counted_ids(labels)
    whole = max(int(counts.sum()), 1)
    return [
        {
            "id": label,
            "name": names.get(label, ""),
            "color": to_hex(_color(label, colors)),
            "pixels": pixels,
            "fraction": pixels / whole,
        }
        for label, pixels in zip(ids.tolist(), counts.tolist(), strict=True)
    ]


def most_components(segmentation: Segmentation) -> int | None:
    """How many components it can be cut into; None without a merge tree."""
    hierarchy = segmentation.hierarchy
    return None if hierarchy is None else hierarchy.tree.leaves


def shown_slice(segmentation: Segmentation, image: Image) -> int:
    """The slice that is shown first: of a stack the one with the most components."""
    if not image.is_stack:
        return 0
    return fullest_slice(upright(image)[1](segmentation.labels))


def files_in(result: Path) -> list[dict[str, Any]]:
    """Name and bytes of each file of a result, by name; a folder counts all that lies in it."""
    files = sorted(path for path in result.iterdir() if not path.name.startswith("."))
    return [{"name": path.name, "bytes": _size(path)} for path in files]


def _with_bounded_maps(segmentation: Segmentation) -> Segmentation:
    """Without the probabilities if those that are not needed for a file would be too large."""
    count = int(segmentation.labels.max(initial=0)) + 1
    if segmentation.maps or 4 * count * segmentation.labels.size <= MOST_BYTES:
        return segmentation
    return replace(segmentation, compute_probabilities=None)


def _color(label: int, colors: npt.NDArray[np.uint8] | None) -> tuple[int, int, int]:
    if colors is None:
        return color_of(label)
    red, green, blue = colors[label].tolist()
    return red, green, blue


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
