"""From the directory of a TIFF file to a scene, without decoding anything."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from segmint.errors import InputError
from segmint.images import tiff
from segmint.images.block_cache import LEAST_BYTES, BlockCache
from segmint.images.checked_scene import NotByWindowError, is_copy
from segmint.images.decoding import Request, damaged, decoding, quiet
from segmint.images.oriented_scene import OrientedScene
from segmint.images.scene import Scene
from segmint.images.scene_file import SceneFile
from segmint.images.tiff_scene import TiffScene
from segmint.images.tiff_scene_pages import (
    PageData,
    PageLayout,
    PageSamples,
    SegmentedPage,
    UncompressedPage,
)

if TYPE_CHECKING:
    import tifffile

_JPEG = 7
BY_WINDOW = frozenset({1, 3, 4, 5, _JPEG, 8, 32946, 32773, 33003, 33005, 34712, 34925, 50000})
"""Compressions whose decoders cannot be made to give more than a tile holds."""

_MOST_PAGES = 1 << 20
_ROWS_KEPT = 2
_MOST_KEPT = 128 << 20
_RETILE = "save it in tiles, compressed with deflate"


def open_tiff(request: Request, *, skip_bad: bool) -> Scene:
    """A scene of the first series of a TIFF file, with the smaller copies that lie in it.

    Args:
        request: the file, what its pages are, and the largest strip that may be decoded.
        skip_bad: damaged and missing tiles are marked, rather than errors.

    Raises:
        InputError: when its directory is damaged, tiles are missing, or it is of a kind that is
            not an image of numbers.
        NotByWindowError: when it can only be decoded whole.
    """
    import tifffile

    file = SceneFile(request.path)
    try:
        with decoding(request, "TIFF"), quiet("tifffile") as remarks:
            # Parts of an OME data set in other files are not followed.
            with tifffile.TiffFile(request.path, _multifile=False) as described:
                scene = _first_series(request, file, described, skip_bad=skip_bad)
            if any(record.levelno >= logging.ERROR for record in remarks):
                raise damaged(request, "TIFF")
    except BaseException:
        file.close()
        raise
    return scene


def _first_series(
    request: Request, file: SceneFile, described: tifffile.TiffFile, *, skip_bad: bool
) -> Scene:
    series = described.series[0]
    page = series.keyframe
    if len(described.pages) == 0:  # follows the chain of pages to its end, which may be cut off
        raise damaged(request, "TIFF")
    tiff.check_color_model(request, np.dtype(page.dtype), page)
    orientation = tiff.orientation_of(page)
    notes = () if orientation == 1 else (f"orientation {orientation} applied",)
    if len(described.series) > 1:
        notes = (f"first of {len(described.series)} series read", *notes)
    layout = _layout(request, file, page, skip_bad=skip_bad)
    _check_by_window(request, series, layout)
    cache = _cache(layout)
    scene = _scene(described, series, layout, cache, notes)
    if orientation != 1:
        return OrientedScene(scene, orientation)
    scene.levels = tuple(_levels(described, scene, layout, cache))
    return scene


def _layout(
    request: Request, file: SceneFile, page: Any, *, skip_bad: bool, level: int = 0
) -> PageLayout:
    if 0 in page.shaped or page.dtype is None:
        raise damaged(request, "TIFF")
    layout = PageLayout(
        request=request,
        page=page,
        file=file,
        skip_bad=skip_bad,
        level=level,
        bounded=_has_imagecodecs(),
    )
    if min(layout.segment) < 1:
        raise damaged(request, "TIFF")
    return layout


def _scene(
    described: tifffile.TiffFile,
    series: tifffile.TiffPageSeries,
    layout: PageLayout,
    cache: BlockCache,
    notes: tuple[str, ...] = (),
) -> TiffScene:
    pages = [_samples(layout, data, cache) for data in _page_data(series, layout)]
    absent = [missing for page in pages if (missing := page.missing()) is not None]
    if absent:
        count = sum(missing.count for missing in absent)
        if not layout.skip_bad:
            raise absent[0].error(layout.request, count)
        notes = (*notes, f"{count} missing tiles or strips left out")
    return TiffScene(
        layout.request,
        pages,
        layout,
        paging=_paging(series, layout),
        has_display_table=tiff.has_display_table(described),
        notes=notes,
    )


def _levels(
    described: tifffile.TiffFile, scene: TiffScene, image: PageLayout, cache: BlockCache
) -> Iterator[TiffScene]:
    """Smaller copies of the same planes, channels and type; others are left out."""
    for number, series in enumerate(described.series[0].levels[1:], start=1):
        try:
            # A copy is for looking at: its damage does not matter.
            layout = _layout(
                image.request, image.file, series.keyframe, skip_bad=True, level=number
            )
            _check_decoders(image.request, layout)
            _check_segment(image.request, layout)
            copy = _scene(described, series, layout, cache)
        except InputError:
            continue
        if is_copy(copy, scene):
            yield copy


def _paging(series: tifffile.TiffPageSeries, layout: PageLayout) -> dict[str, int]:
    """Axes of the series before those of a page, with their lengths."""
    if layout.request.pages == "first":
        return {}
    axes, shape, own = str(series.axes), tuple(series.shape), str(layout.page.axes)
    if not axes.endswith(own):
        kept = [(axis, n) for axis, n in zip(axes, shape, strict=True) if n > 1 or axis in own]
        axes, shape = "".join(axis for axis, _ in kept), tuple(n for _, n in kept)
    before = axes.removesuffix(own)
    if not axes.endswith(own) or len(set(axes)) < len(axes):
        raise NotByWindowError(
            f"{layout.request.path} has the axes {series.axes} in pages of {own}, accepted by "
            f"window are pages of rows and columns: {_RETILE}"
        )
    return dict(zip(before, shape, strict=False))


def _page_data(series: tifffile.TiffPageSeries, layout: PageLayout) -> Iterator[PageData]:
    count = math.prod(_paging(series, layout).values())
    if not 0 < count <= _MOST_PAGES:
        raise damaged(layout.request, "TIFF")
    if layout.request.pages != "first" and series.dataoffset is not None:
        size = int(layout.page.nbytes)
        for number in range(count):
            start = int(series.dataoffset) + number * size
            yield _data(number, [start], [size], None)
        return
    pages = [series[0]] if layout.request.pages == "first" else list(series)
    segments = 1 if layout.is_plain else layout.segments
    for number, page in enumerate(pages):
        if page is None or min(len(page.dataoffsets), len(page.databytecounts)) < segments:
            raise damaged(layout.request, "TIFF")
        offsets, counts = page.dataoffsets[:segments], page.databytecounts[:segments]
        yield _data(number, offsets, counts, page.jpegtables)


def _data(number: int, offsets: Any, counts: Any, jpegtables: bytes | None) -> PageData:
    return PageData(
        number=number + 1,
        offsets=np.asarray(offsets, np.int64),
        counts=np.asarray(counts, np.int64),
        jpegtables=jpegtables,
    )


def _samples(layout: PageLayout, data: PageData, cache: BlockCache) -> PageSamples:
    if layout.is_plain:
        return UncompressedPage(layout, data)
    return SegmentedPage(layout, data, cache)


def _cache(layout: PageLayout) -> BlockCache:
    """Room for two rows of tiles where that is little, and always for what one window needs."""
    one = layout.planes * layout.segment_bytes
    row = one * layout.grid[1]
    limit = max(LEAST_BYTES, min(_ROWS_KEPT * row, _MOST_KEPT), one)
    return BlockCache(limit=limit)


def _check_by_window(request: Request, series: tifffile.TiffPageSeries, layout: PageLayout) -> None:
    """Refuse what must be decoded whole, and strips that are too large for that.

    Raises:
        NotByWindowError: says why.
    """
    count = math.prod(_paging(series, layout).values())
    pixels = count * math.prod(layout.size) * -(-layout.samples // 4)
    path, page = request.path, layout.page
    if series.transform is not None or page.shaped[1] > 1:
        raise NotByWindowError(
            f"{path} is a {series.kind} file of pages that are volumes, accepted by window are "
            f"pages of rows and columns: {_RETILE}",
            pixels=pixels,
        )
    _check_decoders(request, layout, pixels)
    _check_segment(request, layout, pixels, alone=count == math.prod(layout.grid) == 1)


def _check_segment(
    request: Request, layout: PageLayout, pixels: int = 0, *, alone: bool = False
) -> None:
    height, width = layout.segment
    if not layout.is_plain and (alone or height * width > request.max_pixels):
        raise NotByWindowError(
            f"{request.path} stores {height} x {width} pixels in one compressed "
            f"{'tile' if layout.page.is_tiled else 'strip'}, which is decoded whole, accepted are "
            f"at most {request.max_pixels}: {_RETILE}, or raise --max-pixels",
            pixels=pixels,
        )


def _check_decoders(request: Request, layout: PageLayout, pixels: int = 0) -> None:
    import tifffile

    page = layout.page
    name = getattr(page.compression, "name", page.compression)
    missing = page.compression not in tifffile.TIFF.DECOMPRESSORS or (
        page.predictor != 1 and page.predictor not in tifffile.TIFF.UNPREDICTORS
    )
    if missing and not _has_imagecodecs():
        raise NotByWindowError(
            f"{request.path} is a TIFF compressed as {name} (predictor {int(page.predictor)}), "
            "whose tiles imagecodecs decodes, accepted without it are uncompressed and deflate: "
            "pip install 'segmint[bigimage]'",
            pixels=pixels,
        )
    subsampled = page.photometric == tiff.YCBCR and page.compression != _JPEG
    if missing or subsampled or int(page.compression) not in BY_WINDOW:
        raise NotByWindowError(
            f"{request.path} is a TIFF compressed as {name} in color model {page.photometric}, "
            "accepted by window are no compression, deflate, LZW, Zstandard, LZMA, JPEG and "
            f"JPEG 2000: {_RETILE}",
            pixels=pixels,
        )


def _has_imagecodecs() -> bool:
    from importlib.util import find_spec

    return find_spec("imagecodecs") is not None
