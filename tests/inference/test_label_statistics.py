from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segmint.images.window import Window, blocks
from segmint.inference.label_statistics import LabelStatistics
from segmint.inference.numbering import Numbering
from segmint.regions.ordering import order_by_area

CLASSES = 6


def of_blocks(
    labels: NDArray[Any], pixels: NDArray[Any], block: tuple[int, int]
) -> LabelStatistics:
    """Of a stack (D, H, W), block by block and through bytes."""
    depth, height, width = labels.shape
    found = []
    for plane in range(depth):
        for window in blocks(height, width, block):
            one = LabelStatistics.of(
                labels[plane][window.slices],
                pixels[plane][window.slices],
                classes=CLASSES,
                window=window,
                width=width,
                start=plane * height * width,
            )
            found.append(LabelStatistics.from_bytes(one.to_bytes(), CLASSES))
    return LabelStatistics.total(found, CLASSES, pixels.shape[-1])


def made_up(seed: int, shape: tuple[int, int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    generator = np.random.default_rng(seed)
    labels = generator.choice([0, 1, 2, 4, 255], shape, p=[0.3, 0.3, 0.05, 0.05, 0.3])
    return labels.astype(np.uint8), generator.integers(0, 60000, (*shape, 2), dtype=np.uint16)


@settings(max_examples=40)
@given(seed=st.integers(0, 1000), block=st.tuples(st.integers(5, 90), st.integers(5, 40)))
def test_blocks_add_up_to_the_whole(seed: int, block: tuple[int, int]) -> None:
    labels, pixels = made_up(seed, (2, 80, 31))
    found = of_blocks(labels, pixels, block)
    for label in range(CLASSES):
        mask = labels == label
        assert found.counts[label] == mask.sum()
        assert found.sums[label].tolist() == pixels[mask].sum(axis=0, dtype=np.int64).tolist()
        if mask.any():
            assert found.first[label] == np.flatnonzero(mask)[0]
    assert found.present.tolist() == sorted(set(np.unique(labels)) - {255})


@given(seed=st.integers(0, 1000), side=st.integers(1, 7))
def test_numbers_are_those_of_whole_arrays(seed: int, side: int) -> None:
    labels, pixels = made_up(seed, (2, side, 5))
    numbering = Numbering.by_area(of_blocks(labels, pixels, (2, 3)))
    signed = np.where(labels == 255, -1, labels.astype(int))
    want, former = order_by_area(signed)
    assert np.array_equal(numbering.stored(labels), np.where(want < 0, 255, want))
    assert numbering.former[: len(former)].tolist() == former.tolist()
    assert sorted(numbering.former.tolist()) == list(range(CLASSES))
    assert numbering.ids == tuple(range(len(former)))


def test_ids_with_an_order_stay() -> None:
    labels, pixels = made_up(0, (1, 80, 31))
    numbering = Numbering.as_it_is(of_blocks(labels, pixels, (64, 64)))
    assert numbering.ids == (0, 1, 2, 4)
    assert np.array_equal(numbering.stored(labels), labels)
    assert numbering.names({1: "one"}) == {1: "one"}


@pytest.mark.parametrize(("classes", "dtype"), [(255, np.uint8), (256, np.uint16)])
def test_the_type_follows_the_number_of_ids(classes: int, dtype: type) -> None:
    labels = np.arange(300, dtype=np.uint16)[np.newaxis]
    labels[:, classes:] = 65535
    statistics = LabelStatistics.of(
        labels,
        np.zeros((1, 300, 1), np.uint8),
        classes=1000,
        window=Window.whole(1, 300),
        width=300,
    )
    numbering = Numbering.by_area(statistics)
    assert numbering.dtype == dtype
    assert numbering.stored(labels)[0, -1] == np.iinfo(dtype).max
    assert numbering.stored(labels)[0, :classes].tolist() == list(range(classes))


def test_names_follow_their_labels() -> None:
    labels = np.array([[1, 1, 0]], np.uint8)
    pixels = np.zeros((1, 3, 1), np.uint8)
    statistics = LabelStatistics.of(labels, pixels, classes=2, window=Window.whole(1, 3), width=3)
    assert Numbering.by_area(statistics).names({0: "small", 1: "large"}) == {
        0: "large",
        1: "small",
    }
