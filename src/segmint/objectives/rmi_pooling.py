"""Making the maps of region mutual information smaller, and telling which windows then count.

``average`` and ``max`` take squares of ``pool_size`` pixels, without padding: what is left over at
the right and the bottom is not seen. ``interpolate`` takes bilinear samples at the centers of such
squares, spread over the whole map. With ``normalization="paper"`` the borders are those of Zhao et
al. (2019): squares start half a size outside the map, where an average counts zeros;
``interpolate`` aligns the corners, and takes the nearest pixel of a mask.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from segmint.errors import InputError
from segmint.objectives.rmi_options import RmiOptions


def pooled(maps: Tensor, options: RmiOptions) -> Tensor:
    """Maps (K, H, W) of floating numbers made smaller."""
    if options.pool_size == 1:
        return maps
    if options.pooling == "interpolate":
        sides = pooled_sides(maps.shape[1:], options)
        corners = options.published
        return functional.interpolate(maps[None], sides, mode="bilinear", align_corners=corners)[0]
    pool = functional.avg_pool2d if options.pooling == "average" else functional.max_pool2d
    return pool(maps, options.pool_size, padding=_padding(options))


def pooled_gradient(upstream: Tensor, maps: Tensor, options: RmiOptions) -> Tensor:
    """The gradient in maps (K, H, W) that were averaged, or not pooled, from that in the result."""
    if options.pool_size == 1:
        return upstream
    size, padding = [options.pool_size] * 2, [_padding(options)] * 2
    gradient: Tensor = torch.ops.aten.avg_pool2d_backward(
        upstream, maps, size, size, padding, False, True, None
    )
    return gradient


def pooled_one_hot(labels: Tensor, classes: int, options: RmiOptions, dtype: torch.dtype) -> Tensor:
    """The one-hot maps of labels made smaller.

    Args:
        labels: (H, W) integers from 0; those above ``classes`` - 1 have no map.
        classes: how many maps.
        options: ``pooling``, ``pool_size`` and ``normalization`` are read.
        dtype: of the result, floating.

    Returns:
        (classes, h, w).
    """
    if options.pool_size > 1 and options.pooling in ("average", "max"):
        counts = _counts(labels, classes, options)
        if options.pooling == "max":
            return (counts > 0).to(dtype)
        return counts.to(dtype) / options.pool_size**2
    places = torch.arange(classes, device=labels.device)[:, None, None]
    one_hot = (labels == places).to(dtype)
    if options.pooling == "interpolate" and options.published:
        sides = pooled_sides(labels.shape, options)
        return functional.interpolate(one_hot[None], sides, mode="nearest")[0]
    return pooled(one_hot, options)


def valid_windows(counted: Tensor, options: RmiOptions) -> Tensor:
    """Windows of the pooled map that rest on counted pixels alone, without padding.

    Args:
        counted: (N, H, W) boolean.
        options: ``radius``, ``pooling`` and ``pool_size`` are read.

    Returns:
        (N, windows down, windows across) boolean, by the first pixel of each window.
    """
    uncounted = (~counted).float()
    if options.pooling == "interpolate":
        uncounted = pooled(uncounted, options)
    elif options.pool_size > 1:
        uncounted = functional.max_pool2d(uncounted, options.pool_size)
    return functional.max_pool2d(uncounted, options.radius, stride=1) == 0


def check_sides(sides: Sequence[int], options: RmiOptions) -> None:
    """Refuse images that are smaller than a window after pooling.

    Args:
        sides: height and width in pixels.
        options: ``radius``, ``pooling``, ``pool_size`` and ``normalization`` are read.

    Raises:
        InputError: when there is no window.
    """
    height, width = pooled_sides(sides, options)
    radius, size = options.radius, options.pool_size
    if min(height, width) >= radius:
        return
    pooling = f", {height} x {width} after pooling by {size}," if size > 1 else ""
    cures = "a smaller radius, less pooling or" if size > 1 else "a smaller radius or"
    raise InputError(
        f"images of {sides[0]} x {sides[1]} pixels{pooling} are smaller than a window of region "
        f"mutual information, {radius} x {radius}: choose {cures} larger images"
    )


def pooled_sides(sides: Sequence[int], options: RmiOptions) -> tuple[int, int]:
    """Height and width after pooling."""
    size = options.pool_size
    padding = 0 if options.pooling == "interpolate" else _padding(options)
    height, width = ((side + 2 * padding - size) // size + 1 for side in sides)
    return height, width


def _padding(options: RmiOptions) -> int:
    """Pixels on every side; a size of 1 has none."""
    return options.pool_size // 2 if options.published else 0


def _counts(labels: Tensor, classes: int, options: RmiOptions) -> Tensor:
    """(classes, h, w) pixels of each label in each square."""
    size, padding = options.pool_size, _padding(options)
    height, width = pooled_sides(labels.shape, options)
    labels = labels[: height * size - padding, : width * size - padding].clamp(max=classes)
    rows, columns = (
        (torch.arange(side, device=labels.device) + padding) // size for side in labels.shape
    )
    squares = rows[:, None] * width + columns
    bins = (squares * (classes + 1) + labels).flatten()
    counts = bins.bincount(minlength=height * width * (classes + 1))
    return counts.view(height, width, classes + 1).movedim(2, 0)[:classes]
