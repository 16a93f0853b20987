"""Pages of a TIFF file as a scene."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from segmint.images import tiff
from segmint.images.checked_scene import CheckedScene, Mask
from segmint.images.decoding import Pixels, Request, decoding
from segmint.images.scene_places import places_of_channels
from segmint.images.scene_stored_array import row_block
from segmint.images.tiff_scene_pages import PageLayout, PageSamples
from segmint.images.window import Window

_LEAST_ROWS = 16


class TiffScene(CheckedScene):
    """Pages of a TIFF series as slices and channels, read by tiles, strips or rows.

    Args:
        request: the file and what its pages are.
        pages: samples of each page, in the order of the series.
        layout: how the pages store them.
        paging: axes of the series beside rows, columns and samples, with their lengths.
        has_display_table: palettes are left out.
        notes: what was decided before.
    """

    def __init__(
        self,
        request: Request,
        pages: Sequence[PageSamples],
        layout: PageLayout,
        *,
        paging: Mapping[str, int],
        has_display_table: bool,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.skip_bad = layout.skip_bad
        self.source = request.path
        self._request, self._pages, self._layout = request, pages, layout
        self._has_display_table = has_display_table
        self.height, self.width = layout.size
        stored = np.dtype(layout.page.dtype)
        probe, axes, color_notes = self._colors(np.zeros((1, 1, layout.samples), stored))
        self.dtype = probe.dtype
        self._samples = math.prod(probe.shape)
        self._places, folded = places_of_channels(
            (*paging.values(), *probe.shape), "".join(paging) + axes, request.pages
        )
        self.depth = len(self._places) if self._places.ndim == 2 else None
        self.channels = self._places.shape[-1]
        self.block = _block_of(layout)
        self.notes = (*notes, *color_notes, *folded)

    def close(self) -> None:
        """Let go of the file."""
        self._layout.file.close()

    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        places = self._places if self.depth is None else self._places[plane]
        numbers, samples = np.divmod(places, self._samples)
        if np.all(numbers == numbers[0]) and np.array_equal(samples, np.arange(self._samples)):
            return self._page_colors(int(numbers[0]), window)
        pixels = np.empty((*window.size, self.channels), self.dtype)
        bad = None
        for number in dict.fromkeys(numbers.tolist()):
            colors, missing = self._page_colors(number, window)
            own = numbers == number
            pixels[..., own] = colors[..., samples[own]]
            if missing is not None:
                bad = missing if bad is None else bad | missing
        return pixels, bad

    def _page_colors(self, number: int, window: Window) -> tuple[Pixels, Mask | None]:
        samples, missing = self._pages[number].read(window)
        return self._colors(samples)[0].reshape(*window.size, self._samples), missing

    def _colors(self, samples: Pixels) -> tuple[Pixels, str, tuple[str, ...]]:
        """Samples (h, w, S) as the eye sees them, (h, w) or (h, w, C), and what was done."""
        page = self._layout.page
        axes = "YXS" if "S" in page.axes else "YX"
        with decoding(self._request, "TIFF"):
            return tiff.resolve_color(
                samples[..., 0] if axes == "YX" else samples, axes, page, self._has_display_table
            )


def _block_of(layout: PageLayout) -> tuple[int, int]:
    if layout.is_plain:
        return row_block(layout.size, layout.samples * layout.page.dtype.itemsize)
    rows, columns = layout.segment
    if columns < layout.size[1]:
        return rows, columns
    return min(rows * -(-_LEAST_ROWS // rows), layout.size[0]), columns
