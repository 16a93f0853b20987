from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from segmint.errors import InputError, UsageError
from segmint.metrics import (
    adjusted_rand_index,
    best_overlap,
    covering,
    normalized_mutual_information,
    rand_index,
    relabel_components,
    variation_of_information,
)

SCORES = [
    covering,
    rand_index,
    adjusted_rand_index,
    normalized_mutual_information,
    variation_of_information,
    lambda labels, masks: best_overlap(labels, masks, relabel=False),
]

PAIRS = st_numpy.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5).flatmap(
    lambda shape: st.tuples(
        st_numpy.arrays(np.int64, shape, elements=st.integers(0, 4)),
        st_numpy.arrays(np.uint8, shape, elements=st.integers(0, 4)),
    )
)


def best_overlaps_by_masks(labels, mask):
    """IoU of every pair of boolean masks, and the size of each segment of the truth."""
    best, sizes = [], []
    for value in np.unique(mask):
        truth = mask == value
        predicted = [labels == label for label in np.unique(labels)]
        best.append(max((truth & each).sum() / (truth | each).sum() for each in predicted))
        sizes.append(truth.sum())
    return np.array(best), np.array(sizes)


@given(PAIRS)
def test_best_overlap_and_covering_are_those_of_boolean_masks(pair):
    best, sizes = best_overlaps_by_masks(*pair)
    assert best_overlap(*pair, relabel=False) == pytest.approx(best.mean())
    assert covering(*pair) == pytest.approx((best * sizes).sum() / sizes.sum())


@given(PAIRS)
def test_relabelling_is_scoring_the_components(pair):
    labels, mask = pair
    pieces = relabel_components(labels)
    assert best_overlap(labels, mask) == best_overlap(pieces, mask, relabel=False)


@given(PAIRS)
def test_rand_index_counts_pairs(pair):
    pixels = list(zip(pair[0].ravel(), pair[1].ravel(), strict=True))
    agree = [(a == c) == (b == d) for (a, b), (c, d) in itertools.combinations(pixels, 2)]
    assert rand_index(*pair) == pytest.approx(np.mean(agree) if agree else 1.0)


@given(PAIRS)
def test_scores_are_those_of_scikit_learn(pair):
    from sklearn import metrics

    flat = pair[1].ravel(), pair[0].ravel()
    assert adjusted_rand_index(*pair) == pytest.approx(metrics.adjusted_rand_score(*flat))
    assert normalized_mutual_information(*pair) == pytest.approx(
        metrics.normalized_mutual_info_score(*flat), abs=1e-9
    )


@given(PAIRS)
def test_variation_of_information_is_that_of_scikit_image(pair):
    from skimage.metrics import variation_of_information as reference

    expected = sum(reference(pair[1].astype(int), pair[0]))
    assert variation_of_information(*pair) == pytest.approx(expected, abs=1e-9)


def test_rand_index_is_made_of_scikit_images_precision_and_recall():
    from skimage.metrics import adapted_rand_error

    rng = np.random.default_rng(0)
    labels, mask = rng.integers(0, 4, (20, 20)), rng.integers(1, 3, (20, 20))
    _, precision, recall = adapted_rand_error(mask, labels, ignore_labels=())
    table = np.histogram2d(labels.ravel(), mask.ravel(), bins=(4, 2))[0]
    together = ((table**2).sum() - 400) / 2
    pairs = 400 * 399 / 2
    apart = pairs - together / precision - together / recall + together
    assert rand_index(labels, mask) == pytest.approx((together + apart) / pairs)


@given(PAIRS, st.permutations(range(5)), st.permutations(range(5)))
def test_names_of_labels_and_classes_do_not_matter(pair, names, other_names):
    labels, mask = pair
    renamed = np.array(names)[labels], np.array(other_names)[mask]
    for score in SCORES:
        assert score(*renamed) == pytest.approx(score(labels, mask), abs=1e-12)


@given(PAIRS)
def test_pair_and_information_scores_are_symmetric(pair):
    for score in SCORES[1:5]:
        assert score(*pair) == pytest.approx(score(*pair[::-1]), abs=1e-12)


@given(PAIRS)
def test_identical_labels_are_perfect(pair):
    labels = pair[0]
    perfect = [score(labels, labels) for score in SCORES]
    assert perfect == pytest.approx([1, 1, 1, 1, 0, 1], abs=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_several_annotators_are_a_mean_and_one_without_pixels_is_left_out(score):
    labels = np.array([[0, 0, 1, 1]])
    one, two = np.array([[0, 1, 1, 1]]), np.array([[2, 3, 3, 3]])
    nothing = np.full_like(labels, 255)
    expected = (score(labels, one) + score(labels, two)) / 2
    assert score(labels, [one, two, nothing]) == pytest.approx(expected)
    assert math.isnan(score(labels, nothing))
    assert math.isnan(score(np.full_like(labels, -1), one))


def test_fine_and_coarse_are_the_annotators_with_most_and_fewest_segments():
    labels = np.zeros((1, 4), int)
    masks = [np.array([[0, 0, 1, 1]]), np.array([[0, 1, 2, 3]]), np.zeros((1, 4), int)]
    masks.append(np.full((1, 4), 255))
    assert best_overlap(labels, masks, annotators="fine") == 0.25
    assert best_overlap(labels, masks, annotators="coarse") == 1.0
    assert best_overlap(labels, masks) == pytest.approx((2 * 0.5 + 4 * 0.25 + 1) / 7)
    with pytest.raises(UsageError, match="did you mean 'coarse'"):
        best_overlap(labels, masks, annotators="course")


def test_ignored_and_outside_pixels_are_as_if_cut_away():
    rng = np.random.default_rng(1)
    labels, mask = rng.integers(0, 3, (8, 8)), rng.integers(0, 3, (8, 8))
    outside, ignored = labels.copy(), mask.copy()
    outside[:2], ignored[-3:] = -1, 255
    for score in SCORES:
        assert score(outside, ignored) == pytest.approx(score(labels[2:-3], mask[2:-3]))


def test_list_of_masks_must_hold_one():
    with pytest.raises(InputError, match="empty"):
        covering(np.zeros((2, 2), int), [])
