from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array, random_array

from segmint.metrics import cheapest_assignment as module
from segmint.metrics.cheapest_assignment import cheapest_assignment


def least_cost(table: np.ndarray) -> float:
    """Of all ways to give every row a column of its own."""
    rows, columns = table.shape
    return min(
        sum(table[row, column] for row, column in enumerate(order))
        for order in permutations(range(columns), rows)
    )


def cost_of(table: np.ndarray, columns: np.ndarray) -> float:
    """Least cost with these columns alone."""
    return least_cost(table[:, columns])


TABLES = hnp.arrays(np.float64, (4, 6), elements=st.sampled_from([0, 0, 0, 100, 141, 200, 224]))


WAYS = {
    "table": {},
    "sparse": {"_SMALL": 0, "_SPARE": 0},
    "program": {"_SMALL": 0, "_LARGEST": 0, "_SPARE": 9},
}
"""What to change so that every piece is solved in that way."""


@given(TABLES, st.sampled_from(sorted(WAYS)))
def test_against_all_assignments(table: np.ndarray, way: str) -> None:
    forbidden = np.where(table > 0, table, np.inf)
    least = least_cost(forbidden)
    assume(np.isfinite(least))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in WAYS[way].items():
            patch.setattr(module, name, value)
        taken = cheapest_assignment(csr_array(table))
    assert taken.size == 4
    assert np.unique(taken).size == 4
    assert cost_of(forbidden, taken) == least


@pytest.mark.parametrize("way", ["sparse", "program"])
def test_all_ways_agree_on_a_larger_table(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    costs = random_array((60, 90), density=0.1, rng=rng, format="csr")
    # So far apart that no two sums are equal.
    costs.data = rng.integers(1, 1 << 30, costs.nnz).astype(float)
    costs += csr_array((np.full(60, 2.0**31), (np.arange(60), np.arange(60))), shape=(60, 90))
    taken = cheapest_assignment(costs)
    for name, value in WAYS[way].items():
        monkeypatch.setattr(module, name, value)
    np.testing.assert_array_equal(taken, cheapest_assignment(costs))
