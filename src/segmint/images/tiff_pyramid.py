"""Label maps of any size as tiled TIFF files with smaller copies inside, written tile by tile."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from segmint.images.label_levels import TILE, halved, level_sizes
from segmint.images.maps import LARGEST_CLASSIC_TIFF
from segmint.images.palettes import palette
from segmint.images.tile_codec import deflated, inflated
from segmint.images.window import Window, blocks

Ids = npt.NDArray[Any]
ReadIds = Callable[[Window, int], Ids]
"""``read(window, plane)``: ids (h, w) of one tile, as they shall stand in the file."""

_WITH_LEVELS = 4 / 3
_REDUCED = 1
_MILLIMETERS_A_CENTIMETER = 10


def write_tiff_pyramid(
    path: Path,
    read: ReadIds,
    *,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    colors: npt.NDArray[np.uint8] | None = None,
    spacing: Sequence[float] | None = None,
    identifier: str,
) -> None:
    """Write ids tile by tile, and as SubIFDs levels of half the size each down to one tile.

    The file is OME-TIFF with tiles of 512 pixels, deflated without a predictor; 8-bit ids have a
    palette, so that any viewer shows their colors. Above 4 GB it has 64-bit offsets. Levels take
    the most frequent id (:func:`segmint.images.label_levels.halved`). Memory holds a few tiles;
    files without a name beside ``path`` hold up to a third of the result meanwhile.

    Args:
        path: the file; the caller moves it into place when it is whole.
        read: gives the ids of one tile; each is asked for twice.
        shape: (H, W), or (D, H, W) of a stack.
        dtype: of the ids, uint8, uint16 or uint32; the greatest value is outside the region.
        colors: uint8 (K, 3) of ids 0 to K - 1; the fixed palette when not given.
        spacing: millimeters between pixels, as many as axes.
        identifier: a UUID, which makes the same labels the same file.
    """
    import tifffile

    planes, sizes = math.prod(shape[:-2]), level_sizes(*shape[-2:])
    look: dict[str, Any] = {"photometric": "minisblack"}
    if dtype == np.uint8:
        look = {"photometric": "palette", "colormap": _color_map(colors)}
    large = math.prod(shape) * dtype.itemsize * _WITH_LEVELS > LARGEST_CLASSIC_TIFF
    with ExitStack() as stack:
        file = stack.enter_context(tifffile.TiffWriter(path, bigtiff=large, ome=True))
        for level, size in enumerate(sizes):
            kept = None
            own = {**_description(shape, spacing, identifier), "subifds": len(sizes) - 1}
            if level:
                read = _half_of(read, sizes[level - 1])
                kept = _TileFile(stack.enter_context(tempfile.TemporaryFile(dir=path.parent)))
                own = {"metadata": None, "subfiletype": _REDUCED}
            file.write(
                _tiles(read, size, planes, kept),
                shape=(*shape[:-2], *size),
                dtype=dtype,
                tile=(TILE, TILE),
                compression="zlib",
                software="segmint",
                **look,
                **own,
            )
            if kept is not None:
                read = kept.reading(size, dtype)


def read_tiff_level(path: Path, longest: int, plane: int = 0) -> Ids:
    """Ids (h, w) of the smallest level of a plane with a side of at least ``longest`` pixels.

    The whole plane where no level is as large.
    """
    import tifffile

    with tifffile.TiffFile(path, _multifile=False) as file:
        levels = file.series[0].levels
        fitting = [level for level in levels if max(level.shape[-2:]) >= longest]
        page = (fitting or levels)[-1 if fitting else 0].pages[plane]
        assert page is not None
        return np.asarray(page.asarray())


class _TileFile:
    """Tiles of a level in the order in which they were written, for the next level."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ends = [0]

    def append(self, data: bytes) -> None:
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def reading(self, size: tuple[int, int], dtype: np.dtype[Any]) -> ReadIds:
        """What gives the tiles of a level of that size."""
        rows, columns = (-(-side // TILE) for side in size)

        def read(window: Window, plane: int) -> Ids:
            index = (plane * rows + window.top // TILE) * columns + window.left // TILE
            start, end = self._ends[index : index + 2]
            self._file.seek(start)
            height, width = window.size
            return inflated(self._file.read(end - start), dtype)[:height, :width]

        return read


def _tiles(
    read: ReadIds, size: tuple[int, int], planes: int, kept: _TileFile | None
) -> Iterator[bytes]:
    """Deflated tiles in reading order; they are kept for the next level, too."""
    for plane in range(planes):
        for window in blocks(*size, (TILE, TILE)):
            data = deflated(read(window, plane))
            if kept is not None:
                kept.append(data)
            yield data


def _half_of(read: ReadIds, size: tuple[int, int]) -> ReadIds:
    """What gives tiles of the level below, from up to four tiles of a level of that size."""

    def read_half(window: Window, plane: int) -> Ids:
        top, left = 2 * window.top, 2 * window.left
        bottom = min(2 * window.bottom, size[0])
        right = min(2 * window.right, size[1])
        rows = [
            np.concatenate(
                [halved(read(_tile(y, x, bottom, right), plane)) for x in range(left, right, TILE)],
                axis=1,
            )
            for y in range(top, bottom, TILE)
        ]
        return np.concatenate(rows)

    return read_half


def _tile(top: int, left: int, bottom: int, right: int) -> Window:
    return Window(top=top, bottom=min(top + TILE, bottom), left=left, right=min(left + TILE, right))


def _color_map(colors: npt.NDArray[np.uint8] | None) -> npt.NDArray[np.uint16]:
    """(3, 256), as TIFF has it."""
    table = palette().astype(np.uint16)
    if colors is not None:
        table[: len(colors[:255])] = colors[:255]
    return table.T * np.uint16(257)


def _description(
    shape: tuple[int, ...], spacing: Sequence[float] | None, identifier: str
) -> dict[str, Any]:
    """Axes and the size of pixels, for OME and for readers that know only TIFF."""
    metadata: dict[str, Any] = {
        "axes": "ZYX"[-len(shape) :],
        "UUID": identifier,
        "Creator": "segmint",
    }
    if spacing is None:
        return {"metadata": metadata}
    for axis, step in zip("ZYX"[-len(spacing) :], spacing, strict=True):
        metadata |= {f"PhysicalSize{axis}": step, f"PhysicalSize{axis}Unit": "mm"}
    per_centimeter = tuple(_MILLIMETERS_A_CENTIMETER / step for step in reversed(spacing[-2:]))
    return {"metadata": metadata, "resolution": per_centimeter, "resolutionunit": "CENTIMETER"}
