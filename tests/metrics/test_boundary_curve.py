from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import auc

from segmint.metrics.boundaries import BoundaryCounts, TruthBoundaries, boundary_counts
from segmint.metrics.boundary_curve import (
    THRESHOLDS,
    average_precision,
    best_threshold,
    boundary_curve,
    optimal_data_set_scale,
    optimal_image_scale,
    summed,
)
from segmint.metrics.boundary_pixels import block_boundaries


def stripes(*columns: int) -> np.ndarray:
    """Segments between columns, (30, 50)."""
    labels = np.zeros((30, 50), np.int32)
    for column in columns:
        labels[:, column:] += 1
    return labels


def counts(found_matched: int, found: int, truth_matched: int, truth: int) -> BoundaryCounts:
    return BoundaryCounts(
        found=found, found_matched=found_matched, truth=truth, truth_matched=truth_matched
    )


def test_every_threshold_is_a_segmentation_of_its_own() -> None:
    """Three levels of boundaries, of which all but the weakest are right."""
    strengths = np.maximum(
        0.9 * block_boundaries(stripes(10)),
        np.maximum(0.6 * block_boundaries(stripes(20)), 0.3 * block_boundaries(stripes(30))),
    )
    mask = stripes(10, 20)
    curve = boundary_curve(strengths, TruthBoundaries([mask]))
    cuts = ((0.3, stripes(10, 20, 30)), (0.6, mask), (0.9, stripes(10)), (1.0, stripes()))
    for threshold, found in zip(THRESHOLDS, curve, strict=True):
        labels = next(each for strength, each in cuts if threshold <= strength)
        assert found == boundary_counts(labels, mask)
    assert curve[best_threshold(curve)].f_score == 1
    assert 0.3 < THRESHOLDS[best_threshold(curve)] <= 0.6


def test_ods_has_one_threshold_and_ois_one_an_image() -> None:
    first = [counts(8, 10, 8, 10), counts(2, 2, 2, 10)]
    second = [counts(3, 30, 10, 10), counts(9, 10, 9, 10)]
    ods, ois = (score([first, second]) for score in (optimal_data_set_scale, optimal_image_scale))
    assert ods == counts(11, 12, 11, 20)
    assert ois == counts(17, 20, 17, 20)
    assert summed([first, second])[0] == counts(11, 40, 18, 20)


def test_area_under_the_curve() -> None:
    curve = [counts(8, 16, 8, 10), counts(6, 8, 6, 10), counts(3, 3, 3, 10), counts(0, 0, 0, 10)]
    expected = auc([0, 0.3, 0.6, 0.8], [1, 1, 0.75, 0.5])
    assert average_precision(curve) == pytest.approx(expected)
    again = [*curve, counts(6, 20, 6, 10)]
    assert average_precision(again) == pytest.approx(expected)


def test_perfect_boundaries_have_area_one() -> None:
    assert average_precision([counts(10, 10, 10, 10)] * 3) == 1


def test_no_boundaries() -> None:
    nothing = [BoundaryCounts()] * 2
    assert math.isnan(average_precision(nothing))
    assert math.isnan(optimal_data_set_scale([nothing]).f_score)
    right = [counts(5, 5, 5, 5)] * 2
    assert optimal_image_scale([right, nothing]).f_score == 1
