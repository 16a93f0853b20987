"""Images and masks brought to another size, each in its own type."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

_CHANNELS_AT_ONCE = 4
"""Up to so many interleaved bytes a pixel have a kernel of their own, ten times as fast."""


def size_with_shorter_side(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width whose shorter side is as asked, the longer one rounded down.

    Args:
        height: in pixels.
        width: in pixels.
        side: length of the shorter side in pixels; 0 keeps the size.

    Example:
        >>> size_with_shorter_side(375, 500, 234)
        (234, 312)
    """
    if side == 0:
        return height, width
    shorter = min(height, width)
    return side * height // shorter, side * width // shorter


def resized_image(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """An image (H, W, C) at another size (h, w), linear, smoothed first where it shrinks.

    The type stays: integers are rounded.
    """
    if pixels.shape[:2] == size:
        return pixels
    if pixels.dtype == np.uint8:
        groups = range(0, pixels.shape[2], _CHANNELS_AT_ONCE)
        parts = [_interpolated(pixels[..., k : k + _CHANNELS_AT_ONCE], size) for k in groups]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
    wide = pixels.astype(working_type(pixels.dtype), copy=False)
    resized = _interpolated(wide, size)
    if pixels.dtype.kind in "iu":
        np.rint(resized, out=resized)
    return resized.astype(pixels.dtype, copy=False)


def resized_mask(mask: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A mask or region (H, W) at another size: of each new pixel the old one under its center."""
    if mask.shape == size:
        return mask
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip(size, mask.shape, strict=True)
    )
    return np.asarray(np.take(mask[rows], columns, axis=1))


def working_type(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """The float type that holds the values of a type to at least 24 bits."""
    return np.float64 if dtype.itemsize > 2 and dtype != np.float32 else np.float32


def _interpolated(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    planes = torch.from_numpy(np.require(pixels, requirements=["C", "W"])).permute(2, 0, 1)
    # What torchvision's resize calls for such images; importing that takes a second or more in
    # each process.
    resized = functional.interpolate(planes[np.newaxis], size=size, mode="bilinear", antialias=True)
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())
