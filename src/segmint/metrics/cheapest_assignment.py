"""The cheapest assignment of every row of a sparse table to a column of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SMALL = 1 << 20
"""Cells of a table so small that it is written out."""
_LARGEST = 1 << 25
"""256 MiB, the largest table that is written out at all."""
_SPARE = 0.1
"""Share of columns left over from which SciPy's sparse solver is safe: with fewer it may take
minutes."""


def cheapest_assignment(costs: csr_array) -> NDArray[np.intp]:
    """Assign every row, each connected piece of the table by itself.

    Args:
        costs: (R, C), whole numbers from 1 where a row and a column may be assigned to each other;
            all rows can be assigned at once. (The sparse solver may never end with costs whose sums
            are rounded.)

    Returns:
        (R,) the columns taken, in ascending order.

    Example:
        >>> from scipy.sparse import csr_array
        >>> cheapest_assignment(csr_array([[1.0, 5.0, 0.0], [2.0, 0.0, 3.0]])).tolist()
        [0, 2]
    """
    taken = [
        columns[_solved(costs[rows][:, columns])] for rows, columns in _connected_pieces(costs)
    ]
    return np.sort(np.concatenate(taken))


def _connected_pieces(
    costs: csr_array,
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows and columns of each piece."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    rows = costs.shape[0]
    cells = costs.tocoo()
    row, column = cells.coords
    graph = csr_array((cells.data, (row, rows + column)), shape=(sum(costs.shape),) * 2)
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    pieces = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [(piece[piece < rows], piece[piece >= rows] - rows) for piece in pieces]


def _solved(costs: csr_array) -> NDArray[np.intp]:
    """The columns taken by one piece."""
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, columns = costs.shape
    if rows * columns <= _SMALL:
        return _by_table(costs)
    if columns >= (1 + _SPARE) * rows:
        return np.asarray(min_weight_full_bipartite_matching(costs)[1], np.intp)
    return _by_table(costs) if rows * columns <= _LARGEST else _by_linear_program(costs)


def _by_table(costs: csr_array) -> NDArray[np.intp]:
    from scipy.optimize import linear_sum_assignment

    table = np.full(costs.shape, np.inf)
    cells = costs.tocoo()
    table[cells.coords] = cells.data
    taken: NDArray[np.intp] = linear_sum_assignment(table)[1]
    return taken


def _by_linear_program(costs: csr_array) -> NDArray[np.intp]:
    """Slower and smaller; the vertices of assignment programs are whole numbers."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    cells = costs.tocoo()
    number, ones = np.arange(cells.nnz), np.ones(cells.nnz)
    row, column = cells.coords
    rows, columns = costs.shape
    solution = linprog(  # type: ignore[call-overload]
        cells.data,
        A_eq=csr_array((ones, (row, number)), shape=(rows, cells.nnz)),
        b_eq=np.ones(rows),
        A_ub=csr_array((ones, (column, number)), shape=(columns, cells.nnz)),
        b_ub=np.ones(columns),
        method="highs-ds",
    )
    taken: NDArray[np.intp] = np.unique(column[solution.x > 0.5])
    return taken
