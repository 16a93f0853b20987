"""Which boundary pixels of a prediction belong to those of an annotator.

Martin, Fowlkes, Malik, "Learning to Detect Natural Image Boundaries Using Local Brightness, Color,
and Texture Cues", PAMI 26(5), 2004, appendix: pixels are assigned one to one, no farther apart than
a tolerance, so that as many as possible are and, of all such assignments, the sum of distances is
least.

The benchmark solves one assignment in which every pixel left over has a high price. The same
optimum is found here in two steps. A maximum flow gives the numbers. Which pixels of the
prediction are matched is open only where there are more of them than of the annotator; by the
decomposition of Dulmage and Mendelsohn that part is apart from the rest, and all of the annotator's
pixels in it are taken, so that a small assignment is left for each of its connected pieces. Equal
sums of distances leave a little choice, which moves precision by less than one percent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segmint.metrics.cheapest_assignment import cheapest_assignment

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_UNITS = 100
"""Distances are counted in hundredths of a pixel, as in the benchmark, so that sums are exact."""


def matched_pixels(
    found: NDArray[np.bool_], truth: NDArray[np.bool_], distance: float
) -> NDArray[np.bool_]:
    """Whether each boundary pixel of a prediction is assigned to one of the truth.

    Args:
        found: (H, W) boundaries of the prediction.
        truth: (H, W) boundaries of one annotator.
        distance: in pixels, the greatest between two that are assigned to each other.

    Returns:
        (H, W), a part of ``found``; as many pixels of the truth are matched.

    Example:
        >>> truth = np.array([[0, 1, 0, 0, 0, 0]], bool)
        >>> matched_pixels(np.array([[1, 1, 1, 0, 0, 1]], bool), truth, 1).tolist()
        [[False, True, False, False, False, False]]
    """
    matched = np.zeros(found.shape, np.bool_)
    candidates = candidate_pairs(found, truth, distance)
    if not candidates.nnz:
        return matched
    partner = _largest_matching(candidates)
    taken = np.zeros(candidates.shape[1], np.bool_)
    taken[partner[partner >= 0]] = True
    choice = _where_too_many(candidates, partner, taken)
    if choice.any():
        taken[choice] = False
        taken[_nearest(candidates, np.flatnonzero(choice))] = True
    matched[found] = taken
    return matched


def candidate_pairs(
    found: NDArray[np.bool_], truth: NDArray[np.bool_], distance: float
) -> csr_array:
    """Pixels that may be assigned to each other.

    Returns:
        (T, F) for the pixels of the truth and of the prediction in reading order: their distance
        plus 1, so that it is not 0, in hundredths of a pixel.
    """
    from scipy.sparse import csr_array

    reach = int(distance)
    width = found.shape[1] + 2 * reach
    count = int(np.count_nonzero(found))
    numbers = np.full(found.shape, -1, np.int32)
    numbers[found] = np.arange(count, dtype=np.int32)
    flat = np.pad(numbers, reach, constant_values=-1).ravel()
    row, column = np.nonzero(truth)
    place = (row + reach) * width + column + reach
    rows, columns, costs = [], [], []
    for down, right in _steps(distance):
        there = flat[place + (down * width + right)]
        hit = np.flatnonzero(there >= 0)
        rows.append(hit)
        columns.append(there[hit])
        costs.append(np.full(hit.size, np.rint(_UNITS * (1 + np.hypot(down, right)))))
    entries = np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))
    candidates = csr_array(entries, shape=(row.size, count))
    candidates.sort_indices()
    return candidates


def _steps(distance: float) -> list[tuple[int, int]]:
    """Down and right from a pixel to all within the distance."""
    span = range(-int(distance), int(distance) + 1)
    return [(down, right) for down in span for right in span if np.hypot(down, right) <= distance]


def _largest_matching(candidates: csr_array) -> NDArray[np.intp]:
    """(T,) partner of each pixel of the truth, -1 where it has none.

    SciPy also matches by itself, but takes minutes where many pixels must stay alone.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    truth, found = candidates.shape
    last = truth + found + 1
    # The source leads to all of the truth, these to their candidates, and those to the sink.
    targets = np.concatenate(
        [1 + np.arange(truth), 1 + truth + candidates.indices, np.full(found, last)]
    )
    degrees = np.concatenate(
        [[0, truth], np.diff(candidates.indptr), np.ones(found, np.int64), [0]]
    )
    network = csr_array(
        (
            np.ones(targets.size, np.int32),
            targets.astype(np.int32),
            np.cumsum(degrees).astype(np.int32),
        ),
        shape=(last + 1, last + 1),
    )
    flow = maximum_flow(network, 0, last).flow.tocoo()
    start, end = flow.coords
    pairs = (flow.data > 0) & (start > 0) & (start <= truth)
    partner = np.full(truth, -1, np.intp)
    partner[start[pairs] - 1] = end[pairs] - 1 - truth
    return partner


def _where_too_many(
    candidates: csr_array, partner: NDArray[np.intp], taken: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(F,) the pixels of the prediction that some largest matching leaves over.

    They are those that alternating paths lead to from the pixels that this one leaves over.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    by_found = candidates.T.tocsr()
    count = by_found.shape[0]
    over = np.flatnonzero(~taken & (np.diff(by_found.indptr) > 0))
    # Along a path all of the truth's pixels are matched, or the matching would not be largest.
    leads = partner[by_found.indices]
    targets = np.concatenate([np.where(leads >= 0, leads, count), over]).astype(np.int32)
    ends = np.append(by_found.indptr, targets.size).astype(np.int32)
    graph = csr_array((np.ones(targets.size, np.int8), targets, ends), shape=(count + 1,) * 2)
    reached = np.zeros(count + 1, np.bool_)
    reached[breadth_first_order(graph, count, return_predecessors=False)] = True
    return reached[:count]


def _nearest(candidates: csr_array, choice: NDArray[np.intp]) -> NDArray[np.intp]:
    """The pixels of the prediction that the least sum of distances takes of these."""
    part = candidates[:, choice]
    part = part[np.diff(part.indptr) > 0]
    taken: NDArray[np.intp] = choice[cheapest_assignment(part)]
    return taken
