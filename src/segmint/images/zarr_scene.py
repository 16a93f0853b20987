"""Zarr and OME-Zarr images read chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from segmint.errors import InputError
from segmint.images.block_cache import LEAST_BYTES, MOST_BYTES, BlockCache
from segmint.images.checked_scene import CheckedScene, Mask, is_copy
from segmint.images.decoding import Pixels, Request, check_pixel_count
from segmint.images.image import Image
from segmint.images.scene_blocks import BlockReader
from segmint.images.scene_places import places_of_channels
from segmint.images.window import Window
from segmint.images.zarr_scene_array import StoredChunks
from segmint.images.zarr_scene_chunks import ChunkParts
from segmint.images.zarr_scene_layout import ZarrImage, describe_zarr

_MOST_CHANNELS = 4
"""Of arrays whose axes have no names."""


def open_zarr(request: Request, *, skip_bad: bool) -> ZarrScene:
    """A scene of the image in a Zarr folder, with its smaller copies.

    Args:
        request: the folder, what its pages are, and the largest chunk that may be decoded.
        skip_bad: damaged chunks are marked, rather than errors.

    Raises:
        InputError: when it holds no image, one with axes that are not accepted, or is damaged.
        UsageError: where Zarr is not installed.
    """
    image = describe_zarr(request.path)
    chunks = StoredChunks(request, image.levels[0])
    cache = BlockCache(limit=LEAST_BYTES, ceiling=max(MOST_BYTES, chunks.chunk_bytes))
    scene = ZarrScene(request, image, chunks, cache, skip_bad=skip_bad)
    scene.levels = tuple(_copies(request, image, scene, cache))
    return scene


def read_zarr(request: Request) -> Image:
    """The whole image in a Zarr folder.

    Raises:
        InputError: when it holds no image, one with axes that are not accepted, is damaged or
            larger than the limit.
        UsageError: where Zarr is not installed.
    """
    scene = open_zarr(request, skip_bad=False)
    check_pixel_count(request, scene.shape, scene.channels)
    return Image(
        pixels=scene.whole(),
        source=request.path,
        spacing=scene.spacing,
        channel_names=scene.channel_names,
        notes=scene.notes,
    )


class ZarrScene(CheckedScene):
    """The image of an array of chunks.

    Args:
        request: the folder and what its pages are.
        image: what its metadata say.
        chunks: the array.
        cache: of the folder.
        skip_bad: damaged chunks are marked, rather than errors.
        level: 0 for the image, and above it for smaller copies.
    """

    def __init__(
        self,
        request: Request,
        image: ZarrImage,
        chunks: StoredChunks,
        cache: BlockCache,
        *,
        skip_bad: bool,
        level: int = 0,
    ) -> None:
        self.skip_bad, self.source = skip_bad, request.path
        axes = axes_of(request, image.axes, chunks.shape)
        first = request.pages == "first"
        places, notes = places_of_channels(
            chunks.shape, axes, "auto" if first else request.pages, first="TZ" if first else ""
        )
        self.depth = len(places) if places.ndim == 2 else None
        self.channels = places.shape[-1]
        self._parts = ChunkParts(chunks, axes, places.reshape(-1, self.channels))
        self.height, self.width = self._parts.size
        self.dtype = chunks.dtype.newbyteorder("=")
        rows, columns = self._parts.block
        self.block = min(rows, self.height), min(columns, self.width)
        self._reader = BlockReader(request.path, self._parts, cache, skip_bad=skip_bad, level=level)
        names = image.channel_names
        self.channel_names = names if len(names) == self.channels else ()
        self.spacing = _spacing(image, stack=self.depth is not None)
        unnamed = f"array of shape {chunks.shape} read with the axes {', '.join(axes)}"
        self.notes = (*image.notes, *(() if image.axes else (unnamed,)), *notes)

    def whole(self) -> Pixels:
        """Pixels (H, W, C) or (D, H, W, C), whatever their values are."""
        window = Window.whole(self.height, self.width)
        planes = [self._stored(window, plane)[0] for plane in range(self.planes)]
        return planes[0] if self.depth is None else np.stack(planes)

    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        pixels = np.zeros((*window.size, self.channels), self.dtype)
        return pixels, self._reader.read_into(pixels, window, self._parts.blocks(window, plane))


def axes_of(request: Request, named: str | None, shape: tuple[int, ...]) -> str:
    """A letter for each axis: T, C, Z, Y, X, or S for channels that stand last.

    Arrays without names are rows and columns, with channels last or first where one of those axes
    has at most four; any other axis needs ``pages`` to say what it is.

    Raises:
        InputError: says which axes there are and what is accepted.
    """
    if named is not None:
        if len(named) != len(shape):
            raise InputError(
                f"{request.path} names the axes {', '.join(named)} of an array of shape {shape}, "
                "accepted is a name for each axis: mend its metadata"
            )
        times = dict(zip(named, shape, strict=True)).get("T", 1)
        if times > 1 and request.pages != "first":
            raise InputError(
                f"{request.path} holds {times} points of time (axes {', '.join(named)}), accepted "
                "is one: take the first with --pages first, or save one as an image of its own"
            )
        return named
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3:
        if request.pages in ("stack", "first"):
            return "ZYX"
        if shape[-1] <= _MOST_CHANNELS:
            return "YXS"
        if shape[0] <= _MOST_CHANNELS or request.pages == "channels":
            return "CYX"
    raise InputError(
        f"{request.path} is an array of shape {shape} without named axes, accepted are named axes "
        "(t, c, z, y, x) and shapes (Y, X), (Y, X, C) and (C, Y, X) of up to "
        f"{_MOST_CHANNELS} channels: name its axes, or say with --pages stack or --pages channels "
        "what the first of three is"
    )


def _spacing(image: ZarrImage, *, stack: bool) -> tuple[float, ...] | None:
    axes = "ZYX" if stack else "YX"
    known = image.steps is not None and all(axis in image.steps for axis in axes)
    return tuple(image.steps[axis] for axis in axes) if known and image.steps else None


def _copies(
    request: Request, image: ZarrImage, scene: ZarrScene, cache: BlockCache
) -> Iterator[ZarrScene]:
    """Smaller copies of the same planes, channels and type; others are left out."""
    for level, array in enumerate(image.levels[1:], start=1):
        try:
            # A copy is for looking at: its damage does not matter.
            copy = ZarrScene(
                request, image, StoredChunks(request, array), cache, skip_bad=True, level=level
            )
        except InputError:
            continue
        if is_copy(copy, scene):
            yield copy
