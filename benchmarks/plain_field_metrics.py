"""The scores of membranes and boundaries in the obvious way: other libraries, loops, dense tables.

Each computes what its namesake in ``segmint.metrics`` does, so that a benchmark can check that both
are equal before it measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from skimage.morphology import thin
from sklearn.metrics import f1_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from segmint.metrics.neighborhoods import STEPS
from segmint.metrics.simple_points import simple_points

Slice = NDArray[np.bool_]
PRICE = 1e6
"""Of a pixel left over, in hundredths of a pixel."""


def thinned(interior: Slice) -> NDArray[np.int32]:
    """Cells grown over the whole slice by a distance map."""
    numbers = ndimage.label(interior)[0]
    if not interior.any():
        return np.ones_like(numbers)
    nearest = ndimage.distance_transform_edt(~interior, return_distances=False, return_indices=True)
    return np.asarray(numbers[tuple(nearest)])


def v_rand(interior: Slice, truth: Slice) -> float:
    """From scikit-learn's dense contingency table."""
    table = contingency_matrix(ndimage.label(truth)[0][truth], thinned(interior)[truth])
    both, known, found = (
        float((part.astype(float) ** 2).sum())
        for part in (table, table.sum(axis=1), table.sum(axis=0))
    )
    return 2 * both / (known + found)


def v_info(interior: Slice, truth: Slice) -> float:
    """From scikit-learn's normalized mutual information."""
    return float(
        normalized_mutual_info_score(ndimage.label(truth)[0][truth], thinned(interior)[truth])
    )


def rand_error(interior: Slice, truth: Slice) -> float:
    """With a number of its own for every border pixel of the prediction."""
    numbers = ndimage.label(interior)[0]
    numbers[~interior] = numbers.max() + 1 + np.arange(np.count_nonzero(~interior))
    sizes = [
        np.unique(labels, return_counts=True)[1].astype(float)
        for labels in (
            ndimage.label(truth)[0][truth].astype(np.int64) * (numbers.max() + 1) + numbers[truth],
            ndimage.label(truth)[0][truth],
            numbers[truth],
        )
    ]
    both, known, found = (float((each**2).sum()) for each in sizes)
    return 1 - 2 * both / (known + found)


def pixel_error(interior: Slice, truth: Slice) -> float:
    """From scikit-learn's F."""
    return 1 - float(f1_score(truth.ravel(), interior.ravel()))


def warping_error(interior: Slice, truth: Slice) -> float:
    """Sweeps over all pixels that differ, one by one, until a whole round changes nothing."""
    left = [_left_over(interior, truth, inside_first=first) for first in (False, True)]
    return min(left) / truth.size


def _left_over(interior: Slice, truth: Slice, *, inside_first: bool) -> int:
    now = np.pad(truth, 1).tolist()
    goal = np.pad(interior, 1).tolist()
    simple = simple_points().tolist()
    open_ = {tuple(place) for place in (np.argwhere(interior != truth) + 1).tolist()}
    side, idle = inside_first, 0
    while open_ and idle < 2:
        flipped = 0
        for color in ((0, 0), (0, 1), (1, 0), (1, 1)):
            for row, column in sorted(open_):
                if (row % 2, column % 2) != color or goal[row][column] != side:
                    continue
                code = sum(
                    now[row + down][column + right] << bit
                    for bit, (down, right) in enumerate(STEPS)
                )
                if simple[code]:
                    now[row][column] = side
                    open_.remove((row, column))
                    flipped += 1
        idle = 0 if flipped else idle + 1
        side = side if flipped else not side
    return len(open_)


def boundaries(segments: NDArray[np.integer]) -> Slice:
    """Blocks of four that differ, thinned by scikit-image."""
    padded = np.pad(segments, ((0, 1), (0, 1)), mode="edge")
    blocks = [padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]]
    return np.asarray(thin(np.max(blocks, axis=0) != np.min(blocks, axis=0)))


def matched_counts(found: Slice, truths: Sequence[Slice], distance: float) -> list[int]:
    """Pixels of each truth that are matched, by one dense table of all pairs."""
    counts = []
    for truth in truths:
        costs = 100 * cdist(np.argwhere(truth), np.argwhere(found))
        costs[costs > 100 * distance] = PRICE
        rows, columns = linear_sum_assignment(costs)
        counts.append(int(np.count_nonzero(costs[rows, columns] < PRICE)))
    return counts
