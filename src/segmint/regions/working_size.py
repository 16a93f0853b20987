"""Down to a bounded working size, and labels back up along the edges of the full image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_AT_A_TIME = 256
"""Full rows refined together, which bounds the memory of the refinement."""
DISTANCE_WEIGHT = 0.02
"""Squared distance of one working pixel, in units of squared image range."""

NEIGHBORS = (0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)
"""Rows down and columns right of the working pixels that a pixel may take its label from."""


@dataclass(frozen=True, eq=False)
class WorkingGrid:
    """Rows and columns of a full image pooled into those of a smaller one.

    Pools are as even as integers allow. An image that is small enough is its own working image.
    """

    rows: NDArray[np.intp]
    """(H,) working row of each row."""
    columns: NDArray[np.intp]
    """(W,) working column of each column."""

    @classmethod
    def of(cls, shape: tuple[int, int], working_pixels: int) -> WorkingGrid:
        """The grid of an (H, W) image with about ``working_pixels`` pixels, or as it is."""
        scale = min(1.0, np.sqrt(working_pixels / (shape[0] * shape[1])))
        sizes = [max(1, int(np.floor(size * scale))) for size in shape]
        rows, columns = (np.arange(n) * work // n for n, work in zip(shape, sizes, strict=True))
        return cls(rows, columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the working image."""
        return int(self.rows[-1]) + 1, int(self.columns[-1]) + 1

    @property
    def is_full(self) -> bool:
        """Whether the working image is the image itself."""
        return self.shape == (len(self.rows), len(self.columns))

    def means(self, image: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Mean of an image (H, W, C) over the masked pixels of each pool, 0 if there are none."""
        if self.is_full:
            return np.where(mask[..., None], image, np.float32(0))
        return self.pooled_means(image, mask)

    def pooled_means(
        self, image: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """As :meth:`means`, also of a part of a grid that is made of whole pools."""
        weights = self.pooled(np.add, mask.astype(np.float32))
        pooled = [self.pooled(np.add, plane * mask) for plane in np.moveaxis(image, -1, 0)]
        means: NDArray[np.float32] = np.stack(pooled, axis=-1) / np.maximum(weights, 1)[..., None]
        return means

    def pooled(self, operation: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """Reduce (H, W) values over each pool with np.add, np.maximum, ..."""
        starts = [np.flatnonzero(np.diff(axis, prepend=-1)) for axis in (self.rows, self.columns)]
        by_rows = operation.reduceat(values, starts[0], axis=0)
        pooled: NDArray[Any] = operation.reduceat(by_rows, starts[1], axis=1)
        return pooled

    def full_labels(
        self,
        labels: NDArray[np.int32],
        working: NDArray[np.float32],
        image: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> NDArray[np.int32]:
        """Labels of the full image, with the boundaries moved on to its edges.

        Each pixel takes the label of the one working pixel, of its own and its four neighbors,
        that is nearest in color and place together.

        Args:
            labels: (h, w) at working size, -1 outside.
            working: (h, w, C) working image.
            image: (H, W, C).
            mask: (H, W); -1 is returned elsewhere.
        """
        if self.is_full:
            return np.where(mask, labels, np.int32(-1))
        full = np.empty(mask.shape, np.int32)
        columns = np.arange(len(self.columns))
        for start in range(0, len(self.rows), ROWS_AT_A_TIME):
            rows = np.arange(start, min(start + ROWS_AT_A_TIME, len(self.rows)))
            full[rows] = self.nearest(labels, working, image[rows], rows[:, None], columns)
        return np.where(mask, full, np.int32(-1))

    def nearest(
        self,
        labels: NDArray[np.int32],
        working: NDArray[np.float32],
        pixels: NDArray[np.float32],
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
    ) -> NDArray[np.int32]:
        """Labels (...) of pixels anywhere in the full image, each as :meth:`full_labels` has it.

        Args:
            labels: (h, w) at working size, -1 outside.
            working: (h, w, C) working image.
            pixels: (..., C).
            rows: of the pixels in the full image; broadcasts to (...) together with ``columns``.
            columns: of the pixels in the full image.

        Returns:
            -1 where neither the working pixel nor a neighbor has a label.
        """
        height, width = self.shape
        own = self.rows[rows], self.columns[columns]
        above, left = self._offset(self.rows, rows), self._offset(self.columns, columns)
        best = np.full(pixels.shape[:-1], np.inf, np.float32)
        found = np.full(best.shape, -1, np.int32)
        for down, right in NEIGHBORS:
            at = np.clip(own[0] + down, 0, height - 1), np.clip(own[1] + right, 0, width - 1)
            distance = (above - down) ** 2 + (left - right) ** 2
            cost = (DISTANCE_WEIGHT * distance).astype(np.float32)
            for channel in range(pixels.shape[-1]):
                cost += (pixels[..., channel] - working[(*at, channel)]) ** 2
            candidate = labels[at]
            nearer = (cost < best) & (candidate >= 0)
            best[nearer] = cost[nearer]
            found[nearer] = candidate[nearer]
        return found

    @staticmethod
    def _offset(axis: NDArray[np.intp], at: NDArray[np.intp]) -> NDArray[np.float64]:
        """How far pixels lie from the middle of their working pixel, in working pixels."""
        places: NDArray[np.float64] = (at + 0.5) * (int(axis[-1]) + 1) / len(axis) - 0.5 - axis[at]
        return places
