"""Resampling of a part of an image as the whole image would be resampled.

The matrices of ``torch.nn.functional.interpolate`` along one axis, in coordinates of the whole
image, so that the parts fit together. Each new pixel is a weighted sum of a run of old ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_BITS = 22
"""Torch's weights for 8-bit pixels have fewer bits than this behind the point, ..."""
_TOO_LARGE = 2**15
"""... and as many as keep the largest weight below this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampling:
    """What the pixels along one axis of a new image are made of."""

    first: NDArray[np.intp]
    """(n,) first old pixel of each new one."""
    weights: NDArray[Any]
    """(n, t) of the old pixels from there on; 0 where a pixel needs fewer. Whole numbers are
    multiples of 1 / 2^bits."""
    bits: int = 0

    def part(self, start: int, stop: int) -> Resampling:
        """Of the new pixels from ``start`` to below ``stop``, counted from the first they need."""
        first, weights = self.first[start:stop], self.weights[start:stop]
        return Resampling(first=first - first[0], weights=weights, bits=self.bits)

    def needed(self, start: int, stop: int) -> tuple[int, int]:
        """First and end of the old pixels that the new ones need."""
        ends = self.first[start:stop] + (self.weights[start:stop] != 0).cumsum(axis=1).argmax(
            axis=1
        )
        return int(self.first[start]), int(ends.max()) + 1

    def __call__(self, pixels: NDArray[Any], axis: int) -> NDArray[Any]:
        """The new pixels, in the type of the old ones."""
        along = [np.newaxis] * pixels.ndim
        along[axis] = slice(None)  # type: ignore[call-overload]
        total: NDArray[Any] | None = None
        for tap in range(self.weights.shape[1]):
            places = np.minimum(self.first + tap, pixels.shape[axis] - 1)
            part = np.take(pixels, places, axis=axis) * self.weights[:, tap][tuple(along)]
            total = part if total is None else np.add(total, part, out=total)
        assert total is not None
        if self.bits:
            total += 1 << (self.bits - 1)
            total >>= self.bits
        return total.astype(pixels.dtype, copy=False)


def smoothed(old: int, new: int, dtype: np.dtype[Any]) -> Resampling:
    """As ``interpolate(mode="bilinear", antialias=True)`` does along one axis.

    Args:
        old: pixels of the whole axis.
        new: pixels of it afterwards.
        dtype: of the pixels: float32, float64 or uint8, which torch computes each in its own way.
    """
    is_short = dtype == np.uint8
    kind = np.dtype(np.float64) if is_short else dtype
    one, half = kind.type(1), kind.type(0.5)
    scale = kind.type(old) / kind.type(new)
    support = max(one, scale)
    centers = scale * (np.arange(new).astype(kind) + half)
    first = np.maximum((centers - support + half).astype(np.intp), 0)
    end = np.minimum((centers + support + half).astype(np.intp), old)
    tap = np.arange(int((end - first).max()))
    distances = (tap + first[:, np.newaxis]).astype(kind) - centers[:, np.newaxis] + half
    weights = np.maximum(0, one - np.abs(distances * (one / support))).astype(kind)
    weights[tap >= (end - first)[:, np.newaxis]] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    if not is_short:
        return Resampling(first=first, weights=weights)
    bits = _bits(float(weights.max()))
    whole = (weights * (1 << bits) + 0.5).astype(np.int32)
    return Resampling(first=first, weights=whole, bits=bits)


def between_centers(old: int, new: int) -> Resampling:
    """As ``interpolate(mode="bilinear", align_corners=False)`` does along one axis, in float32."""
    half = np.float32(0.5)
    scale = np.float32(old) / np.float32(new)
    places = np.maximum(scale * (np.arange(new, dtype=np.float32) + half) - half, np.float32(0))
    first = np.minimum(places.astype(np.intp), old - 1)
    further = np.clip(places - first.astype(np.float32), 0, 1).astype(np.float32)
    further[first == old - 1] = 0
    return Resampling(first=first, weights=np.stack([1 - further, further], axis=1))


def _bits(largest: float) -> int:
    """Bits behind the point of weights whose largest is given, as torch chooses them."""
    for bits in range(_MOST_BITS):
        if int(0.5 + largest * (1 << (bits + 1))) >= _TOO_LARGE:
            return bits
    return _MOST_BITS
