"""Stored samples of one page of a TIFF file, window by window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.block_cache import BlockCache
from segmint.images.checked_scene import Mask
from segmint.images.decoding import Pixels, Request, decoding
from segmint.images.scene_blocks import (
    BadBlockError,
    BlockReader,
    StoredBlock,
    grid_blocks,
    refused_block,
)
from segmint.images.scene_expansion import grows_beyond
from segmint.images.scene_file import SceneFile
from segmint.images.scene_stored_array import StoredArray
from segmint.images.tiff_scene_pictures import declared_values
from segmint.images.window import Window

_SLACK = 1 << 20
_STEPPED = {8: "zlib", 32946: "zlib", 34925: "lzma"}
"""Compressions that are decoded without a limit where imagecodecs is missing."""

BEYOND = "lies beyond the end of the file"


@dataclass(frozen=True, kw_only=True, eq=False)
class PageData:
    """Where the strips or tiles of a page are."""

    number: int
    """From 1."""
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]
    """Bytes."""
    jpegtables: bytes | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PageLayout:
    """How pages of a series store their samples; ``page`` is tifffile's description of it."""

    request: Request
    page: Any
    file: SceneFile
    skip_bad: bool
    level: int = 0
    """0 for the image, and above it for smaller copies."""
    bounded: bool
    """Decoders stop at the size of a segment; those of tifffile itself do not."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.page.imagelength), int(self.page.imagewidth)

    @property
    def planes(self) -> int:
        """Samples that are stored apart."""
        return int(self.page.shaped[0])

    @property
    def interleaved(self) -> int:
        """Samples that are stored together."""
        return int(self.page.shaped[4])

    @property
    def samples(self) -> int:
        """Of a pixel."""
        return self.planes * self.interleaved

    @property
    def is_plain(self) -> bool:
        """Whether numbers lie in the file as they are, row after row."""
        return bool(self.page.is_final)

    @property
    def segment(self) -> tuple[int, int]:
        """Height and width of a tile or strip."""
        if self.page.is_tiled:
            return int(self.page.tilelength), int(self.page.tilewidth)
        return min(int(self.page.rowsperstrip), self.size[0]), self.size[1]

    @property
    def segment_bytes(self) -> int:
        """When decoded."""
        return math.prod(self.segment) * self.interleaved * int(self.page.dtype.itemsize)

    @property
    def segments(self) -> int:
        """How many tiles or strips a page has."""
        return self.planes * math.prod(self.grid)

    @property
    def grid(self) -> tuple[int, int]:
        """Segments along rows and columns."""
        return -(-self.size[0] // self.segment[0]), -(-self.size[1] // self.segment[1])

    def name(self, data: PageData, segment: int) -> str:
        """What a segment is called in messages."""
        return f"page {data.number}, {'tile' if self.page.is_tiled else 'strip'} {segment}"

    def place(self, segment: int) -> Window:
        """Where a segment lies."""
        row, column = divmod(segment % math.prod(self.grid), self.grid[1])
        height, width = self.segment
        return Window(
            top=row * height,
            bottom=(row + 1) * height,
            left=column * width,
            right=(column + 1) * width,
        ).within(*self.size)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Tiles or strips that a page names and its file does not hold."""

    count: int
    name: str
    """Of the first."""
    place: Window
    reason: str

    def error(self, request: Request, count: int) -> InputError:
        """What to say of the first of so many."""
        more = f" ({count - 1} more are not there either)" if count > 1 else ""
        return refused_block(request.path, self.name, self.place, f"{self.reason}{more}")


class PageSamples(Protocol):
    """Samples of one page."""

    def read(self, window: Window) -> tuple[Pixels, Mask | None]:
        """Samples (h, w, S) as they are stored, and where they are missing or damaged."""
        ...

    def missing(self) -> Missing | None:
        """Segments that are not in the file."""
        ...


class UncompressedPage:
    """Samples that lie in the file as they are: only the rows and columns of a window are read.

    Args:
        layout: of the page.
        data: its offset, one for each plane of samples.
    """

    def __init__(self, layout: PageLayout, data: PageData) -> None:
        self._layout, self._data = layout, data
        height, width = layout.size
        dtype = layout.page.dtype.newbyteorder(layout.page.parent.byteorder)
        shape = (layout.planes, height, width, layout.interleaved)
        self._array = StoredArray(layout.file, int(data.offsets[0]), shape, dtype)

    def read(self, window: Window) -> tuple[Pixels, Mask | None]:
        """Samples (h, w, S), and where the file ends before them."""
        planes, _, _, interleaved = self._array.shape
        box = (slice(0, planes), *window.slices, slice(0, interleaved))
        numbers, missing = self._array.read(box)
        samples = np.moveaxis(numbers, 0, -2).reshape(*window.size, -1)
        if missing is None:
            return samples, None
        return samples, np.asarray(missing.any(axis=(0, 3)))

    def missing(self) -> Missing | None:
        """Strips that the file ends before or in."""
        layout = self._layout
        rows = self._array.present // (layout.size[1] * layout.interleaved)
        plane, row = divmod(rows, layout.size[0])
        first = plane * math.prod(layout.grid) + row // layout.segment[0]
        if first == layout.segments:
            return None
        return Missing(
            count=layout.segments - first,
            name=layout.name(self._data, first),
            place=layout.place(first),
            reason=BEYOND,
        )


class SegmentedPage:
    """Samples in tiles or strips, each decoded whole and once while there is room for it.

    Args:
        layout: of the page.
        data: where its segments are.
        cache: of the file.
    """

    def __init__(self, layout: PageLayout, data: PageData, cache: BlockCache) -> None:
        self._layout, self._data = layout, data
        # tifffile looks into the file once to make them; it is closed soon.
        self._decode, self._jpegheader = layout.page.decode, layout.page.jpegheader
        self._reader = BlockReader(
            layout.request.path, self, cache, skip_bad=layout.skip_bad, level=layout.level
        )

    def read(self, window: Window) -> tuple[Pixels, Mask | None]:
        """Samples (h, w, S), and where their segments are damaged."""
        layout = self._layout
        pixels = np.zeros((*window.size, layout.samples), layout.page.dtype)
        return pixels, self._reader.read_into(pixels, window, self._blocks(window))

    def missing(self) -> Missing | None:
        """Segments that the file names and does not hold."""
        layout, offsets, counts = self._layout, self._data.offsets, self._data.counts
        absent = (counts == 0) | (offsets == 0) | (counts > layout.file.size - offsets)
        if not absent.any():
            return None
        first = int(absent.argmax())
        return Missing(
            count=int(np.count_nonzero(absent)),
            name=layout.name(self._data, first),
            place=layout.place(first),
            reason=self._absent(first),
        )

    def decode(self, block: StoredBlock) -> Pixels:
        """Samples (rows, columns, s) of a tile or strip."""
        index = self._index(block)
        encoded = self._encoded(index)
        layout = self._layout
        tables = {"jpegtables": self._data.jpegtables, "jpegheader": self._jpegheader}
        try:
            with decoding(layout.request, "TIFF"):
                decoded = self._decode(encoded, index, **tables)[0]
                rows, columns = layout.place(index).size
                cut = decoded[0, :rows, :columns]
                if cut.shape != (rows, columns, layout.interleaved):
                    raise ValueError("shape")
        except BadBlockError:
            raise
        except InputError as error:
            raise BadBlockError("cannot be decoded: it is damaged or cut short") from error
        return np.ascontiguousarray(cut, dtype=layout.page.dtype)

    def part(self, stored: Pixels, block: StoredBlock) -> Pixels:
        """All of it."""
        return stored

    def name(self, block: StoredBlock) -> str:
        """Page and number, as the file counts tiles."""
        return self._layout.name(self._data, self._index(block))

    def _index(self, block: StoredBlock) -> int:
        return block.key[-1]

    def _blocks(self, window: Window) -> list[StoredBlock]:
        layout = self._layout
        found = []
        for plane in range(layout.planes):
            channels = slice(plane * layout.interleaved, (plane + 1) * layout.interleaved)
            for row, column, place in grid_blocks(window, layout.size, layout.segment):
                index = plane * math.prod(layout.grid) + row * layout.grid[1] + column
                key = self._data.number, index
                found.append(
                    StoredBlock(
                        key=key, window=place, channels=channels, count=layout.segment_bytes
                    )
                )
        return found

    def _encoded(self, index: int) -> bytes:
        reason = self._absent(index)
        if reason:
            raise BadBlockError(reason)
        layout = self._layout
        offset, count = int(self._data.offsets[index]), int(self._data.counts[index])
        size = layout.segment_bytes
        if count > 4 * size + _SLACK:
            raise BadBlockError(f"takes {count} bytes and holds {size}: it is damaged")
        data = layout.file.read(offset, count)
        compression = int(layout.page.compression)
        values = declared_values(compression, data) if self._jpegheader is None else None
        largest = math.prod(layout.segment) * layout.interleaved
        stepped = None if layout.bounded else _STEPPED.get(compression)
        if (values is not None and not 0 < values <= largest) or (
            stepped and grows_beyond(stepped, data, size + _SLACK)
        ):
            raise BadBlockError("holds more pixels than its place has: it is damaged")
        return data

    def _absent(self, index: int) -> str:
        offset, count = self._data.offsets[index], self._data.counts[index]
        if count == 0 or offset == 0:
            return "is missing"
        return BEYOND if count > self._layout.file.size - offset else ""
