"""Label maps of any size as OME-Zarr, written tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segmint.images.label_levels import TILE, halved, level_sizes
from segmint.images.palettes import colors_of
from segmint.images.tiff_pyramid import ReadIds
from segmint.images.window import Window, blocks
from segmint.images.zarr_labels import check_zarr

if TYPE_CHECKING:
    import zarr

_VERSION = "0.5"
_SPEED = 3
"""Level of Zstandard: higher ones take longer for little."""


def write_zarr_pyramid(
    path: Path,
    read: ReadIds,
    *,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    ids: Sequence[int] = (),
    colors: npt.NDArray[np.uint8] | None = None,
    spacing: Sequence[float] | None = None,
) -> None:
    """Write ids as an OME-Zarr 0.5 label image, each level half the size of the one before.

    Arrays ``0``, ``1`` and so on have chunks of 512 pixels in Zstandard; those wholly outside the
    region are not stored. Levels take the most frequent id
    (:func:`segmint.images.label_levels.halved`). Memory holds a few tiles.

    Args:
        path: the folder, which does not exist; the caller moves it into place when it is whole.
        read: gives the ids of one tile; each is asked for once.
        shape: (H, W), or (D, H, W) of a stack.
        dtype: of the ids, uint8, uint16 or uint32; the greatest value is outside the region.
        ids: those whose colors are written.
        colors: uint8 (K, 3) of ids 0 to K - 1; the fixed palette when not given.
        spacing: millimeters between pixels, as many as axes.

    Raises:
        UsageError: where Zarr is not installed.

    Source: OME-Zarr specification 0.5, sections on multiscales and labels.
    """
    table = colors_of(np.asarray(ids, np.int64)) if colors is None else colors[list(ids)]
    look = [
        {"label-value": int(label), "rgba": [*color.tolist(), 255]}
        for label, color in zip(ids, table, strict=True)
    ]
    label = {"version": _VERSION, **({"colors": look} if look else {})}
    axes, sizes = "zyx"[-len(shape) :], level_sizes(*shape[-2:])
    group = _group(path, axes, len(sizes), spacing, {"image-label": label})
    outside = int(np.iinfo(dtype).max)
    above: zarr.Array[Any] | None = None
    for level, size in enumerate(sizes):
        array = _array(group, str(level), (*shape[:-2], *size), axes, dtype, outside)
        for plane, window in _tiles(array.shape):
            place = _place(array.shape, plane, window)
            if above is None:
                array[place] = read(window, plane)
            else:
                array[place] = halved(np.asarray(above[_place(above.shape, plane, _twice(window))]))
        above = array


def write_zarr_maps(
    path: Path,
    read: ReadIds,
    *,
    shape: tuple[int, ...],
    axes: str,
    spacing: Sequence[float] | None = None,
) -> None:
    """Write maps of numbers as float16 OME-Zarr 0.5 of one level, in chunks of 512 pixels.

    Args:
        path: the folder, which does not exist.
        read: gives one tile of a plane; planes are counted along all axes before the last two.
        shape: as many as axes.
        axes: a letter each, ``c`` for maps, ``z`` for slices, then ``yx``.
        spacing: millimeters between pixels, as many as axes without ``c``.

    Raises:
        UsageError: where Zarr is not installed.
    """
    group = _group(path, axes, 1, spacing, {})
    array = _array(group, "0", shape, axes, np.dtype(np.float16), 0)
    for plane, window in _tiles(shape):
        array[_place(shape, plane, window)] = read(window, plane)


def _group(
    path: Path, axes: str, levels: int, spacing: Sequence[float] | None, further: dict[str, Any]
) -> zarr.Group:
    check_zarr()
    import zarr

    described = {"version": _VERSION, "multiscales": [_multiscales(axes, levels, spacing)]}
    return zarr.create_group(path, zarr_format=3, attributes={"ome": {**described, **further}})


def _multiscales(axes: str, levels: int, spacing: Sequence[float] | None) -> dict[str, Any]:
    """Axes, and where the middle of the first pixel of each level lies and how far the next."""
    unit = {} if spacing is None else {"unit": "millimeter"}
    kinds = [{"type": "channel"} if axis == "c" else {"type": "space", **unit} for axis in axes]
    steps = [1.0] * len(axes)
    if spacing is not None:
        steps[-len(spacing) :] = map(float, spacing)
    datasets = []
    for level in range(levels):
        grown = [2**level if axis in "yx" else 1 for axis in axes]
        scale = [step * factor for step, factor in zip(steps, grown, strict=True)]
        shift = [step * (factor - 1) / 2 for step, factor in zip(steps, grown, strict=True)]
        moves = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]
        datasets.append({"path": str(level), "coordinateTransformations": moves[: 1 + (level > 0)]})
    return {
        "axes": [{"name": axis, **kind} for axis, kind in zip(axes, kinds, strict=True)],
        "datasets": datasets,
    }


def _array(
    group: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    axes: str,
    dtype: np.dtype[Any],
    rest: int,
) -> zarr.Array[Any]:
    from zarr.codecs import ZstdCodec

    return group.create_array(
        name,
        shape=shape,
        chunks=(*(1 for _ in shape[:-2]), TILE, TILE),
        dtype=dtype,
        compressors=ZstdCodec(level=_SPEED),
        fill_value=rest,
        dimension_names=list(axes),
    )


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[int, Window]]:
    for plane in range(math.prod(shape[:-2])):
        for window in blocks(shape[-2], shape[-1], (TILE, TILE)):
            yield plane, window


def _place(shape: tuple[int, ...], plane: int, window: Window) -> tuple[int | slice, ...]:
    leading = np.unravel_index(plane, shape[:-2]) if shape[:-2] else ()
    return (*map(int, leading), *window.slices)


def _twice(window: Window) -> Window:
    """The same place in the level above; a slice that reaches out of an array ends with it."""
    return Window(
        top=2 * window.top,
        bottom=2 * window.bottom,
        left=2 * window.left,
        right=2 * window.right,
    )
