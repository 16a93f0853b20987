from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from segmint.errors import UsageError
from segmint.metrics import confusion, contingency, match
from segmint.metrics.matching import match_tables

PAIRS = st_numpy.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5).flatmap(
    lambda shape: st.tuples(
        st_numpy.arrays(np.int64, shape, elements=st.integers(0, 4)),
        st_numpy.arrays(np.uint8, shape, elements=st.integers(0, 4)),
    )
)


def right(table, matching):
    return sum(
        int(cell)
        for row, column, cell in zip(table.rows, table.columns, table.cells, strict=True)
        if matching.get(int(table.labels[row])) == table.classes[column]
    )


def most_right_by_trying_all(counts):
    if counts.shape[0] < counts.shape[1]:
        counts = counts.T
    orders = itertools.permutations(range(counts.shape[0]), counts.shape[1])
    return max(sum(counts[row, column] for column, row in enumerate(order)) for order in orders)


def greedy_by_masks(labels, mask):
    """Take the pair of highest Dice, remove both, repeat, with boolean masks."""
    left, right_side, found = set(labels.ravel()), set(mask.ravel()), {}
    while left and right_side:
        dice = {
            (label, value): 2
            * ((labels == label) & (mask == value)).sum()
            / ((labels == label).sum() + (mask == value).sum())
            for label in left
            for value in right_side
        }
        best = max(dice.values())
        winners = [pair for pair, value in dice.items() if value == best]
        if best == 0:
            return found, True
        if len(winners) > 1:
            return found, False
        found[int(winners[0][0])] = int(winners[0][1])
        left.remove(winners[0][0])
        right_side.remove(winners[0][1])
    return found, True


@given(PAIRS)
def test_hungarian_is_the_best_of_all_matchings(pair):
    table = contingency(*pair)
    matching = match(*pair)
    assert len(set(matching.values())) == len(matching)
    assert right(table, matching) == most_right_by_trying_all(table.counts)


@given(PAIRS)
def test_greedy_takes_the_highest_dice_first(pair):
    expected, unique = greedy_by_masks(*pair)
    found = match(*pair, method="greedy")
    assert len(set(found.values())) == len(found)
    if unique:
        assert found == expected
    else:
        assert expected.items() <= found.items()


@given(PAIRS)
def test_majority_gives_each_label_its_most_frequent_class(pair):
    labels, mask = pair
    for label, value in match(*pair, method="majority").items():
        counts = np.bincount(mask[labels == label], minlength=5)
        assert counts[value] == counts.max()


@given(PAIRS, st.permutations(range(5)))
def test_names_of_labels_do_not_matter(pair, names):
    labels, mask = pair
    renamed = np.array(names)[labels]
    for method in ("hungarian", "majority"):
        before = confusion(labels, mask, matching=match(labels, mask, method=method))
        after = confusion(renamed, mask, matching=match(renamed, mask, method=method))
        assert after.accuracy == before.accuracy


def test_set_has_one_matching_and_images_have_their_own():
    mask = np.array([[0, 0, 0, 1]])
    tables = [contingency(mask, mask), contingency(1 - mask[:, 2:], mask[:, 2:])]
    assert match_tables(tables, "hungarian") == [{0: 0, 1: 1}, {1: 0, 0: 1}]
    assert match_tables(tables, "hungarian-set") == [{0: 0, 1: 1}] * 2


def test_labels_that_meet_no_class_are_left_out():
    assert list(match([[0, 1, 2]], [[4, 4, 4]]).values()) == [4]
    assert match([[0]], [[255]]) == {}
    for method in ("greedy", "majority", "hungarian-set", "none"):
        assert match([[0]], [[255]], method=method) == {}


def test_unknown_method_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'hungarian'"):
        match([[0]], [[0]], method="hungary")
