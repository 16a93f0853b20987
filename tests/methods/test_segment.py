from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import segmint
from segmint.errors import InputError, UsageError
from segmint.images import Image

HALVES = np.zeros((12, 16), np.uint8)
HALVES[:, 10:] = 200

SMALL = {"features": 6, "max_components": 8, "iterations": 3, "superpixel_scale": 0.0}


def scribbles(dtype: str = "int64", unlabelled: int = 255) -> np.ndarray:
    marks = np.full(HALVES.shape, unlabelled, dtype)
    marks[5, 2:6], marks[5, 12:15] = 1, 4
    return marks


@pytest.mark.parametrize("shape", [(12, 16), (12, 16, 1), (12, 16, 3)])
def test_accepts_grey_and_color(shape: tuple[int, ...]) -> None:
    image = np.broadcast_to(HALVES.reshape(12, 16, *[1] * (len(shape) - 2)), shape)
    found = segmint.segment(image, "kmeans", components=2)
    np.testing.assert_array_equal(found.labels, HALVES > 0)


def test_accepts_lists_and_images() -> None:
    expected = segmint.segment(HALVES, "kmeans", components=2).labels
    for image in (HALVES.tolist(), Image.from_array(HALVES)):
        found = segmint.segment(image, "kmeans", components=2).labels
        np.testing.assert_array_equal(found, expected)


def test_image_is_left_alone() -> None:
    before = HALVES.copy()
    segmint.segment(HALVES, "clustering", region=HALVES == 0, **SMALL)
    np.testing.assert_array_equal(HALVES, before)


def test_says_how_it_was_made() -> None:
    found = segmint.segment(HALVES, "clustering", preset="kim2020", seed=4, mu=3.0, **SMALL)
    assert found.method == "clustering"
    assert found.seed == 4
    assert found.seconds > 0
    assert found.options["preset"] == "kim2020"
    assert found.options["similarity_weight"] == 3.0
    assert found.options["continuity_weight"] == 5.0


def test_unknown_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown method 'kmean': did you mean 'kmeans'\?"):
        segmint.segment(HALVES, "kmean")


@pytest.mark.parametrize("method", ["kmeans", "slic", "felzenszwalb"])
def test_method_without_scribbles(method: str) -> None:
    with pytest.raises(UsageError, match=f"'{method}' takes no scribbles"):
        segmint.segment(HALVES, method, scribbles=scribbles())


def test_method_without_a_network() -> None:
    with pytest.raises(UsageError, match="'kmeans' learns no network"):
        segmint.segment(HALVES, "kmeans", save_model="a.safetensors")


class TestScribbles:
    @pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "int64", "uint64"])
    def test_of_any_integer_type(self, dtype: str) -> None:
        unlabelled = 127 if dtype == "int8" else 255
        marks = scribbles(dtype, unlabelled)
        found = segmint.segment(
            HALVES, "clustering", scribbles=marks, unlabelled=unlabelled, **SMALL
        )
        assert np.unique(found.labels).tolist() == [1, 4]
        np.testing.assert_array_equal(found.labels[marks != unlabelled], marks[marks != unlabelled])

    @pytest.mark.parametrize("unlabelled", [-1, 0, 9])
    def test_another_value_where_nothing_is_known(self, unlabelled: int) -> None:
        marks = scribbles(unlabelled=unlabelled)
        found = segmint.segment(
            HALVES, "clustering", scribbles=marks, unlabelled=unlabelled, **SMALL
        )
        assert np.unique(found.labels).tolist() == [1, 4]

    def test_large_ids(self) -> None:
        marks = scribbles()
        marks[marks == 4] = 2**31 - 1
        found = segmint.segment(HALVES, "clustering", scribbles=marks, **SMALL)
        assert np.unique(found.labels).tolist() == [1, 2**31 - 1]

    @pytest.mark.parametrize(
        ("marks", "message"),
        [
            (np.full((12, 16), 255), "no id beside 255"),
            (np.where(scribbles() == 4, 255, scribbles()), "only the id 1, at least two"),
            (scribbles()[:, :15], r"scribbles have shape \(12, 15\) and the image \(12, 16\)"),
            (scribbles().astype(float), "scribbles are float64, accepted are whole numbers"),
            (np.where(scribbles() == 4, -3, scribbles()), "negative ids|the id -3"),
            (np.where(scribbles() == 4, 2**31, scribbles()), "2147483648"),
        ],
    )
    def test_that_cannot_be_used(self, marks: np.ndarray, message: str) -> None:
        with pytest.raises(InputError, match=message):
            segmint.segment(HALVES, "clustering", scribbles=marks, **SMALL)

    def test_only_those_inside_the_region_count(self) -> None:
        with pytest.raises(InputError, match="only the id 1"):
            segmint.segment(
                HALVES, "clustering", scribbles=scribbles(), region=HALVES == 0, **SMALL
            )


class TestRegion:
    @pytest.mark.parametrize("dtype", [bool, np.uint8, float])
    def test_of_any_type(self, dtype: type) -> None:
        region = np.zeros(HALVES.shape, dtype)
        region[3:9, 4:14] = 1
        found = segmint.segment(HALVES, "kmeans", region=region, components=2)
        np.testing.assert_array_equal(found.labels == -1, region == 0)

    @pytest.mark.parametrize("region", [np.zeros((12, 16), bool), np.ones((12, 15), bool)])
    def test_that_cannot_be_used(self, region: np.ndarray) -> None:
        with pytest.raises(InputError, match="region"):
            segmint.segment(HALVES, "kmeans", region=region)

    def test_values_outside_may_be_missing(self) -> None:
        image = HALVES.astype(float)
        image[:2] = np.nan
        with pytest.raises(InputError, match="NaN"):
            segmint.segment(image, "kmeans", components=2)
        region = np.isfinite(image)
        found = segmint.segment(image, "kmeans", region=region, components=2)
        np.testing.assert_array_equal(found.labels[2:], HALVES[2:] > 0)


class TestStacks:
    stack = Image.from_array(np.stack([HALVES, 255 - HALVES, HALVES.T.reshape(12, 16)]), stack=True)

    def test_no_component_spans_two_slices(self) -> None:
        found = segmint.segment(self.stack, "kmeans", components=2)
        assert found.labels.shape == (3, 12, 16)
        ids = [set(np.unique(labels)) for labels in found.labels]
        assert found.components == 6
        assert not (ids[0] & ids[1] or ids[0] & ids[2] or ids[1] & ids[2])
        assert "3 slices segmented one by one" in found.notes[0]

    def test_components_are_ordered_by_area(self) -> None:
        found = segmint.segment(self.stack, "kmeans", components=2)
        assert (np.diff(np.bincount(found.labels.ravel())) <= 0).all()

    def test_slice_without_region(self) -> None:
        region = np.ones((3, 12, 16), bool)
        region[1] = False
        found = segmint.segment(self.stack, "kmeans", region=region, components=2)
        assert (found.labels[1] == -1).all()
        assert found.components == 4

    def test_takes_no_scribbles(self) -> None:
        with pytest.raises(UsageError, match="not for a stack"):
            segmint.segment(self.stack, "clustering", scribbles=scribbles())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**32}, "accepted is a whole number"),
        ({"seed": "a"}, "seed is 'a'"),
        ({"precision": "float33"}, "unknown precision 'float33'"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
    ],
)
@pytest.mark.parametrize("method", ["kmeans", "hybrid"])
def test_arithmetic_is_checked_for_every_method(
    method: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        segmint.segment(np.zeros((8, 8), np.uint8), method, **options)


def test_path_is_no_image() -> None:
    with pytest.raises(InputError, match=re.escape("pass segmint.read_image('photo.png')")):
        segmint.segment("photo.png")
