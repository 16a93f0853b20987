"""Maps of probabilities of any size as tiled TIFF files, written tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segmint.images.label_levels import TILE
from segmint.images.maps import LARGEST_CLASSIC_TIFF

_BYTES = 2


def write_tiff_maps(
    path: Path, tiles: Iterator[bytes], *, shape: tuple[int, ...], axes: str, names: Sequence[str]
) -> None:
    """Write float16 maps as pages of 512-pixel tiles, deflated; above 4 GB with 64-bit offsets.

    float16 keeps three digits of a probability in half the room.

    Args:
        path: the file; the caller moves it into place when it is whole.
        tiles: float16 tiles in reading order, page after page, from
            :func:`segmint.images.tile_codec.deflated`.
        shape: as many as axes.
        axes: a letter each, ``Z`` for slices, ``C`` for maps, then ``YX``.
        names: one a map, kept in the description of the first page.
    """
    import tifffile

    large = math.prod(shape) * _BYTES > LARGEST_CLASSIC_TIFF
    with tifffile.TiffWriter(path, bigtiff=large) as file:
        file.write(
            tiles,
            shape=shape,
            dtype=np.float16,
            tile=(TILE, TILE),
            photometric="minisblack",
            compression="zlib",
            software="segmint",
            metadata={"axes": axes, "Channel": {"Name": list(names)}},
        )
