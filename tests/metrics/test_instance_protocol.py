from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import label

from segmint.metrics.instance_matching import (
    aggregated_jaccard_index,
    average_precision,
    panoptic_quality,
)
from segmint.metrics.instance_protocol import PROTOCOL, numbered_objects
from segmint.metrics.protocol import Case


def drawn(seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Blocks of chance numbers, and the same with some pixels changed."""
    rng = np.random.default_rng(seed)
    mask = np.kron(rng.integers(0, 30, (5, 6)), np.ones((6, 6), np.int64))
    labels = np.where(rng.random(mask.shape) < 0.15, np.roll(mask, 2, axis=1), mask)
    return labels, mask


def rows(*pairs: tuple[NDArray[Any], NDArray[Any]]) -> dict[str, Any]:
    cases = [
        Case(name=str(number), labels=labels, masks=(mask,), ignore_index=None)
        for number, (labels, mask) in enumerate(pairs)
    ]
    return {row.name: row for row in PROTOCOL.rows([PROTOCOL.measure(case) for case in cases])}


def test_scores_of_a_set() -> None:
    pairs = [drawn(seed) for seed in range(3)]
    found = {name: row.value for name, row in rows(*pairs).items()}
    for name, levels in (("ap50", [0.5]), ("ap75", [0.75])):
        values = [average_precision(*pair, thresholds=levels) for pair in pairs]
        assert found[name] == pytest.approx(np.mean(values))
    assert found["ap_mean"] == pytest.approx(np.mean([average_precision(*pair) for pair in pairs]))
    assert found["aji"] == pytest.approx(
        np.mean([aggregated_jaccard_index(*pair) for pair in pairs])
    )
    first, *others = (panoptic_quality(*pair) for pair in pairs)
    total = sum(others, first)
    assert found["panoptic_quality"] == pytest.approx(total.quality)
    assert found["segmentation_quality"] == pytest.approx(total.segmentation)
    assert found["recognition_quality"] == pytest.approx(total.recognition)


def test_counts_are_told() -> None:
    labels = np.array([[1, 1, 0, 2, 2, 0, 3, 3]])
    mask = np.array([[5, 5, 0, 0, 0, 0, 7, 7]])
    found = rows((labels, mask))
    assert "in all 2 hits, 1 spurious, 0 missed" in found["ap50"].protocol
    assert "all 2 true objects together" in found["panoptic_quality"].protocol


def test_an_image_without_any_object_is_left_out_and_told() -> None:
    nothing = np.zeros((4, 5), np.int64)
    pair = drawn(0)
    found, alone = rows(pair, (nothing, nothing)), rows(pair)
    assert {name: row.value for name, row in found.items()} == {
        name: row.value for name, row in alone.items()
    }
    assert "1 without any object left out" in found["aji"].protocol
    assert all(math.isnan(row.value) for row in rows((nothing, nothing)).values())


@given(arrays(np.int32, (5, 6), elements=st.sampled_from([-1, 0, 9])))
def test_one_number_alone_is_cut_into_pieces(labels: NDArray[np.int32]) -> None:
    found = numbered_objects(labels, "labels")
    expected, _ = label(labels == 9, np.ones((3, 3)))
    np.testing.assert_array_equal(np.where(labels == 9, found, labels), found)
    for number in range(1, expected.max() + 1):
        assert np.unique(found[expected == number]).size == 1
    assert np.unique(found[found > 0]).size == expected.max()


def test_pieces_keep_off_the_value_that_is_not_counted() -> None:
    labels = np.array([[7, 0, 7, 0, 7, 2]])
    assert numbered_objects(labels, "mask", 2).tolist() == [[1, 0, 3, 0, 4, 2]]


def test_several_annotators_are_refused() -> None:
    labels, mask = drawn(0)
    case = Case(name="a", labels=labels, masks=(mask, mask), ignore_index=None)
    assert "--protocol boundaries" in PROTOCOL.unfit(case)
