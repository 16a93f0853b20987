"""What every registered method must do, whatever it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import segmint
from segmint.errors import SegmintError, UsageError
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import BY_AREA, Method

QUICK: dict[str, dict[str, Any]] = {
    "clustering": {"features": 16, "max_components": 16, "iterations": 6},
    "slic": {"segments": 12},
    "kmeans": {"components": 4},
    "deepg": {"features": 8, "levels": 1, "learning_rate": 0.02, "max_epochs": 3, "start": "em"},
    "deepsvg": {"features": 8, "levels": 1, "learning_rate": 0.02, "max_epochs": 3, "start": "em"},
}
"""Options that make a method quick; a method that is not named runs with its defaults."""

TAKE_SCRIBBLES = [name for name in methods if methods.load(name).takes_scribbles]
HAVE_COMPONENTS = [
    name
    for name in methods
    if "components" in {field.name for field in dataclasses.fields(methods.load(name).options)}
]


def make_picture(channels: int = 3, dtype: str = "uint8") -> np.ndarray:
    """(28, 36, C): three areas and noise."""
    generator = np.random.default_rng(0)
    base = np.full((28, 36), 0.2)
    base[:, 20:], base[15:, 4:16] = 0.55, 0.9
    shades = base[..., None] * np.linspace(1, 0.6, channels)
    values = np.clip(shades + generator.normal(0, 0.02, shades.shape), 0, 1)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return values.astype(kind)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    return (low + values * (float(high) - low)).astype(kind)


def segment(image: np.ndarray, method: str, **options: Any) -> segmint.Segmentation:
    return segmint.segment(image, method, **{**QUICK.get(method, {}), **options})


def check_labels(found: segmint.Segmentation, shape: tuple[int, ...]) -> None:
    """int32 of that shape; ids from 0 without gaps, the largest first, unless the method orders."""
    labels = found.labels
    assert labels.dtype == np.int32
    assert labels.shape == shape
    assert labels.min() >= -1
    if found.order != BY_AREA:
        assert found.mixture is not None
        assert labels.max() < len(found.mixture.weights)
        return
    areas = np.bincount(labels[labels >= 0])
    assert (areas > 0).all()
    assert (np.diff(areas) <= 0).all()


def test_the_default_is_registered() -> None:
    assert DEFAULT_METHOD in methods


@pytest.mark.parametrize("method", list(methods))
class TestMethod:
    def test_is_a_method(self, method: str) -> None:
        assert isinstance(methods.load(method), Method)

    @pytest.mark.parametrize("channels", [1, 2, 3, 5])
    def test_any_number_of_channels(self, method: str, channels: int) -> None:
        image = make_picture(channels)
        found = segment(image, method)
        check_labels(found, image.shape[:2])
        assert 1 < found.components <= 200

    @pytest.mark.parametrize(
        "dtype", ["uint16", "int16", "int32", "uint64", "float16", "float32", "float64"]
    )
    def test_any_type(self, method: str, dtype: str) -> None:
        image = make_picture(dtype=dtype)
        check_labels(segment(image, method), image.shape[:2])

    def test_grey_without_an_axis_of_channels(self, method: str) -> None:
        image = make_picture(1)
        flat, with_axis = segment(image[..., 0], method), segment(image, method)
        np.testing.assert_array_equal(flat.labels, with_axis.labels)

    def test_tells_areas_apart(self, method: str) -> None:
        labels = segment(make_picture(), method).labels
        shared = set(labels[2:12, 2:16].ravel()) & set(labels[2:26, 24:34].ravel())
        assert not shared

    def test_same_seed_same_labels(self, method: str) -> None:
        first, again = (segment(make_picture(), method, seed=5) for _ in range(2))
        np.testing.assert_array_equal(first.labels, again.labels)

    def test_global_randomness_plays_no_part(self, method: str) -> None:
        import torch

        found = []
        for seed in (0, 1):
            np.random.seed(seed)  # noqa: NPY002
            torch.manual_seed(seed)
            found.append(segment(make_picture(), method).labels)
        np.testing.assert_array_equal(*found)

    def test_image_is_left_alone(self, method: str) -> None:
        image = make_picture(dtype="float32")
        before = image.copy()
        segment(image, method, region=image[..., 0] < 0.8)
        np.testing.assert_array_equal(image, before)

    @pytest.mark.parametrize("channels", [1, 2, 3])
    def test_region(self, method: str, channels: int) -> None:
        image, region = make_picture(channels), np.zeros((28, 36), bool)
        region[3:25, 5:30] = True
        region[10:12, 10:12] = False
        region[0, 0] = region[27, 33:35] = True
        found = segment(image, method, region=region)
        check_labels(found, image.shape[:2])
        np.testing.assert_array_equal(found.labels >= 0, region)

    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 2), (2, 2)])
    @pytest.mark.parametrize("bounded", [False, True])
    def test_tiny_image(
        self, method: str, size: tuple[int, int], channels: int, bounded: bool
    ) -> None:
        image = make_picture(channels)[-size[0] :, : size[1]]
        region = np.ones(size, bool)
        region[0, 0] = image.shape[:2] == (1, 1)
        try:
            found = segment(image, method, region=region if bounded else None)
        except SegmintError as error:
            assert str(error)
        else:
            check_labels(found, size)

    @pytest.mark.parametrize("channels", [1, 3])
    @pytest.mark.parametrize("value", [0, 128, 255])
    def test_constant_image(self, method: str, channels: int, value: int) -> None:
        image = np.full((20, 24, channels), value, np.uint8)
        try:
            found = segment(image, method)
        except SegmintError as error:
            assert str(error)
        else:
            check_labels(found, (20, 24))

    def test_constant_channel(self, method: str) -> None:
        image = make_picture()
        image[..., 1] = 7
        check_labels(segment(image, method), image.shape[:2])

    def test_one_pixel_of_region(self, method: str) -> None:
        region = np.zeros((28, 36), bool)
        region[9, 11] = True
        try:
            found = segment(make_picture(), method, region=region)
        except SegmintError as error:
            assert str(error)
        else:
            np.testing.assert_array_equal(found.labels, np.where(region, 0, -1))

    def test_unknown_option_is_refused_with_the_nearest(self, method: str) -> None:
        known = dataclasses.fields(methods.load(method).options)[0].name
        with pytest.raises(UsageError, match=f"unknown option '{known}x': did you mean '{known}'"):
            segment(make_picture(), method, **{f"{known}x": 1})

    def test_save_and_load(self, method: str, tmp_path: Any) -> None:
        from segmint.methods.storage import load_segmentation

        image = make_picture()
        found = segment(image, method)
        again, _ = load_segmentation(found.save(tmp_path / "result", image))
        np.testing.assert_array_equal(again.labels, found.labels)
        assert again.options == found.options

    def test_hierarchy_and_probabilities_fit_the_labels(self, method: str) -> None:
        found = segment(make_picture(), method)
        if found.hierarchy is not None:
            assert found.with_components(1).components == 1
            cut = found.with_components(found.components)
            assert cut.components == found.components
        if found.probabilities is not None:
            components = found.components if found.mixture is None else len(found.mixture.weights)
            assert found.probabilities.shape == (components, 28, 36)
            np.testing.assert_allclose(found.probabilities.sum(axis=0), 1, rtol=1e-4)


@pytest.mark.parametrize("method", HAVE_COMPONENTS)
@pytest.mark.parametrize("components", [1, 2, 3])
def test_exact_number_of_components(method: str, components: int) -> None:
    found = segment(make_picture(), method, components=components)
    if found.mixture is None:
        assert found.components == components
    else:  # a component of a mixture may be the likeliest of no pixel
        assert len(found.mixture.weights) == components


@pytest.mark.parametrize("method", TAKE_SCRIBBLES)
class TestScribbles:
    marks = np.full((28, 36), 255, np.uint8)
    marks[5, 3:15], marks[5:25, 30], marks[20, 6:14] = 9, 2, 5

    @pytest.mark.parametrize("channels", [1, 2, 3])
    def test_scribbled_pixels_keep_their_id(self, method: str, channels: int) -> None:
        labels = segment(make_picture(channels), method, scribbles=self.marks).labels
        marked = self.marks != 255
        np.testing.assert_array_equal(labels[marked], self.marks[marked])
        assert np.unique(labels).tolist() == [2, 5, 9]
        assert labels.dtype == np.int32

    def test_areas_take_the_id_of_their_scribble(self, method: str) -> None:
        labels = segment(make_picture(), method, scribbles=self.marks).labels
        for area, label in [
            (labels[2:12, 2:16], 9),
            (labels[2:26, 24:34], 2),
            (labels[17:26, 6:14], 5),
        ]:
            assert np.mean(area == label) > 0.8

    def test_any_value_may_mean_that_nothing_is_known(self, method: str) -> None:
        marks = self.marks.astype(np.int32)
        marks[self.marks == 255], marks[self.marks == 9] = 0, 255
        labels = segment(make_picture(), method, scribbles=marks, unlabelled=0).labels
        expected = segment(
            make_picture(), method, scribbles=np.where(marks == 0, -1, marks), unlabelled=-1
        ).labels
        np.testing.assert_array_equal(labels, expected)
        assert np.unique(labels).tolist() == [2, 5, 255]

    def test_outside_the_region_stays_outside(self, method: str) -> None:
        region = np.ones((28, 36), bool)
        region[:, 32:] = region[5, 3:6] = False
        labels = segment(make_picture(), method, scribbles=self.marks, region=region).labels
        np.testing.assert_array_equal(labels >= 0, region)
