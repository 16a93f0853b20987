from __future__ import annotations

import numpy as np
import pytest

from segmint.images import Image
from segmint.methods.segmentation import Segmentation
from segmint.reports.truth import truth_by_id

MASK = np.array([[0, 0, 1, 1], [2, 2, 255, 255]], np.int32)


@pytest.fixture
def image() -> Image:
    return Image(
        pixels=np.zeros((2, 4, 1), np.float32),
        region=MASK != 255,
        mask=MASK,
        class_names=("blood", "muscle", "scar"),
    )


def result(labels: list[list[int]], names: dict[int, str]) -> Segmentation:
    return Segmentation(
        labels=np.array(labels, np.int32), method="m", options={}, seed=0, seconds=0, names=names
    )


def test_by_name(image: Image) -> None:
    found = result([[1, 1, 0, 0], [0, 1, -1, -1]], {0: "muscle", 1: "blood"})
    assert truth_by_id(image, found).tolist() == [[1, 1, 0, 0], [2, 2, -1, -1]]


def test_by_shared_pixels(image: Image) -> None:
    found = result([[7, 7, 2, 2], [2, 7, -1, -1]], {})
    assert truth_by_id(image, found).tolist() == [[7, 7, 2, 2], [8, 8, -1, -1]]


def test_without_truth() -> None:
    plain = Image(pixels=np.zeros((2, 4, 1), np.float32))
    assert truth_by_id(plain, result([[0, 0, 0, 0]] * 2, {})) is None
