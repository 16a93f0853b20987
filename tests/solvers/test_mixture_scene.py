from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segmint
from segmint.images import Image
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.segment import fit_scene
from segmint.solvers import mixture_scene


def picture(dtype: str = "uint8", channels: int = 3) -> np.ndarray:
    """(50, 70, C): three areas and noise."""
    generator = np.random.default_rng(0)
    base = np.full((50, 70), 0.2)
    base[:, 40:], base[20:, 5:30] = 0.55, 0.85
    values = base[..., None] * np.linspace(1, 0.6, channels)
    values = np.clip(values + generator.normal(0, 0.03, values.shape), 0, 1)
    if np.dtype(dtype).kind == "f":
        return (30 * values).astype(dtype)
    return (values * np.iinfo(dtype).max).astype(dtype)


def fitted(
    image: np.ndarray, *, stack: bool = False, **options: Any
) -> tuple[ArrayScene, SceneOutcome]:
    scene = ArrayScene.of_array(image, stack=stack)
    return scene, fit_scene(scene, "em-gmm", **{"components": 3, **options})


def labels_of(scene: ArrayScene, outcome: SceneOutcome, block: tuple[int, int]) -> np.ndarray:
    labels = np.empty((scene.planes, *scene.size), np.int32)
    for plane in range(scene.planes):
        for window in blocks(*scene.size, block):
            labels[(plane, *window.slices)] = outcome.answer.labels(scene, window, plane)
    return labels.reshape(scene.shape)


@pytest.mark.parametrize(
    ("dtype", "channels"),
    [("uint8", 3), ("uint8", 1), ("uint8", 4), ("uint16", 1), ("uint16", 3), ("float32", 2)],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"covariance": "full", "normalization": "percentile"},
        {"components": "auto", "max_components": 4, "covariance": "tied"},
        {"covariance": "spherical", "init": "random", "normalization": "min-max", "n_init": 2},
    ],
)
def test_the_fit_is_that_of_the_whole_image(
    dtype: str, channels: int, options: dict[str, Any]
) -> None:
    image = picture(dtype, channels)
    scene, outcome = fitted(image, seed=4, **options)
    whole = segmint.segment(image, "em-gmm", seed=4, **{"components": 3, **options})
    assert outcome.mixture is not None
    assert whole.mixture is not None
    for name in ("weights", "means", "variances"):
        np.testing.assert_allclose(
            getattr(outcome.mixture, name), getattr(whole.mixture, name), rtol=1e-6, atol=1e-9
        )
    assert outcome.mixture.units == whole.mixture.units
    assert outcome.order == whole.order
    np.testing.assert_array_equal(labels_of(scene, outcome, (16, 33)), whole.labels)
    assert whole.probabilities is not None
    found = outcome.answer.probabilities(scene, Window(top=3, bottom=20, left=9, right=30))
    np.testing.assert_allclose(found, whole.probabilities[:, 3:20, 9:30], atol=1e-3)
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=1e-5)


def test_all_slices_of_a_stack_share_a_mixture() -> None:
    stack = np.stack([picture(), picture()[::-1] // 2])
    scene, outcome = fitted(stack, stack=True)
    whole = segmint.segment(Image.from_array(stack, stack=True), "em-gmm", components=3)
    np.testing.assert_array_equal(labels_of(scene, outcome, (64, 20)), whole.labels)


def test_only_the_region_counts_and_colors_outside_have_an_answer() -> None:
    image = picture()
    image[:10] = np.random.default_rng(1).integers(0, 256, (10, 70, 3))
    region = np.ones((50, 70), np.uint8)
    region[:10] = 0
    scene, outcome = fitted(image, region=ArrayScene.of_array(region))
    whole = segmint.segment(image, "em-gmm", components=3, region=region)
    found = labels_of(scene, outcome, (50, 70))
    np.testing.assert_array_equal(np.where(region, found, -1), whole.labels)
    assert found.min() >= 0
    assert found.max() <= 2
    np.testing.assert_array_equal(labels_of(scene, outcome, (7, 11)), found)


def test_known_means_name_and_order_the_components(tmp_path: Path) -> None:
    (tmp_path / "means.csv").write_text("class,0\nhigh,1.5\nlow,-1\n")
    image = picture("uint8", 1)
    scene, outcome = fitted(image, components=None, mu_data=str(tmp_path / "means.csv"))
    whole = segmint.segment(image, "em-gmm", mu_data=str(tmp_path / "means.csv"))
    assert outcome.names == whole.names == {0: "high", 1: "low"}
    np.testing.assert_array_equal(labels_of(scene, outcome, (50, 70)), whole.labels)


def test_channel_names_go_into_the_table() -> None:
    scene = ArrayScene(Image(pixels=picture("uint8", 2), channel_names=("T1", "T2")))
    outcome = fit_scene(scene, "em-gmm", components=2)
    assert outcome.mixture is not None
    assert outcome.mixture.channels == ("T1", "T2")


def test_more_colors_than_are_fitted_become_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    image = picture()
    whole = segmint.segment(image, "em-gmm", components=3)
    monkeypatch.setattr(mixture_scene, "SAMPLE", 800)
    scene, outcome = fitted(image)
    assert any("fitted to 800 pixels" in note for note in outcome.notes)
    assert (labels_of(scene, outcome, (50, 70)) == whole.labels).mean() > 0.99


def test_of_wide_pixels_a_sample_is_taken_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixture_scene, "SAMPLE", 2 * 64 * 64)
    image = np.tile(picture("uint16"), (4, 4, 1))
    scene, outcome = fitted(image)
    assert any("2 tiles of 64x64 pixels, 15 % of the image" in note for note in outcome.notes)
    whole = segmint.segment(image, "em-gmm", components=3)
    found = labels_of(scene, outcome, (64, 64))
    assert (found == whole.labels).mean() > 0.99
    np.testing.assert_array_equal(labels_of(scene, outcome, (33, 200)), found)


def test_pixels_that_cannot_be_read_have_no_part_in_the_fit() -> None:
    image = picture("float32")
    whole = segmint.segment(image[:, :60], "em-gmm", components=3)
    spoilt = image.copy()
    spoilt[:, 60:] = np.nan
    scene = ArrayScene.of_array(spoilt, skip_bad=True)
    outcome = fit_scene(scene, "em-gmm", components=3)
    found = labels_of(scene, outcome, (50, 70))
    np.testing.assert_array_equal(found[:, :60], whole.labels)
