"""TIFF files: any integer or float type, pages, planes, tiles, ImageJ and OME axes."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from segmint.errors import InputError
from segmint.images import raster
from segmint.images.decoding import (
    Pixels,
    Request,
    apply_orientation,
    check_pixel_count,
    damaged,
    decoding,
    flatten_alpha,
    invert_cmyk,
    quiet,
)
from segmint.images.image import Image

if TYPE_CHECKING:
    import tifffile

MOST_CHANNEL_PAGES = 4
"""Unnamed pages up to this many are channels, more are a stack, unless the caller says which."""

YCBCR = 6
_MIN_IS_WHITE, _RGB, _PALETTE, _CMYK, _CIELAB = 0, 2, 3, 5, 8
_ORIENTATION = 274
_COLOR_MAP = 320
_TIFF_ALPHA = {1: True, 2: False}  # extra sample kind -> premultiplied


def read_tiff(request: Request) -> Image:
    """A TIFF file, its pages as channels or as a stack.

    Raises:
        InputError: when it is damaged, cut short, larger than the limit, or of a kind that is not
            an image of numbers.
    """
    import tifffile

    with decoding(request, "TIFF"), quiet("tifffile") as remarks:
        # Parts of an OME data set in other files are not followed.
        with tifffile.TiffFile(request.path, _multifile=False) as file:
            series = file.series[0]
            pages = _checked_pages(request, file, series)
            array, axes, notes = _decode(request, file, series, pages)
        if any(record.levelno >= logging.ERROR for record in remarks):
            raise damaged(request, "TIFF")
        if len(file.series) > 1:
            notes = (f"first of {len(file.series)} series read", *notes)
        pixels, folded = fold_axes(array, axes, request.pages)
    return Image(pixels=pixels, source=request.path, notes=(*notes, *folded))


def fold_axes(array: Pixels, axes: str, pages: str) -> tuple[Pixels, tuple[str, ...]]:
    """Bring named axes into the order (H, W, C) or (D, H, W, C).

    Args:
        array: one axis a letter of ``axes``.
        axes: ``Y`` and ``X`` for rows and columns, ``S`` for the samples of a pixel, ``C`` for
            channels, ``Z`` and ``T`` for slices, any other letter for pages without a meaning.
        pages: what pages are, ``auto``, ``channels``, ``stack`` or ``first``.

    Returns:
        The pixels, and a note where pages were interpreted.
    """
    paging = [axis for axis in axes if axis not in "YXS"]
    count = math.prod(array.shape[axes.index(axis)] for axis in paging)
    if pages == "auto" and not set(paging) & set("CZT"):
        few = count <= MOST_CHANNEL_PAGES and "S" not in axes
        unnamed = "channels" if few else "stack"
    else:
        unnamed = pages
    as_channels = [
        axis for axis in paging if unnamed == "channels" or (unnamed == "auto" and axis == "C")
    ]
    as_slices = [axis for axis in paging if axis not in as_channels]
    samples = [axis for axis in axes if axis == "S"]
    order = [axes.index(axis) for axis in (*as_slices, "Y", "X", *as_channels, *samples)]
    lengths = dict(zip(axes, array.shape, strict=True))
    depth = math.prod(lengths[axis] for axis in as_slices)
    channels = math.prod(lengths[axis] for axis in (*as_channels, *samples))
    pixels = array.transpose(order).reshape(depth, lengths["Y"], lengths["X"], channels)
    pixels = np.ascontiguousarray(pixels if as_slices and depth > 1 else pixels[0])
    if count == 1:
        return pixels, ()
    return pixels, (_page_note(count, len(as_slices) > 0, len(as_channels) > 0, depth),)


def _page_note(count: int, slices: bool, channels: bool, depth: int) -> str:
    if slices and channels:
        return f"{count} pages read as {depth} slices of {count // depth} channels"
    if slices:
        return f"{count} pages read as a stack (--pages channels makes them channels)"
    return f"{count} pages read as channels (--pages stack makes them slices)"


def _checked_pages(
    request: Request, file: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> list[Any]:
    """The pages that will be read, all of them in the file and within the limit."""
    walked = len(file.pages)  # follows the chain of pages to its end, which may be cut off
    first = request.pages == "first"
    pages: list[Any] = [series.pages[0]] if first else list(series.pages)
    missing = any(page is None for page in pages)
    size = file.filehandle.size
    if not first and series.dataoffset is not None:  # one block, which may have a single page entry
        missing = series.dataoffset + series.nbytes > size
        pages = [page for page in pages if page is not None]
    if walked == 0 or missing:
        raise damaged(request, "TIFF")
    lengths = dict(zip(series.axes, series.shape, strict=True))
    if first:
        lengths = dict(zip(series.keyframe.axes, series.keyframe.shape, strict=True))
    channels = lengths.pop("S", 1)
    check_pixel_count(request, tuple(lengths.values()), channels)
    for page in pages:
        ends = np.add(page.dataoffsets, page.databytecounts)
        if not len(ends) or max(ends) > size or 0 in page.databytecounts:
            raise damaged(request, "TIFF")
    return pages


def _decode(
    request: Request,
    file: tifffile.TiffFile,
    series: tifffile.TiffPageSeries,
    pages: list[Any],
) -> tuple[Pixels, str, tuple[str, ...]]:
    """The array, its axes and notes; color is resolved, so ``S`` holds what the eye sees."""
    import tifffile

    page = series.keyframe
    first = request.pages == "first"
    axes = str(page.axes if first else series.axes)
    shape = page.shape if first else series.shape
    if page.compression not in tifffile.TIFF.DECOMPRESSORS or page.photometric == YCBCR:
        return _decode_by_libtiff(request, page, pages, axes, shape)
    array = pages[0].asarray() if first else series.asarray()
    array = np.asarray(array).reshape(shape)
    check_color_model(request, array.dtype, page)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    array, axes, notes = resolve_color(array, axes, page, has_display_table(file))
    return _upright(array, axes, notes, page)


def check_color_model(request: Request, dtype: np.dtype[Any], page: Any) -> None:
    """Refuse what is not real numbers in a color model that can be shown.

    Raises:
        InputError: names the type and the color model.
    """
    if dtype.kind not in "uifb" or page.photometric == _CIELAB:
        raise InputError(
            f"{request.path} is a TIFF of {dtype} in color model {page.photometric}, "
            "accepted are real numbers in grey, RGB, CMYK or a palette: convert it first"
        )


def has_display_table(file: tifffile.TiffFile) -> bool:
    """Whether color tables of the file are for looking at its numbers, which stay numbers."""
    return bool(file.is_imagej or file.is_ome)


def _decode_by_libtiff(
    request: Request, page: Any, pages: list[Any], axes: str, shape: tuple[int, ...]
) -> tuple[Pixels, str, tuple[str, ...]]:
    with request.path.open("rb") as handle:
        decoded = [raster.read_tiff_page(handle, each.index) for each in pages]
    array = np.stack([pixels for pixels, _ in decoded])
    lengths = dict(zip(axes, shape, strict=True))
    plain = "".join(axis for axis in axes if axis not in "YXS")
    paging = tuple(lengths[axis] for axis in plain)
    if math.prod(paging) != len(pages):
        raise NotImplementedError("several slices in a page")
    stored = np.dtype(page.dtype).newbyteorder("=")
    if array.dtype != stored and array.dtype.itemsize == stored.itemsize and stored.kind != "b":
        array = array.view(stored)  # Pillow holds unsigned 32-bit numbers as signed
    if array.dtype.itemsize < stored.itemsize:
        raise InputError(
            f"{request.path} is a TIFF of {page.dtype} compressed as {page.compression.name}, "
            "which cannot be read here without losing bits: save it without compression or as zlib"
        )
    array = array.reshape(*paging, *array.shape[1:])
    compressed = f"{page.compression.name} compression decoded by libtiff"
    return array, f"{plain}YXS", (compressed, *decoded[0][1])


def resolve_color(
    array: Pixels, axes: str, page: Any, has_lookup_table_for_display: bool
) -> tuple[Pixels, str, tuple[str, ...]]:
    """Stored samples as the eye sees them: white is bright, no palette, inks or alpha.

    Args:
        array: one axis a letter of ``axes``, ``S`` for samples.
        axes: axes of the array.
        page: one page of the file.
        has_lookup_table_for_display: a palette is left out.

    Returns:
        Colors, their axes (``S`` last) and what was done.
    """
    if array.dtype == np.bool_:
        white = page.photometric != _MIN_IS_WHITE
        grey = np.where(array == white, 255, 0).astype(np.uint8)
        return grey, axes, ("1-bit picture read as 0 and 255",)
    if page.photometric == _MIN_IS_WHITE and array.dtype.kind == "u":
        return np.iinfo(array.dtype).max - array, axes, ("inverted: the file stores white as 0",)
    if page.photometric == _PALETTE and "S" not in axes:
        if has_lookup_table_for_display:
            return array, axes, ("color table for display ignored",)
        return _palette_color(page)[array], f"{axes}S", ("palette expanded to RGB",)
    if "S" not in axes:
        return array, axes, ()
    array = np.moveaxis(array, axes.index("S"), -1)
    axes = f"{axes.replace('S', '')}S"
    return _resolve_samples(array, axes, page)


def _resolve_samples(array: Pixels, axes: str, page: Any) -> tuple[Pixels, str, tuple[str, ...]]:
    opaque = np.iinfo(array.dtype).max if array.dtype.kind in "ui" else 1.0
    if page.photometric == _CMYK and array.shape[-1] == 4 and array.dtype.kind == "u":
        return invert_cmyk(array, int(opaque)), axes, ("CMYK converted to RGB",)
    color = 3 if page.photometric == _RGB else 1
    kinds = tuple(page.extrasamples)
    if len(kinds) == 1 and kinds[0] in _TIFF_ALPHA and array.shape[-1] == color + 1:
        premultiplied = _TIFF_ALPHA[kinds[0]]
        flat, note = flatten_alpha(
            array[..., :-1], array[..., -1], opaque, premultiplied=premultiplied
        )
        return flat, axes, (note,)
    return array, axes, ()


def _palette_color(page: Any) -> Pixels:
    """Colors (K, 3) of the table, in 8 bits where it has no more."""
    table = np.asarray(page.tags[_COLOR_MAP].value, dtype=np.uint16).reshape(3, -1).T
    if np.all(table % 257 == 0):
        return (table // 257).astype(np.uint8)
    return (table >> 8).astype(np.uint8) if np.all(table % 256 == 0) else table


def orientation_of(page: Any) -> int:
    """1 to 8, as EXIF counts; 1 is upright."""
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None else 1


def _upright(
    array: Pixels, axes: str, notes: tuple[str, ...], page: Any
) -> tuple[Pixels, str, tuple[str, ...]]:
    orientation = orientation_of(page)
    if orientation == 1:
        return array, axes, notes
    plain = "".join(axis for axis in axes if axis not in "YXS")
    samples = "S" if "S" in axes else ""
    array = array.transpose([axes.index(axis) for axis in f"{plain}YX{samples}"])
    array = array if samples else array[..., np.newaxis]
    array, turned = apply_orientation(array, orientation)
    return array, f"{plain}YXS", (*notes, *turned)
