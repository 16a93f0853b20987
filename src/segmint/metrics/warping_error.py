"""The warping error: what is left when the truth may bend, but not break.

Jain et al., "Boundary Learning by Optimization with Topological Constraints", CVPR 2010, section
on warping; one of the first scores of the ISBI 2012 challenge (Arganda-Carreras et al., Frontiers
in Neuroanatomy 9:142, 2015).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import UsageError
from segmint.metrics.interiors import Interiors, interiors
from segmint.metrics.neighborhoods import neighbor_offsets, neighborhood_codes
from segmint.metrics.simple_points import simple_points
from segmint.metrics.values import number

_RADIUS = "a number of pixels from 1 up, or None"


def warping_error(
    interior: ArrayLike,
    truth: ArrayLike,
    *,
    radius: float | None = None,
    counted: ArrayLike | None = None,
) -> float:
    """Share of pixels in which the prediction differs from the truth warped onto it.

    Membranes that are thinner, thicker, or shifted so far that they still touch cost nothing; cells
    wrongly split or merged, holes and missing cells do.

    Args:
        interior: (H, W) boolean, the prediction: not membrane.
        truth: (H, W) boolean, the same of the truth.
        radius: how far in pixels from the other class in the truth a pixel may be warped, 1 or
            more; None sets no limit.
        counted: (H, W) boolean, the pixels that count and may be warped; None counts all.

    Returns:
        0 to 1, 0 for the truth itself; NaN when no pixel counts.

    Raises:
        InputError: for arrays that are not boolean or not of one shape (H, W).
        UsageError: for a radius below 1.

    Example:
        >>> truth = np.array([[1, 1, 0, 1, 1, 1]] * 3, bool)
        >>> shifted = np.array([[1, 1, 1, 0, 1, 1]] * 3, bool)
        >>> merged = np.ones((3, 6), bool)
        >>> warping_error(shifted, truth), round(warping_error(merged, truth), 3)
        (0.0, 0.167)
    """
    pair = interiors(interior, truth, counted)
    wrong, total = warping_sums(pair, radius)
    return float(wrong / total) if total else float("nan")


def warping_sums(pair: Interiors, radius: float | None = None) -> NDArray[np.int64]:
    """Counted pixels that differ after warping, and all counted pixels, (2,)."""
    differs = warp(pair.truth, pair.found, _allowed(pair, radius)) != pair.found
    if pair.counted is None:
        return np.array([np.count_nonzero(differs), differs.size])
    return np.array([np.count_nonzero(differs & pair.counted), np.count_nonzero(pair.counted)])


def warp(
    source: NDArray[np.bool_],
    target: NDArray[np.bool_],
    allowed: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Bring one slice as near to another as its topology allows.

    Pixels that differ change sides while they are simple points, until none of them is: as many
    4-connected pieces of the interior and 8-connected ones of the background stay, with the same
    neighbors. Outside the slice is background, as in the challenge's own code. What is left depends
    on which pixels change first, and the least of all orders is out of reach; membranes are grown
    and then thinned, the other way around too, and the better of both is taken.

    Args:
        source: (H, W) interior, to be warped.
        target: (H, W) interior, to be approached.
        allowed: (H, W), where pixels may change; None is everywhere.

    Returns:
        (H, W) the warped source.
    """
    framed, goal = np.pad(source, 1), np.pad(target, 1)
    differs = framed != goal
    if allowed is not None:
        differs &= np.pad(allowed, 1)
    ways = [
        _relaxed(framed, goal, differs, inside_first=inside_first) for inside_first in (False, True)
    ]
    best = min(ways, key=lambda way: int(np.count_nonzero(way != goal)))
    return best[1:-1, 1:-1]


def _relaxed(
    source: NDArray[np.bool_],
    target: NDArray[np.bool_],
    differs: NDArray[np.bool_],
    *,
    inside_first: bool,
) -> NDArray[np.bool_]:
    """Flip what is simple, to one side as long as there is any, then to the other, and so on.

    Args:
        source: (H + 2, W + 2) with a margin that stays.
        target: of the same shape.
        differs: of the same shape, the pixels to flip, which differ.
        inside_first: whether pixels come to the inside before others leave it.
    """
    now, goal, open_ = source.ravel().copy(), target.ravel(), differs.ravel().copy()
    offsets, simple = neighbor_offsets(source.shape[1]), simple_points()
    waiting = {side: np.flatnonzero(open_ & (goal == side)) for side in (False, True)}
    side = inside_first
    while waiting[False].size or waiting[True].size:
        while waiting[side].size:
            flips = []
            for color in _four_colors(waiting[side], source.shape[1]):
                flips.append(color[simple[neighborhood_codes(now, color, offsets)]])
                now[flips[-1]] = side
            changed = np.concatenate(flips)
            open_[changed] = False
            # Whether a pixel is simple changes only with its neighbors.
            around = (changed[:, None] + offsets).ravel()
            around = np.unique(around[open_[around]])
            waiting[side] = around[goal[around] == side]
            later = np.concatenate([waiting[not side], around[goal[around] != side]])
            waiting[not side] = np.unique(later)
        side = not side
    return now.reshape(source.shape)


def _four_colors(pixels: NDArray[np.intp], width: int) -> list[NDArray[np.intp]]:
    """The pixels in four groups in which none are neighbors.

    Those of a group can change all at once: none is among the neighbors that decide about another.
    """
    row, column = np.divmod(pixels, width)
    color = 2 * (row % 2) + column % 2
    return [pixels[color == index] for index in range(4)]


def _allowed(pair: Interiors, radius: float | None) -> NDArray[np.bool_] | None:
    """Counted pixels within the radius of the other class in the truth."""
    if radius is None:
        return pair.counted
    from scipy import ndimage

    if number(radius, "radius", _RADIUS) < 1:
        raise UsageError(f"radius is {radius}, accepted is {_RADIUS}")
    near = np.zeros(pair.truth.shape, np.bool_)
    if pair.truth.any() and not pair.truth.all():
        inside, outside = (
            ndimage.distance_transform_edt(side) for side in (pair.truth, ~pair.truth)
        )
        near = inside + outside <= radius
    return near if pair.counted is None else near & pair.counted
